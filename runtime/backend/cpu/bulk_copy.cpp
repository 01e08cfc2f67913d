// PTX ISA 9.7.9.25.4: bulk copies and reductions.
#include "backend/cpu/async_services.h"
#include "backend/cpu/bulk_elements.h"
#include "backend/cpu/cta.h"

#include <cstring>
#include <fmt/format.h>

namespace rt::backend::cpu {

namespace {

using ptx::host::Lane;

void check_alignment(Lane* lane, const char* what, uint64_t to, uint64_t from, uint32_t bytes) {
    if ((to | from | bytes) % 16 == 0) return;
    refuse(lane, fmt::format("{} of {} bytes from {:#x} to {:#x}: all must be multiples of 16", what, bytes, from, to));
}

void copy_masked(uint64_t to, uint64_t from, uint32_t bytes, uint32_t byte_mask) {
    auto* target = reinterpret_cast<uint8_t*>(to);
    const auto* source = reinterpret_cast<const uint8_t*>(from);
    for (uint32_t i = 0; i < bytes; i++)
        if (byte_mask >> i % 16 & 1) target[i] = source[i];
}

} // namespace

void bulk_copy(Lane* lane, uint64_t to, uint64_t from, uint32_t bytes, uint64_t barrier, uint32_t multicast,
               uint32_t byte_mask) {
    check_alignment(lane, "cp.async.bulk", to, from, bytes);
    if (byte_mask != 0xffff) return copy_masked(to, from, bytes, byte_mask);
    if (!multicast) {
        std::memmove(reinterpret_cast<void*>(to), reinterpret_cast<const void*>(from), bytes);
        if (barrier) complete_transaction(lane, barrier, bytes);
        return;
    }
    const Cta& cta = Cta::of(lane);
    for (; multicast; multicast &= multicast - 1) {
        const uint32_t rank = uint32_t(__builtin_ctz(multicast));
        std::memmove(reinterpret_cast<void*>(cta.in_cluster(to, rank)), reinterpret_cast<const void*>(from), bytes);
        complete_transaction(lane, cta.in_cluster(barrier, rank), bytes);
    }
}

void bulk_reduce(Lane* lane, uint32_t operation, uint32_t type, uint64_t to, uint64_t from, uint32_t bytes,
                 uint64_t barrier) {
    check_alignment(lane, "cp.reduce.async.bulk", to, from, bytes);
    const Combine combine = combination(ptx::host::BulkOperation(operation), ptx::host::BulkType(type));
    if (!combine.apply) refuse(lane, "cp.reduce.async.bulk: no such operation on this type");
    for (uint32_t i = 0; i < bytes; i += combine.bytes)
        combine.apply(reinterpret_cast<void*>(to + i), reinterpret_cast<const void*>(from + i));
    if (barrier) complete_transaction(lane, barrier, bytes);
}

} // namespace rt::backend::cpu
