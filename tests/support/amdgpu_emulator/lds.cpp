// DS: a group's memory, and permutations of lanes through it. RDNA3 ISA 16.13.
#include "atomic_operations.h"
#include "lanes.h"

#include <algorithm>
#include <cstring>

namespace amdgpu {

namespace {

/// The hardware reads zeros beyond the group's memory and drops what is written there.
struct Access {
    Access(Wave& wave, const Instruction& in) : memory(wave.group.lds), address(wave.row(in.source[0].code)) {}
    std::vector<uint8_t>& memory;
    const uint32_t* address;

    template <class T> T read(uint64_t at) const {
        T value{};
        if (at + sizeof value <= memory.size()) std::memcpy(&value, memory.data() + at, sizeof value);
        return value;
    }
    template <class T> void write(uint64_t at, const T& value) const {
        if (at + sizeof value <= memory.size()) std::memcpy(memory.data() + at, &value, sizeof value);
    }
};

template <unsigned words>
void copy_in(Wave& wave, unsigned lane, uint32_t* to, const std::array<uint32_t, words>& value) {
    for (unsigned word = 0; word < words; word++) to[word * wave.lanes + lane] = value[word];
}
template <unsigned words> std::array<uint32_t, words> copy_out(Wave& wave, unsigned lane, const uint32_t* from) {
    std::array<uint32_t, words> value;
    for (unsigned word = 0; word < words; word++) value[word] = from[word * wave.lanes + lane];
    return value;
}

template <unsigned words> void load(Wave& wave, const Instruction& in) {
    const Access lds(wave, in);
    uint32_t* to = wave.row(in.destination.code);
    for (unsigned i = 0; i < wave.lanes; i++)
        if (wave.mask[i])
            copy_in<words>(wave, i, to, lds.read<std::array<uint32_t, words>>(uint64_t{lds.address[i]} + in.offset));
}
template <unsigned words> void store(Wave& wave, const Instruction& in) {
    const Access lds(wave, in);
    const uint32_t* from = wave.row(in.source[1].code);
    for (unsigned i = 0; i < wave.lanes; i++)
        if (wave.mask[i]) lds.write(uint64_t{lds.address[i]} + in.offset, copy_out<words>(wave, i, from));
}

/// Two accesses, each offset counting elements or groups of 64 elements.
template <unsigned words, unsigned stride> void load_two(Wave& wave, const Instruction& in) {
    const Access lds(wave, in);
    uint32_t* to = wave.row(in.destination.code);
    const uint32_t offsets[] = {uint32_t(in.offset & 0xff), in.second_offset};
    for (unsigned i = 0; i < wave.lanes; i++) {
        if (!wave.mask[i]) continue;
        const uint64_t base = lds.address[i];
        for (unsigned half = 0; half < 2; half++)
            copy_in<words>(wave, i, to + size_t{half} * words * wave.lanes,
                           lds.read<std::array<uint32_t, words>>(base + offsets[half] * 4 * words * stride));
    }
}
template <unsigned words, unsigned stride> void store_two(Wave& wave, const Instruction& in) {
    const Access lds(wave, in);
    const uint32_t offsets[] = {uint32_t(in.offset & 0xff), in.second_offset};
    for (unsigned i = 0; i < wave.lanes; i++) {
        if (!wave.mask[i]) continue;
        const uint64_t base = lds.address[i];
        for (unsigned half = 0; half < 2; half++)
            lds.write(base + offsets[half] * 4 * words * stride,
                      copy_out<words>(wave, i, wave.row(in.source[1 + half].code)));
    }
}

enum class Fill : uint8_t { all, low, high };
template <class T, Fill fill> void load_narrow(Wave& wave, const Instruction& in) {
    const Access lds(wave, in);
    uint32_t* to = wave.row(in.destination.code);
    for (unsigned i = 0; i < wave.lanes; i++) {
        if (!wave.mask[i]) continue;
        const uint32_t wide = uint32_t(int32_t(lds.read<T>(uint64_t{lds.address[i]} + in.offset)));
        if (fill == Fill::all) to[i] = wide;
        if (fill == Fill::low) to[i] = (to[i] & 0xffff0000) | (wide & 0xffff);
        if (fill == Fill::high) to[i] = (to[i] & 0xffff) | wide << 16;
    }
}
template <class T, bool high> void store_narrow(Wave& wave, const Instruction& in) {
    const Access lds(wave, in);
    const uint32_t* from = wave.row(in.source[1].code);
    for (unsigned i = 0; i < wave.lanes; i++)
        if (wave.mask[i]) lds.write(uint64_t{lds.address[i]} + in.offset, T(high ? from[i] >> 16 : from[i]));
}

template <class T> T value_of(Wave& wave, const uint32_t* row, unsigned lane) {
    if constexpr (sizeof(T) == 8)
        return std::bit_cast<T>(row[lane] | uint64_t{row[wave.lanes + lane]} << 32);
    else
        return std::bit_cast<T>(row[lane]);
}

/// The waves of a group run on one thread, so nothing comes between.
template <class T, auto f, bool returns> void atomic(Wave& wave, const Instruction& in) {
    const Access lds(wave, in);
    const uint32_t* operands = wave.row(in.source[1].code);
    uint32_t* results = wave.row(in.destination.code);
    set_float_mode<T, T>(wave);
    for (unsigned i = 0; i < wave.lanes; i++) {
        if (!wave.mask[i]) continue;
        const uint64_t at = uint64_t{lds.address[i]} + in.offset;
        const T old = lds.read<T>(at);
        lds.write(at, f(old, value_of<T>(wave, operands, i)));
        if (returns) copy_in<sizeof(T) / 4>(wave, i, results, std::bit_cast<std::array<uint32_t, sizeof(T) / 4>>(old));
    }
}

/// RDNA3 (cmpstore) gives the new value first, GCN (cmpst) the one that must be there.
template <class T, bool returns, bool new_first> void compare_and_swap(Wave& wave, const Instruction& in) {
    const Access lds(wave, in);
    const uint32_t* first = wave.row(in.source[1].code);
    const uint32_t* second = wave.row(in.source[2].code);
    uint32_t* results = wave.row(in.destination.code);
    for (unsigned i = 0; i < wave.lanes; i++) {
        if (!wave.mask[i]) continue;
        const uint64_t at = uint64_t{lds.address[i]} + in.offset;
        const T old = lds.read<T>(at);
        if (old == value_of<T>(wave, new_first ? second : first, i))
            lds.write(at, value_of<T>(wave, new_first ? first : second, i));
        if (returns) copy_in<sizeof(T) / 4>(wave, i, results, std::bit_cast<std::array<uint32_t, sizeof(T) / 4>>(old));
    }
}

struct AddAtomic {
    Rows& rows;
    template <class T, auto f> void operator()(const std::string& name, const char*) const {
        const bool swap = name.starts_with("swap");
        const size_t at = name.rfind('_');
        const std::string stem = name.substr(0, at), type = name.substr(at);
        if (swap) {
            rows["ds_storexchg_rtn" + type] = rows["ds_wrxchg_rtn" + type] = {atomic<T, f, true>};
            return;
        }
        rows["ds_" + name] = {atomic<T, f, false>};
        rows["ds_" + stem + "_rtn" + type] = {atomic<T, f, true>};
    }
};

/// Each lane reads the lane that it names; from an inactive one comes 0.
void permute_backward(Wave& wave, const Instruction& in) {
    const uint32_t* address = wave.row(in.source[0].code);
    const uint32_t* from = wave.row(in.source[1].code);
    const uint64_t exec = wave.exec();
    Room<uint32_t> out;
    each_lane(wave, [&](unsigned i) {
        const unsigned source = (address[i] + uint32_t(in.offset)) / 4 % wave.lanes;
        out.lane[i] = exec >> source & 1 ? from[source] : 0;
    });
    put_bits(wave, in.destination.code, out.lane);
}
/// Each active lane sends to the lane that it names; the highest one wins.
void permute_forward(Wave& wave, const Instruction& in) {
    const uint32_t* address = wave.row(in.source[0].code);
    const uint32_t* from = wave.row(in.source[1].code);
    Room<uint32_t> out;
    std::fill(std::begin(out.lane), std::end(out.lane), 0);
    for (unsigned i = 0; i < wave.lanes; i++)
        if (wave.mask[i]) out.lane[(address[i] + uint32_t(in.offset)) / 4 % wave.lanes] = from[i];
    put_bits(wave, in.destination.code, out.lane);
}
void swizzle(Wave& wave, const Instruction& in) {
    const uint32_t* from = wave.row(in.source[0].code);
    const uint64_t exec = wave.exec();
    const unsigned pattern = unsigned(in.offset);
    Room<uint32_t> out;
    each_lane(wave, [&](unsigned i) {
        const unsigned source =
            pattern & 0x8000
                ? (i & ~3u) | (pattern >> 2 * (i & 3) & 3)
                : (i & ~31u) | ((((i & 31) & (pattern & 31)) | (pattern >> 5 & 31)) ^ (pattern >> 10 & 31));
        out.lane[i] = exec >> source & 1 ? from[source] : 0;
    });
    put_bits(wave, in.destination.code, out.lane);
}

} // namespace

void add_lds(Rows& rows) {
    const auto both = [&](const char* name, const char* gcn, Execute execute) { rows[name] = rows[gcn] = {execute}; };
    both("ds_load_b32", "ds_read_b32", load<1>);
    both("ds_load_b64", "ds_read_b64", load<2>);
    both("ds_load_b96", "ds_read_b96", load<3>);
    both("ds_load_b128", "ds_read_b128", load<4>);
    both("ds_store_b32", "ds_write_b32", store<1>);
    both("ds_store_b64", "ds_write_b64", store<2>);
    both("ds_store_b96", "ds_write_b96", store<3>);
    both("ds_store_b128", "ds_write_b128", store<4>);
    both("ds_load_2addr_b32", "ds_read2_b32", load_two<1, 1>);
    both("ds_load_2addr_b64", "ds_read2_b64", load_two<2, 1>);
    both("ds_load_2addr_stride64_b32", "ds_read2st64_b32", load_two<1, 64>);
    both("ds_load_2addr_stride64_b64", "ds_read2st64_b64", load_two<2, 64>);
    both("ds_store_2addr_b32", "ds_write2_b32", store_two<1, 1>);
    both("ds_store_2addr_b64", "ds_write2_b64", store_two<2, 1>);
    both("ds_store_2addr_stride64_b32", "ds_write2st64_b32", store_two<1, 64>);
    both("ds_store_2addr_stride64_b64", "ds_write2st64_b64", store_two<2, 64>);
    both("ds_load_u8", "ds_read_u8", load_narrow<uint8_t, Fill::all>);
    both("ds_load_i8", "ds_read_i8", load_narrow<int8_t, Fill::all>);
    both("ds_load_u16", "ds_read_u16", load_narrow<uint16_t, Fill::all>);
    both("ds_load_i16", "ds_read_i16", load_narrow<int16_t, Fill::all>);
    both("ds_load_u16_d16", "ds_read_u16_d16", load_narrow<uint16_t, Fill::low>);
    both("ds_load_u16_d16_hi", "ds_read_u16_d16_hi", load_narrow<uint16_t, Fill::high>);
    both("ds_load_u8_d16", "ds_read_u8_d16", load_narrow<uint8_t, Fill::low>);
    both("ds_load_u8_d16_hi", "ds_read_u8_d16_hi", load_narrow<uint8_t, Fill::high>);
    both("ds_load_i8_d16", "ds_read_i8_d16", load_narrow<int8_t, Fill::low>);
    both("ds_load_i8_d16_hi", "ds_read_i8_d16_hi", load_narrow<int8_t, Fill::high>);
    both("ds_store_b8", "ds_write_b8", store_narrow<uint8_t, false>);
    both("ds_store_b16", "ds_write_b16", store_narrow<uint16_t, false>);
    both("ds_store_b8_d16_hi", "ds_write_b8_d16_hi", store_narrow<uint8_t, true>);
    both("ds_store_b16_d16_hi", "ds_write_b16_d16_hi", store_narrow<uint16_t, true>);
    for_each_atomic(AddAtomic{rows});
    rows["ds_cmpstore_b32"] = {compare_and_swap<uint32_t, false, true>};
    rows["ds_cmpstore_rtn_b32"] = {compare_and_swap<uint32_t, true, true>};
    rows["ds_cmpstore_b64"] = {compare_and_swap<uint64_t, false, true>};
    rows["ds_cmpstore_rtn_b64"] = {compare_and_swap<uint64_t, true, true>};
    rows["ds_cmpst_b32"] = {compare_and_swap<uint32_t, false, false>};
    rows["ds_cmpst_rtn_b32"] = {compare_and_swap<uint32_t, true, false>};
    rows["ds_cmpst_b64"] = {compare_and_swap<uint64_t, false, false>};
    rows["ds_cmpst_rtn_b64"] = {compare_and_swap<uint64_t, true, false>};
    rows["ds_bpermute_b32"] = {permute_backward};
    rows["ds_permute_b32"] = {permute_forward};
    rows["ds_swizzle_b32"] = {swizzle};
    rows["ds_nop"] = {[](Wave&, const Instruction&) {}};
}

} // namespace amdgpu
