// Registers by number: v_movrel of RDNA3 (ISA 16.8), and what s_set_gpr_idx_on makes of v_mov_b32 on GCN (MI300
// ISA 3.10).
#include "lanes.h"
#include "program.h"

#include <string_view>

namespace amdgpu {

namespace {

constexpr uint32_t indexing = 1u << 27;                        ///< of MODE
enum Indexed : uint32_t { first_source = 1, destination = 8 }; ///< of M0, from bit 12 on

constexpr auto copy = [](uint32_t a) { return a; };

/// The operand `by` registers further on.
void shift(Wave& wave, const Instruction& in, Operand& operand, uint32_t by) {
    if (!operand.is_vector()) return;
    const uint32_t code = operand.code + by;
    if (code < code::vector || code - code::vector >= wave.vector_registers)
        wave.stop(Stop::trap, in, "the number of a register is too large");
    operand.code = uint16_t(code);
}

template <bool source, bool result> void move_indexed(Wave& wave, const Instruction& in) {
    Instruction moved = in;
    const uint32_t by = wave.scalars[code::m0];
    if (source) shift(wave, in, moved.source[0], by);
    if (result) shift(wave, in, moved.destination, by);
    vector<+copy>(wave, moved);
}

void move(Wave& wave, const Instruction& in) {
    if (!(wave.mode & indexing)) return vector<+copy>(wave, in);
    Instruction moved = in;
    const uint32_t m0 = wave.scalars[code::m0], by = m0 & 0xff, which = m0 >> 12;
    if (which & first_source) shift(wave, in, moved.source[0], by);
    if (which & destination) shift(wave, in, moved.destination, by);
    vector<+copy>(wave, moved);
}

/// LLVM puts one v_mov_b32 between the two; other instructions would have to look at MODE, too.
void index_on(Wave& wave, const Instruction& in) {
    if (!std::string_view(wave.program[wave.pc].name).starts_with("v_mov_b32"))
        wave.stop(Stop::unknown_instruction, in, "the emulator knows it before v_mov_b32 only");
    wave.scalars[code::m0] = (wave.read(in.source[0]) & 0xff) | uint32_t{in.source[1].code} << 12;
    wave.mode |= indexing;
}

void index_off(Wave& wave, const Instruction&) { wave.mode &= ~indexing; }

} // namespace

void add_vector_indexed(Rows& rows) {
    rows["v_mov_b32"] = {move};
    rows["v_movrels_b32"] = {move_indexed<true, false>};
    rows["v_movreld_b32"] = {move_indexed<false, true>};
    rows["v_movrelsd_b32"] = {move_indexed<true, true>};
    rows["s_set_gpr_idx_on"] = {index_on};
    rows["s_set_gpr_idx_off"] = {index_off};
}

} // namespace amdgpu
