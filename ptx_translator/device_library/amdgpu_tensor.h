// Copies between a tensor in global memory and a tile in shared memory, done by the lane that asks for them: the
// device's side of ptx/tensor_tile.h. PTX ISA 9.7.9.25.5, 9.7.9.26.
#pragma once

#include "bulk_elements.h"

#include "ptx/tensor_replace.h"
#include "ptx/tensor_tile.h"

extern "C" void cuttle_gpu_trap(uint64_t services, uint32_t kind);

namespace {

using ptx::TensorMap;
using ptx::TileRow;
using ptx::host::TensorCopy;
using ptx::host::TensorMode;

/// What becomes of the tile's elements.
struct TileWork {
    TensorCopy kind;
    BulkOperation operation; ///< of a reduction
    BulkType type;
    uint32_t element_bytes;
    bool rounds; ///< elements are .tf32
    uint32_t fill;
    ptx::TensorSwizzle swizzle;
};

bool is_tf32(ptx::TensorElement element) {
    return element == ptx::TensorElement::tf32 || element == ptx::TensorElement::tf32_ftz;
}

/// PTX ISA 9.7.9.25.4.2: which operations there are on which elements.
bool takes(BulkType type, BulkOperation operation) {
    switch (type) {
    case BulkType::f32:
    case BulkType::f64:
        return operation == BulkOperation::add;
    case BulkType::f16:
    case BulkType::bf16:
        return operation == BulkOperation::add || operation == BulkOperation::min || operation == BulkOperation::max;
    default:
        return true;
    }
}

template <class T> T* place(uint64_t address) { return reinterpret_cast<T*>(address); }

/// Bytes [begin, end) of 16 that lie at `global` in the tensor and at `tile` in the tile.
void load_chunk(const TileWork& work, uint64_t global, uint64_t tile, uint32_t begin, uint32_t end) {
    if (begin == 0 && end == 16) {
        *place<Chunk>(tile) = *place<const Chunk>(global);
    } else {
        *place<Chunk>(tile) = Chunk(work.fill);
#pragma clang loop unroll(disable)
        for (uint32_t i = begin; i < end; i++) *place<uint8_t>(tile + i) = *place<const uint8_t>(global + i);
    }
    if (!work.rounds) return;
#pragma clang loop unroll(disable)
    for (uint32_t i = begin; i < end; i += 4)
        *place<uint32_t>(tile + i) = ptx::rounded_to_tf32(*place<const uint32_t>(tile + i));
}

void store_chunk(uint64_t global, uint64_t tile, uint32_t begin, uint32_t end) {
    if (begin == 0 && end == 16) {
        *place<Chunk>(global) = *place<const Chunk>(tile);
        return;
    }
#pragma clang loop unroll(disable)
    for (uint32_t i = begin; i < end; i++) *place<uint8_t>(global + i) = *place<const uint8_t>(tile + i);
}

void reduce_chunk(const TileWork& work, uint64_t global, uint64_t tile, uint32_t begin, uint32_t end) {
    if (work.element_bytes == 8) {
#pragma clang loop unroll(disable)
        for (uint32_t i = begin; i < end; i += 8) {
            const uint64_t value = *place<const uint64_t>(tile + i);
            replace<uint64_t>(global + i,
                              [&](uint64_t old) { return combined_words(work.operation, work.type, old, value); });
        }
        return;
    }
    // Elements of 16 bits come in pairs, of which one may lie outside of the tensor.
#pragma clang loop unroll(disable)
    for (uint32_t i = begin & ~3u; i < end; i += 4) {
        const uint32_t value = *place<const uint32_t>(tile + i);
        const uint32_t mask = (i < begin ? 0xffff0000 : ~0u) & (end - i < 4 ? 0xffff : ~0u);
        replace<uint32_t>(global + i, [&](uint32_t old) {
            return (uint32_t(combined_words(work.operation, work.type, old, value)) & mask) | (old & ~mask);
        });
    }
}

/// One row, of a tile at `tile`. Called, that the walk need not have it several times.
__attribute__((noinline)) void copy_row(TileWork work, uint64_t tile, uint64_t global, uint32_t bytes, uint32_t begin,
                                        uint32_t end) {
    const bool loads = work.kind == TensorCopy::load;
#pragma clang loop unroll(disable)
    for (uint32_t i = 0; i < bytes; i += 16) {
        const uint32_t from = begin < i ? 0 : begin - i < 16 ? begin - i : 16;
        const uint32_t to = end < i + from ? from : end - i < 16 ? end - i : 16;
        const uint64_t chunk = ptx::swizzled(work.swizzle, tile + i);
        if (loads)
            load_chunk(work, global + i, chunk, from, to);
        else if (from < to && work.kind == TensorCopy::store)
            store_chunk(global + i, chunk, from, to);
        else if (from < to)
            reduce_chunk(work, global + i, chunk, from, to);
    }
}

/// Whether the hardware would make the copy; `trap` is what it does instead.
bool can_copy(const TensorMap& map, const ptx::TileRequest& request, TileWork& work, uint64_t shared,
              uint32_t dimensions, ptx::host::Trap& trap) {
    trap = ptx::host::Trap::illegal_instruction;
    if (!is_sound(map)) return false;
    if (map.rank != dimensions && request.mode < TensorMode::gather4) return false;
    if (problem_of(map, request).kind != ptx::TileProblem::none) return false;
    if (shared % 128) {
        trap = ptx::host::Trap::misaligned_address;
        return false;
    }
    if (work.kind == TensorCopy::load) return true;
    // As an H100, which loads what lies before a tensor, but calls it an illegal instruction to store there.
    for (uint32_t d = 0; d < dimensions; d++)
        if (request.at[d] < 0) return false;
    if (work.kind == TensorCopy::store) return true;
    return bulk_type_of(map.element, work.type) && takes(work.type, work.operation);
}

} // namespace

#define FUNCTION extern "C" __attribute__((noinline, convergent))

/// `multicast`: blocks of the cluster that get the tile at the same place as this one, which is number `rank`, their
/// shared memories being `stride` bytes apart; 0: this one alone.
FUNCTION void cuttle_gpu_tensor_multicast(uint64_t services, uint32_t kind, uint32_t mode, uint32_t operation,
                                             uint64_t address, uint64_t shared, uint64_t barrier, uint32_t multicast,
                                             uint32_t dimensions, uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3,
                                             uint32_t c4, uint32_t o0, uint32_t o1, uint32_t o2, uint32_t rank,
                                             uint32_t stride) {
    const TensorMap& map = *place<const TensorMap>(address);
    const ptx::TileRequest request{TensorMode(mode),
                                   {int32_t(c0), int32_t(c1), int32_t(c2), int32_t(c3), int32_t(c4)},
                                   {int32_t(o0), int32_t(o1), int32_t(o2)}};
    TileWork work{TensorCopy(kind),     BulkOperation(operation),     BulkType::u32, size_of(map.element),
                  is_tf32(map.element), fill_pattern(map) * 0x10001u, map.swizzle};
    if (ptx::host::Trap trap; !can_copy(map, request, work, shared, dimensions, trap))
        return cuttle_gpu_trap(services, uint32_t(trap));
    uint32_t targets = multicast ? multicast : 1u << rank;
#pragma clang loop unroll(disable)
    for (; targets; targets &= targets - 1) {
        const int64_t distance = int64_t(int32_t(__builtin_ctz(targets)) - int32_t(rank)) * stride;
        uint32_t bytes = 0;
        for_each_row(map, request, [&](const TileRow& row) {
            copy_row(work, shared + distance + row.shared, row.global, row.bytes, row.begin, row.end);
            bytes += row.bytes;
        });
        if (barrier) complete(barrier + distance, bytes);
    }
}

/// PTX ISA 9.7.9.25.5. No clusters: `multicast` is 0, which the translator has seen to.
LIBRARY void cuttle_gpu_tensor_copy(uint64_t services, uint32_t kind, uint32_t mode, uint32_t operation,
                                       uint64_t map, uint64_t shared, uint64_t barrier, uint32_t, uint32_t dimensions,
                                       uint32_t c0, uint32_t c1, uint32_t c2, uint32_t c3, uint32_t c4, uint32_t o0,
                                       uint32_t o1, uint32_t o2) {
    cuttle_gpu_tensor_multicast(services, kind, mode, operation, map, shared, barrier, 0, dimensions, c0, c1, c2, c3,
                                   c4, o0, o1, o2, 0, 0);
}

FUNCTION void cuttle_gpu_tensor_replace(uint64_t services, uint64_t map, uint32_t field, uint32_t index,
                                           uint64_t value) {
    if (!ptx::replace(*place<TensorMap>(map), ptx::host::TensorField(field), index, value))
        cuttle_gpu_trap(services, uint32_t(ptx::host::Trap::illegal_instruction));
}
#undef FUNCTION
