#pragma once

#include "ptx/host_abi.h"

#include <string>

namespace rt::backend::cpu {

// Services about asynchronous copies and the barriers that they report to. Copies are done when the service returns,
// and have told their barrier; nothing is left to wait for. PTX ISA 9.7.9.25, 9.7.13.15.
uint64_t mbarrier(ptx::host::Lane*, uint32_t operation, uint64_t address, uint64_t argument);
void bulk_copy(ptx::host::Lane*, uint64_t to, uint64_t from, uint32_t bytes, uint64_t barrier, uint32_t multicast,
               uint32_t byte_mask);
void bulk_reduce(ptx::host::Lane*, uint32_t operation, uint32_t type, uint64_t to, uint64_t from, uint32_t bytes,
                 uint64_t barrier);
void tensor_copy(ptx::host::Lane*, uint32_t kind, uint32_t mode, uint32_t operation, uint64_t map, uint64_t shared,
                 uint64_t barrier, uint32_t multicast, uint32_t dimensions, uint32_t c0, uint32_t c1, uint32_t c2,
                 uint32_t c3, uint32_t c4, uint32_t o0, uint32_t o1, uint32_t o2);
void tensor_replace(ptx::host::Lane*, uint64_t map, uint32_t field, uint32_t index, uint64_t value);

/// The mbarrier at `address` learns that `bytes` have come.
void complete_transaction(ptx::host::Lane*, uint64_t address, uint32_t bytes);

/// Ends the kernel as an illegal instruction, with the reason.
[[noreturn]] void refuse(ptx::host::Lane*, std::string what);
/// The same as a misaligned address.
[[noreturn]] void refuse_address(ptx::host::Lane*, std::string what);

} // namespace rt::backend::cpu
