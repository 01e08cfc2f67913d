// Memory: SPIR-V 1.4, 3.32.8.
#include "elementwise.h"

#include <cstring>

namespace spirv_machine {

namespace {

constexpr uint32_t memory_aligned = 2; // 3.26

/// What the instruction promises of the address; `words` are its memory operands.
uint64_t alignment_of(const Instruction& in) {
    const bool given = in.words.size() > 1 && in.words[0] & memory_aligned;
    return given ? in.words[1] : in.places.empty() ? 1 : in.places[0].bytes;
}

uint64_t bytes_of(const Instruction& in) {
    return in.places.empty() ? 0 : in.places.back().offset + in.places.back().bytes;
}

void load(Warp& warp, const Instruction& in) {
    const Lanes& address = warp.operand(in, 0);
    const uint64_t alignment = alignment_of(in), bytes = bytes_of(in);
    warp.each_lane([&](unsigned lane) {
        const uint64_t from = address[lane];
        warp.check(in, from, bytes, alignment);
        for (uint32_t i = 0; i < in.scalars; i++) {
            uint64_t value = 0;
            std::memcpy(&value, reinterpret_cast<const uint8_t*>(from) + in.places[i].offset, in.places[i].bytes);
            warp.to(in.result + Row(i))[lane] = value;
        }
    });
}

void store(Warp& warp, const Instruction& in) {
    const Lanes& address = warp.operand(in, 0);
    const uint64_t alignment = alignment_of(in), bytes = bytes_of(in);
    warp.each_lane([&](unsigned lane) {
        const uint64_t to = address[lane];
        warp.check(in, to, bytes, alignment);
        for (uint32_t i = 0; i < in.scalars; i++)
            std::memcpy(reinterpret_cast<uint8_t*>(to) + in.places[i].offset, &warp.operand(in, 1, i)[lane],
                        in.places[i].bytes);
    });
}

/// Operands: to, from, bytes.
void copy_sized(Warp& warp, const Instruction& in) {
    const Lanes &to = warp.operand(in, 0), &from = warp.operand(in, 1), &bytes = warp.operand(in, 2);
    warp.each_lane([&](unsigned lane) {
        warp.check(in, to[lane], bytes[lane], 1);
        warp.check(in, from[lane], bytes[lane], 1);
        std::memmove(reinterpret_cast<void*>(to[lane]), reinterpret_cast<const void*>(from[lane]), bytes[lane]);
    });
}

void access_chain(Warp& warp, const Instruction& in) {
    const Lanes& base = warp.operand(in, 0);
    Lanes& result = warp.to(in.result);
    warp.each_lane([&](unsigned lane) {
        uint64_t address = base[lane] + in.offset;
        for (const Instruction::Step& step : in.steps)
            address += uint64_t(extended(warp.at(step.index)[lane], step.bits)) * step.stride;
        result[lane] = address;
    });
}

} // namespace

void add_memory(Operations& rows) {
    rows.insert(rows.end(), {
                                {61, "RvL", load},
                                {62, "vsL", store},
                                {64, "vvvL", copy_sized},
                                {65, "Rva", access_chain},
                                {66, "Rva", access_chain},
                                {67, "RvA", access_chain},
                                {70, "RvA", access_chain},
                            });
}

} // namespace spirv_machine
