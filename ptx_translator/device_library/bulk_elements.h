// Asynchronous operations on memory, element by element. All addresses are generic.
#pragma once

#include "atomic_bits.h"
#include "round_to_odd.h"

#include "ptx/host_abi.h"

#include <stdint.h>

namespace {

using ptx::host::BulkOperation;
using ptx::host::BulkType;

using Chunk = uint32_t __attribute__((ext_vector_type(4)));

/// `change` of what is at the address, atomically; the value before.
template <class T, class F> T replace(uint64_t address, F change) {
    auto* place = reinterpret_cast<T*>(address);
    T old = __scoped_atomic_load_n(place, __ATOMIC_RELAXED, __MEMORY_SCOPE_DEVICE);
    while (!__scoped_atomic_compare_exchange_n(place, &old, change(old), true, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE,
                                               __MEMORY_SCOPE_DEVICE)) {
    }
    return old;
}

template <class T> T of_bits(uint64_t bits) {
    if constexpr (sizeof(T) == 8)
        return __builtin_bit_cast(T, bits);
    else
        return __builtin_bit_cast(T, uint32_t(bits));
}
template <class T> uint64_t bits_of(T value) {
    if constexpr (sizeof(T) == 8)
        return __builtin_bit_cast(uint64_t, value);
    else
        return __builtin_bit_cast(uint32_t, value);
}

template <class T> T combined(BulkOperation operation, T a, T b) {
    if constexpr (__is_floating_point(T)) {
        return a + b;
    } else {
        switch (operation) {
        case BulkOperation::add:
            return T(uint64_t(a) + uint64_t(b));
        case BulkOperation::min:
            return b < a ? b : a;
        case BulkOperation::max:
            return a < b ? b : a;
        case BulkOperation::inc:
            return uint64_t(a) >= uint64_t(b) ? T(0) : T(a + 1);
        case BulkOperation::dec:
            return a == 0 || uint64_t(a) > uint64_t(b) ? b : T(a - 1);
        case BulkOperation::and_:
            return a & b;
        case BulkOperation::or_:
            return a | b;
        case BulkOperation::xor_:
            return a ^ b;
        }
        return a;
    }
}

double widen(uint32_t bits, bool is_half) {
    if (is_half) return double(__builtin_bit_cast(_Float16, uint16_t(bits)));
    return double(__builtin_bit_cast(float, bits << 16));
}

uint32_t combined_small(BulkOperation operation, uint32_t a, uint32_t b, bool is_half) {
    if (operation != BulkOperation::add)
        return cuttle::extreme(uint16_t(a), uint16_t(b), is_half ? 0x7c00 : 0x7f80, operation == BulkOperation::max);
    // One rounding: a double holds the sum of two halves, and of other numbers all that decides.
    const double sum = widen(a, is_half) + widen(b, is_half);
    return is_half ? __builtin_bit_cast(uint16_t, _Float16(sum)) : cuttle::bfloat_bits(sum);
}

/// The word or two at the address, as elements of the type.
uint64_t combined_words(BulkOperation operation, BulkType type, uint64_t a, uint64_t b) {
    switch (type) {
    case BulkType::u32:
        return combined(operation, uint32_t(a), uint32_t(b));
    case BulkType::s32:
        return uint32_t(combined(operation, int32_t(a), int32_t(b)));
    case BulkType::u64:
        return combined(operation, a, b);
    case BulkType::s64:
        return uint64_t(combined(operation, int64_t(a), int64_t(b)));
    case BulkType::f32:
        return bits_of(combined(operation, of_bits<float>(a), of_bits<float>(b)));
    case BulkType::f64:
        return bits_of(combined(operation, of_bits<double>(a), of_bits<double>(b)));
    case BulkType::f16:
    case BulkType::bf16: {
        const bool is_half = type == BulkType::f16;
        return combined_small(operation, a & 0xffff, b & 0xffff, is_half) |
               combined_small(operation, uint32_t(a) >> 16, uint32_t(b) >> 16, is_half) << 16;
    }
    }
    return a;
}

} // namespace
