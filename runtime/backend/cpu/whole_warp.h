#pragma once

#include "ptx/host_abi.h"

/// Operations of a warp with all its 32 lanes, which lie side by side in memory: what backend/cpu/warp_operations.h
/// does, faster.
namespace rt::backend::cpu::whole_warp {

/// What each lane gives, or, with `each` 0, what all of them do.
struct Argument {
    const uint32_t* first;
    uint32_t each;
    uint32_t of(uint32_t lane) const { return first[each * lane]; }
};

/// `predicate` may be null.
void shuffle(ptx::host::Shuffle mode, const uint32_t* value, Argument by, Argument clamp, uint32_t* result,
             uint8_t* predicate);
/// `value`: 0 or 1 of each lane.
void vote(ptx::host::Vote mode, const uint8_t* value, uint32_t* result);
/// False, and nothing done, for operations on floating-point numbers.
bool reduce(ptx::host::Reduce operation, const uint32_t* value, uint32_t* result);

} // namespace rt::backend::cpu::whole_warp
