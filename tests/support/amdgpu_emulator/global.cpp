// FLAT, GLOBAL and SCRATCH loads, stores and atomics: RDNA3 ISA 16.15.
#include "atomic_operations.h"
#include "lanes.h"
#include "memory.h"

#include <cstring>
#include <fmt/format.h>

namespace amdgpu {

namespace {

enum class Segment : uint8_t { flat, global, scratch };

uint8_t* in_scratch(Wave& wave, const Instruction& in, unsigned lane, uint64_t at, unsigned bytes) {
    if (at + bytes > wave.group.scratch_bytes)
        wave.stop(Stop::illegal_address, in,
                  fmt::format("{} bytes at {:#x} of {} bytes of scratch", bytes, at, wave.group.scratch_bytes));
    return wave.scratch.data() + size_t{lane} * wave.group.scratch_bytes + at;
}
uint8_t* in_lds(Wave& wave, const Instruction& in, uint64_t at, unsigned bytes) {
    if (at + bytes > wave.group.lds.size())
        wave.stop(Stop::illegal_address, in,
                  fmt::format("{} bytes at {:#x} of {} bytes of LDS", bytes, at, wave.group.lds.size()));
    return wave.group.lds.data() + at;
}

/// Where each active lane's access goes; nullptr for the others.
template <Segment segment>
void places(Wave& wave, const Instruction& in, unsigned bytes, std::array<uint8_t*, 64>& to) {
    const uint32_t* low = wave.row(in.source[0].code);
    if constexpr (segment == Segment::scratch) {
        const uint32_t base = wave.read(in.source[2]) + uint32_t(in.offset);
        for (unsigned i = 0; i < wave.lanes; i++)
            to[i] =
                wave.mask[i] ? in_scratch(wave, in, i, uint32_t(base + (in.has_address ? low[i] : 0)), bytes) : nullptr;
        return;
    }
    const bool scalar_base = in.source[2].code != code::null;
    const uint32_t* high = low + wave.lanes;
    const uint64_t base = (scalar_base ? wave.read64(in.source[2]) : 0) + uint64_t(int64_t{in.offset});
    for (unsigned i = 0; i < wave.lanes; i++) {
        to[i] = nullptr;
        if (!wave.mask[i]) continue;
        const uint64_t address = base + low[i] + (scalar_base ? 0 : uint64_t{high[i]} << 32);
        if constexpr (segment == Segment::flat) {
            const uint32_t top = uint32_t(address >> 32);
            if (top == shared_aperture) {
                to[i] = in_lds(wave, in, uint32_t(address), bytes);
                continue;
            }
            if (top == private_aperture) {
                to[i] = in_scratch(wave, in, i, uint32_t(address), bytes);
                continue;
            }
        }
        if (!reachable(wave, address, bytes)) check_access(wave, in, address, bytes);
        to[i] = reinterpret_cast<uint8_t*>(address);
    }
}

template <Segment segment, unsigned words> void load(Wave& wave, const Instruction& in) {
    std::array<uint8_t*, 64> from;
    places<segment>(wave, in, 4 * words, from);
    uint32_t* to = wave.row(in.destination.code);
    for (unsigned i = 0; i < wave.lanes; i++) {
        if (!from[i]) continue;
        uint32_t value[words];
        std::memcpy(value, from[i], sizeof value);
        for (unsigned word = 0; word < words; word++) to[word * wave.lanes + i] = value[word];
    }
}
template <Segment segment, unsigned words> void store(Wave& wave, const Instruction& in) {
    std::array<uint8_t*, 64> to;
    places<segment>(wave, in, 4 * words, to);
    const uint32_t* from = wave.row(in.source[1].code);
    for (unsigned i = 0; i < wave.lanes; i++) {
        if (!to[i]) continue;
        uint32_t value[words];
        for (unsigned word = 0; word < words; word++) value[word] = from[word * wave.lanes + i];
        std::memcpy(to[i], value, sizeof value);
    }
}

/// How a narrow value fills its register: extended, or as one half with the other kept.
enum class Fill : uint8_t { all, low, high };
template <Segment segment, class T, Fill fill> void load_narrow(Wave& wave, const Instruction& in) {
    std::array<uint8_t*, 64> from;
    places<segment>(wave, in, sizeof(T), from);
    uint32_t* to = wave.row(in.destination.code);
    for (unsigned i = 0; i < wave.lanes; i++) {
        if (!from[i]) continue;
        T value;
        std::memcpy(&value, from[i], sizeof value);
        const uint32_t wide = uint32_t(int32_t(value));
        if (fill == Fill::all) to[i] = wide;
        if (fill == Fill::low) to[i] = (to[i] & 0xffff0000) | (wide & 0xffff);
        if (fill == Fill::high) to[i] = (to[i] & 0xffff) | wide << 16;
    }
}
template <Segment segment, class T, bool high> void store_narrow(Wave& wave, const Instruction& in) {
    std::array<uint8_t*, 64> to;
    places<segment>(wave, in, sizeof(T), to);
    const uint32_t* from = wave.row(in.source[1].code);
    for (unsigned i = 0; i < wave.lanes; i++) {
        if (!to[i]) continue;
        const T value = T(high ? from[i] >> 16 : from[i]);
        std::memcpy(to[i], &value, sizeof value);
    }
}

template <Segment segment> void add_segment(Rows& rows, const std::string& prefix) {
    const auto both = [&](const char* name, const char* gcn, Execute execute) {
        rows[prefix + name] = rows[prefix + gcn] = {execute};
    };
    both("_load_b32", "_load_dword", load<segment, 1>);
    both("_load_b64", "_load_dwordx2", load<segment, 2>);
    both("_load_b96", "_load_dwordx3", load<segment, 3>);
    both("_load_b128", "_load_dwordx4", load<segment, 4>);
    both("_load_u8", "_load_ubyte", load_narrow<segment, uint8_t, Fill::all>);
    both("_load_i8", "_load_sbyte", load_narrow<segment, int8_t, Fill::all>);
    both("_load_u16", "_load_ushort", load_narrow<segment, uint16_t, Fill::all>);
    both("_load_i16", "_load_sshort", load_narrow<segment, int16_t, Fill::all>);
    both("_load_d16_b16", "_load_short_d16", load_narrow<segment, uint16_t, Fill::low>);
    both("_load_d16_hi_b16", "_load_short_d16_hi", load_narrow<segment, uint16_t, Fill::high>);
    both("_load_d16_u8", "_load_ubyte_d16", load_narrow<segment, uint8_t, Fill::low>);
    both("_load_d16_hi_u8", "_load_ubyte_d16_hi", load_narrow<segment, uint8_t, Fill::high>);
    both("_load_d16_i8", "_load_sbyte_d16", load_narrow<segment, int8_t, Fill::low>);
    both("_load_d16_hi_i8", "_load_sbyte_d16_hi", load_narrow<segment, int8_t, Fill::high>);
    both("_store_b32", "_store_dword", store<segment, 1>);
    both("_store_b64", "_store_dwordx2", store<segment, 2>);
    both("_store_b96", "_store_dwordx3", store<segment, 3>);
    both("_store_b128", "_store_dwordx4", store<segment, 4>);
    both("_store_b8", "_store_byte", store_narrow<segment, uint8_t, false>);
    both("_store_b16", "_store_short", store_narrow<segment, uint16_t, false>);
    both("_store_d16_hi_b8", "_store_byte_d16_hi", store_narrow<segment, uint8_t, true>);
    both("_store_d16_hi_b16", "_store_short_d16_hi", store_narrow<segment, uint16_t, true>);
}

template <class T> T value_of(const uint32_t* row, unsigned lanes, unsigned lane) {
    if constexpr (sizeof(T) == 8)
        return std::bit_cast<T>(row[lane] | uint64_t{row[lanes + lane]} << 32);
    else
        return std::bit_cast<T>(row[lane]);
}
template <class T> void set_value(uint32_t* row, unsigned lanes, unsigned lane, T value) {
    const auto bits = std::bit_cast<BitsOf<T>>(value);
    row[lane] = uint32_t(bits);
    if constexpr (sizeof(T) == 8) row[lanes + lane] = uint32_t(bits >> 32);
}

void check_aligned(const Wave& wave, const Instruction& in, const uint8_t* at, size_t bytes) {
    if (reinterpret_cast<uint64_t>(at) % bytes) wave.stop(Stop::illegal_address, in, "a misaligned atomic operation");
}

/// Other waves, and the host, may be at the same address.
template <Segment segment, class T, auto f> void atomic(Wave& wave, const Instruction& in) {
    std::array<uint8_t*, 64> at;
    places<segment>(wave, in, sizeof(T), at);
    const uint32_t* operands = wave.row(in.source[1].code);
    uint32_t* results = in.returns ? wave.row(in.destination.code) : nullptr;
    set_float_mode<T, T>(wave);
    using Bits = BitsOf<T>;
    for (unsigned i = 0; i < wave.lanes; i++) {
        if (!at[i]) continue;
        check_aligned(wave, in, at[i], sizeof(T));
        auto* where = reinterpret_cast<Bits*>(at[i]);
        const T operand = value_of<T>(operands, wave.lanes, i);
        Bits old = __atomic_load_n(where, __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(where, &old, std::bit_cast<Bits>(f(std::bit_cast<T>(old), operand)), false,
                                            __ATOMIC_SEQ_CST, __ATOMIC_RELAXED)) {
        }
        if (results) set_value<T>(results, wave.lanes, i, std::bit_cast<T>(old));
    }
}

/// The new value first, then the one that must be there.
template <Segment segment, class T> void compare_and_swap(Wave& wave, const Instruction& in) {
    std::array<uint8_t*, 64> at;
    places<segment>(wave, in, sizeof(T), at);
    const uint32_t* operands = wave.row(in.source[1].code);
    const uint32_t* expected = operands + wave.lanes * (sizeof(T) / 4);
    uint32_t* results = in.returns ? wave.row(in.destination.code) : nullptr;
    for (unsigned i = 0; i < wave.lanes; i++) {
        if (!at[i]) continue;
        check_aligned(wave, in, at[i], sizeof(T));
        T old = value_of<T>(expected, wave.lanes, i);
        const T value = value_of<T>(operands, wave.lanes, i);
        __atomic_compare_exchange_n(reinterpret_cast<T*>(at[i]), &old, value, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST);
        if (results) set_value<T>(results, wave.lanes, i, old);
    }
}

template <Segment segment> struct AddAtomic {
    Rows& rows;
    std::string prefix;
    template <class T, auto f> void operator()(const char* name, const char* gcn) const {
        rows[prefix + name] = rows[prefix + gcn] = {atomic<segment, T, f>};
    }
};

template <Segment segment> void add_segment_atomics(Rows& rows, const std::string& prefix) {
    for_each_atomic(AddAtomic<segment>{rows, prefix});
    rows[prefix + "cmpswap_b32"] = rows[prefix + "cmpswap"] = {compare_and_swap<segment, uint32_t>};
    rows[prefix + "cmpswap_b64"] = rows[prefix + "cmpswap_x2"] = {compare_and_swap<segment, uint64_t>};
}

} // namespace

void add_global(Rows& rows) {
    add_segment<Segment::flat>(rows, "flat");
    add_segment<Segment::global>(rows, "global");
    add_segment<Segment::scratch>(rows, "scratch");
}

void add_atomics(Rows& rows) {
    add_segment_atomics<Segment::flat>(rows, "flat_atomic_");
    add_segment_atomics<Segment::global>(rows, "global_atomic_");
}

} // namespace amdgpu
