#pragma once

#include "backend/cpu/cta.h"

/// What the lanes of a warp compute together once all have come. PTX ISA 9.7.9.6, 9.7.13.8, 9.7.13.9, 9.7.13.11.
namespace rt::backend::cpu {

/// What a lane brings and gets, without a fiber; as in LaneFiber.
struct WarpLane {
    uint64_t value = 0, result = 0;
    const void* compute = nullptr;
    uint32_t operation = 0, detail = 0, clamp = 0;
};

struct ShuffleSource {
    unsigned lane;
    bool in_range;
};

/// PTX ISA 9.7.9.6: the lane that `self` reads from, by its operands.
inline ShuffleSource shuffle_source(ptx::host::Shuffle mode, unsigned self, uint32_t detail, uint32_t clamps) {
    const int segment = int(clamps >> 8 & 31), clamp = int(clamps & 31), by = int(detail & 31), own = int(self);
    const int lowest = own & segment, highest = lowest | (clamp & ~segment);
    switch (mode) {
    case ptx::host::Shuffle::up:
        return {unsigned(own - by), own - by >= highest};
    case ptx::host::Shuffle::down:
        return {unsigned(own + by), own + by <= highest};
    case ptx::host::Shuffle::bfly:
        return {unsigned(own ^ by), (own ^ by) <= highest};
    case ptx::host::Shuffle::idx:
        break;
    }
    const int from = lowest | (by & ~segment);
    return {unsigned(from), from <= highest};
}

/// `lanes`: 32, of which `members` came.
void compute_meeting(Meet kind, WarpLane* lanes, uint32_t members);

} // namespace rt::backend::cpu
