// Instructions that move data between lanes without memory: RDNA3 ISA 16.10.
#include "lanes.h"

#include <bit>

namespace amdgpu {

namespace {

void read_lane(Wave& wave, const Instruction& in) {
    const unsigned lane = wave.read(in.source[1]) & (wave.lanes - 1);
    wave.write(in.scalar_destination.code, wave.row(in.source[0].code)[lane]);
}

void read_first_lane(Wave& wave, const Instruction& in) {
    const uint64_t active = wave.exec();
    const unsigned lane = active ? unsigned(std::countr_zero(active)) : 0;
    const uint32_t value = in.source[0].is_vector() ? wave.row(in.source[0].code)[lane] : wave.read(in.source[0]);
    wave.write(in.scalar_destination.code, value);
}

/// EXEC does not matter.
void write_lane(Wave& wave, const Instruction& in) {
    const unsigned lane = wave.read(in.source[1]) & (wave.lanes - 1);
    wave.row(in.destination.code)[lane] = wave.read(in.source[0]);
}

/// How many bits of the mask belong to lower lanes, plus an operand.
template <unsigned from> void count_below(Wave& wave, const Instruction& in) {
    Room<uint32_t> masks, rooms;
    const uint32_t* mask = fetch<uint32_t>(wave, in.source[0], masks);
    const uint32_t* add = fetch<uint32_t>(wave, in.source[1], rooms);
    Room<uint32_t> out;
    each_lane(wave, [&](unsigned i) {
        const unsigned below = i < from ? 0 : i - from;
        const uint32_t lower = below >= 32 ? ~0u : (1u << below) - 1;
        out.lane[i] = uint32_t(std::popcount(mask[i] & lower)) + add[i];
    });
    put_bits(wave, in.destination.code, out.lane);
}

/// v_permlane: 16 selectors of four bits; `other`: from the other row of a pair.
template <unsigned other> void permute_rows(Wave& wave, const Instruction& in) {
    const uint64_t selectors = wave.read(in.source[1]) | uint64_t{wave.read(in.source[2])} << 32;
    const bool fetch_inactive = in.select & 1, bound_control = in.select >> 1 & 1;
    const uint32_t* from = wave.row(in.source[0].code);
    const uint64_t exec = wave.exec();
    Room<uint32_t> out;
    const uint32_t* old = wave.row(in.destination.code);
    each_lane(wave, [&](unsigned i) {
        const unsigned source = ((i & ~15u) ^ other) | (selectors >> 4 * (i & 15) & 15);
        const bool active = exec >> source & 1 || fetch_inactive;
        out.lane[i] = active ? from[source] : bound_control ? 0 : old[i];
    });
    put_bits(wave, in.destination.code, out.lane);
}

} // namespace

void add_vector_lanes(Rows& rows) {
    rows["v_readlane_b32"] = {read_lane, nullptr, scalar_result, 0};
    rows["v_readfirstlane_b32"] = {read_first_lane, nullptr, scalar_result, 0};
    rows["v_writelane_b32"] = {write_lane};
    rows["v_mbcnt_lo_u32_b32"] = {count_below<0>};
    rows["v_mbcnt_hi_u32_b32"] = {count_below<32>};
    rows["v_permlane16_b32"] = {permute_rows<0>};
    rows["v_permlanex16_b32"] = {permute_rows<16>};
}

} // namespace amdgpu
