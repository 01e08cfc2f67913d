// PTX ISA 5.5 and 9.7.9.25.5: copies between a tensor in global memory and a tile in shared memory.
#include "backend/cpu/async_services.h"
#include "backend/cpu/bulk_elements.h"
#include "backend/cpu/cta.h"
#include "backend/cpu/tensor_tile.h"

#include <cstring>
#include <fmt/format.h>

namespace rt::backend::cpu {

namespace {

using ptx::TensorElement;
using ptx::TensorMap;
using ptx::host::Lane;

TensorMap read_map(Lane* lane, uint64_t address) {
    TensorMap map;
    std::memcpy(&map, reinterpret_cast<const void*>(address), sizeof map);
    if (!is_sound(map)) refuse(lane, fmt::format("there is no tensor map at {:#x}", address));
    return map;
}

/// What a row is filled with before the elements of the tensor are put in.
void fill(const TensorMap& map, uint8_t* row, uint32_t bytes) {
    const uint16_t pattern = ptx::fill_pattern(map);
    if (!pattern) return void(std::memset(row, 0, bytes));
    for (uint32_t i = 0; i < bytes; i += 2) std::memcpy(row + i, &pattern, 2);
}

void round_to_tf32(uint8_t* row, uint32_t bytes) {
    for (uint32_t i = 0; i < bytes; i += 4) {
        uint32_t bits;
        std::memcpy(&bits, row + i, 4);
        bits = ptx::rounded_to_tf32(bits);
        std::memcpy(row + i, &bits, 4);
    }
}

/// Shared memory of the tile, 16 bytes at a time.
struct Shared {
    uint8_t* base; ///< the address that counts for swizzling is base + offset - window
    uint64_t window;
    ptx::TensorSwizzle swizzle;

    uint8_t* chunk(uint64_t offset) const {
        const uint64_t address = reinterpret_cast<uint64_t>(base) - window + offset;
        return reinterpret_cast<uint8_t*>(swizzled(swizzle, address) + window);
    }
};

void load_row(const TensorMap& map, const TileRow& row, const Shared& shared) {
    alignas(16) uint8_t buffer[ptx::max_row_bytes];
    fill(map, buffer, row.bytes);
    if (row.end > row.begin)
        std::memcpy(buffer + row.begin, reinterpret_cast<const void*>(row.global + row.begin), row.end - row.begin);
    if (map.element == TensorElement::tf32 || map.element == TensorElement::tf32_ftz)
        round_to_tf32(buffer + row.begin, row.end - row.begin);
    for (uint32_t i = 0; i < row.bytes; i += 16) std::memcpy(shared.chunk(row.shared + i), buffer + i, 16);
}

void store_row(const TileRow& row, const Shared& shared, const Combine* combine) {
    alignas(16) uint8_t buffer[ptx::max_row_bytes];
    if (row.end <= row.begin) return;
    for (uint32_t i = 0; i < row.bytes; i += 16) std::memcpy(buffer + i, shared.chunk(row.shared + i), 16);
    if (!combine) {
        std::memcpy(reinterpret_cast<void*>(row.global + row.begin), buffer + row.begin, row.end - row.begin);
        return;
    }
    for (uint32_t i = row.begin; i < row.end; i += combine->bytes)
        combine->apply(reinterpret_cast<void*>(row.global + i), buffer + i);
}

Combine combination_of(Lane* lane, const TensorMap& map, uint32_t operation) {
    Combine combine;
    ptx::host::BulkType type;
    if (bulk_type_of(map.element, type)) combine = combination(ptx::host::BulkOperation(operation), type);
    if (!combine.apply) refuse(lane, "cp.reduce.async.bulk.tensor: no such operation on the tensor's elements");
    return combine;
}

} // namespace

void tensor_copy(Lane* lane, uint32_t kind, uint32_t mode, uint32_t operation, uint64_t address, uint64_t shared,
                 uint64_t barrier, uint32_t multicast, uint32_t dimensions, uint32_t c0, uint32_t c1, uint32_t c2,
                 uint32_t c3, uint32_t c4, uint32_t o0, uint32_t o1, uint32_t o2) {
    const TensorMap map = read_map(lane, address);
    if (map.rank != dimensions && ptx::host::TensorMode(mode) < ptx::host::TensorMode::gather4)
        refuse(lane, fmt::format("cp.async.bulk.tensor of {} dimensions on a map of {}", dimensions, map.rank));
    const TileRequest request{ptx::host::TensorMode(mode),
                              {int32_t(c0), int32_t(c1), int32_t(c2), int32_t(c3), int32_t(c4)},
                              {int32_t(o0), int32_t(o1), int32_t(o2)}};
    std::string error;
    const std::vector<TileRow> rows = rows_of(map, request, &error);
    if (!error.empty()) refuse(lane, "cp.async.bulk.tensor: " + error);
    if (shared % 128)
        refuse_address(lane, fmt::format("cp.async.bulk.tensor: a tile at {:#x}, no multiple of 128", shared));
    const bool stores = ptx::host::TensorCopy(kind) != ptx::host::TensorCopy::load;
    // As an H100, which loads what lies before a tensor, but calls it an illegal instruction to store there.
    if (stores)
        for (uint32_t d = 0; d < dimensions; d++)
            if (request.at[d] < 0)
                refuse(lane, fmt::format("cp.async.bulk.tensor: a store at coordinate {}", request.at[d]));
    const Cta& cta = Cta::of(lane);
    // Swizzling looks at the address inside the CTA's shared memory, which is aligned to more than the pattern.
    const Shared tile{reinterpret_cast<uint8_t*>(shared), reinterpret_cast<uint64_t>(lane->shared), map.swizzle};
    if (stores) {
        Combine combine;
        const bool reduces = ptx::host::TensorCopy(kind) == ptx::host::TensorCopy::reduce;
        if (reduces) combine = combination_of(lane, map, operation);
        for (const TileRow& row : rows) store_row(row, tile, reduces ? &combine : nullptr);
        return;
    }
    uint32_t bytes = 0;
    for (const TileRow& row : rows) bytes += row.bytes;
    if (!multicast) {
        for (const TileRow& row : rows) load_row(map, row, tile);
        if (barrier) complete_transaction(lane, barrier, bytes);
        return;
    }
    for (; multicast; multicast &= multicast - 1) {
        const uint32_t rank = uint32_t(__builtin_ctz(multicast));
        Shared there = tile;
        there.base = reinterpret_cast<uint8_t*>(cta.in_cluster(shared, rank));
        for (const TileRow& row : rows) load_row(map, row, there);
        complete_transaction(lane, cta.in_cluster(barrier, rank), bytes);
    }
}

} // namespace rt::backend::cpu
