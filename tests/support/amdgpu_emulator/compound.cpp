// Instructions that are made of others: dual ones, and those that take data from other lanes or parts of registers.
#include "decoder.h"
#include "wave.h"

namespace amdgpu {

namespace {

/// The halves of dual instructions, by their 5-bit number.
constexpr std::string_view dual_names[] = {
    "v_fmac_f32", "v_fmaak_f32",  "v_fmamk_f32",        "v_mul_f32",          "v_add_f32",
    "v_sub_f32",  "v_subrev_f32", "v_mul_dx9_zero_f32", "v_mov_b32",          "v_cndmask_b32",
    "v_max_f32",  "v_min_f32",    "v_dot2acc_f32_f16",  "v_dot2acc_f32_bf16", "",
    "",           "v_add_nc_u32", "v_lshlrev_b32",      "v_and_b32"};

/// Both read before either writes: the first writes to a row of its own.
void run_dual(Wave& wave, const Instruction& in) {
    const Instruction& first = wave.program.extra(in, 0);
    const Instruction& second = wave.program.extra(in, 1);
    first.execute(wave, first);
    second.execute(wave, second);
    const uint32_t* from = wave.row(code::scratch);
    uint32_t* to = wave.row(in.destination.code);
    for (unsigned i = 0; i < wave.lanes; i++) to[i] = (to[i] & ~wave.mask[i]) | (from[i] & wave.mask[i]);
}

/// The lane that DPP16 takes a lane's data from; -1 where there is none. RDNA3 ISA 7.5, "Data parallel processing".
int dpp_source(unsigned lane, unsigned control) {
    const unsigned row = lane & ~15u, in_row = lane & 15;
    if (control < 0x100) return int((lane & ~3u) | (control >> 2 * (lane & 3) & 3));
    const unsigned amount = control & 15;
    switch (control & 0x1f0) {
    case 0x100: // row_shl
        return in_row + amount < 16 ? int(lane + amount) : -1;
    case 0x110: // row_shr
        return in_row >= amount ? int(lane - amount) : -1;
    case 0x120: // row_ror
        return int(row | ((in_row - amount) & 15));
    case 0x150: // row_share; GCN: row_newbcast
        return int(row | amount);
    case 0x160: // row_xmask
        return int(row | (in_row ^ amount));
    default:
        break;
    }
    switch (control) {
    case 0x140: // row_mirror
        return int(row | (15 - in_row));
    case 0x141: // row_half_mirror
        return int((lane & ~7u) | (7 - (lane & 7)));
    case 0x142: // row_bcast:15, GCN: the last lane of the row before
        return row ? int(row - 1) : -1;
    case 0x143: // row_bcast:31
        return lane >= 32 ? 31 : -1;
    case 0x130: // wave_shl
        return int(lane) + 1;
    case 0x138: // wave_shr
        return int(lane) - 1;
    default:
        return -2;
    }
}

void run_dpp(Wave& wave, const Instruction& in) {
    Instruction moved = wave.program.extra(in, 0);
    const Dpp& dpp = in.dpp;
    const uint32_t* from = wave.row(in.source[0].code);
    uint32_t* to = wave.row(moved.source[0].code);
    const uint64_t exec = wave.exec();
    uint64_t writing = exec;
    for (unsigned lane = 0; lane < wave.lanes; lane++) {
        int source = dpp.eight ? int((lane & ~7u) | dpp.select[lane & 7]) : dpp_source(lane, dpp.control);
        if (source == -2) wave.stop(Stop::unknown_instruction, in, "an unknown dpp_ctrl");
        if (source >= int(wave.lanes)) source = -1;
        if (source >= 0 && !(exec >> source & 1) && !dpp.fetch_inactive) source = -1;
        to[lane] = source >= 0 ? from[source] : 0;
        // Without data a lane is not written, unless bound_ctrl makes it zero.
        if (source < 0 && !dpp.bound_control && !dpp.eight) writing &= ~(uint64_t{1} << lane);
        if (!(dpp.row_mask >> (lane / 16 & 3) & 1) || !(dpp.bank_mask >> (lane / 4 & 3) & 1))
            writing &= ~(uint64_t{1} << lane);
    }
    const uint32_t low = wave.scalars[code::exec], high = wave.scalars[code::exec + 1];
    wave.write_mask(code::exec, writing);
    moved.execute(wave, moved);
    wave.scalars[code::exec] = low;
    wave.scalars[code::exec + 1] = high;
    wave.refresh_mask();
}

unsigned part_bits(unsigned part) { return part < 4 ? 8 : part < 6 ? 16 : 32; }
unsigned part_shift(unsigned part) { return part < 4 ? 8 * part : part < 6 ? 16 * (part - 4) : 0; }

/// Works on the parts of its operands in rows of its own, then puts the result into its part of the register.
void run_parts(Wave& wave, const Instruction& in) {
    const Instruction& whole = wave.program.extra(in, 0);
    for (unsigned i = 0; i < 2; i++) {
        if (whole.source[i].code < code::scratch) continue;
        const unsigned width = part_bits(in.parts.source[i]), shift = part_shift(in.parts.source[i]);
        const uint32_t* from = in.source[i].is_vector() ? wave.row(in.source[i].code) : nullptr;
        const uint32_t scalar = from ? 0 : wave.read(in.source[i]);
        uint32_t* to = wave.row(whole.source[i].code);
        for (unsigned lane = 0; lane < wave.lanes; lane++) {
            const uint32_t value = (from ? from[lane] : scalar) >> shift << (32 - width);
            to[lane] = in.parts.sign_extend[i] ? uint32_t(int32_t(value) >> (32 - width)) : value >> (32 - width);
        }
    }
    whole.execute(wave, whole);
    if (whole.destination.code < code::scratch) return; // a comparison
    const unsigned width = part_bits(in.parts.destination), shift = part_shift(in.parts.destination);
    const uint32_t part = (width == 32 ? ~0u : (1u << width) - 1) << shift;
    const uint32_t* from = wave.row(whole.destination.code);
    uint32_t* to = wave.row(in.destination.code);
    for (unsigned lane = 0; lane < wave.lanes; lane++) {
        if (!wave.mask[lane]) continue;
        const uint32_t value = from[lane] << shift & part;
        const uint32_t above = shift + width < 32 ? ~0u << (shift + width) : 0;
        const bool negative = value >> (shift + width - 1) & 1;
        const uint32_t rest = in.parts.unused == 2   ? to[lane] & ~part
                              : in.parts.unused == 1 ? (negative ? above : 0)
                                                     : 0;
        to[lane] = value | rest;
    }
}

} // namespace

/// SDWA's word: CDNA3 ISA 13.3.9 and 13.3.10.
void Decoder::arrange_parts() {
    if (!in_.parts.on) return;
    const uint32_t word = words_[base_words_];
    Parts& parts = in_.parts;
    parts.source[0] = uint8_t(bits(word, 16, 3));
    parts.source[1] = uint8_t(bits(word, 24, 3));
    for (unsigned i = 0; i < 2; i++) {
        parts.sign_extend[i] = bits(word, 19 + 8 * i, 1);
        in_.source[i].negate = bits(word, 20 + 8 * i, 1);
        in_.source[i].absolute = bits(word, 21 + 8 * i, 1);
    }
    const bool compares = bits(words_[0], 25, 7) == 0x3e, one_source = bits(words_[0], 25, 7) == 0x3f;
    if (bits(word, 31, 1) && !one_source) {
        const Operand scalar = scalar_operand(in_.source[1].code - code::vector);
        in_.source[1].code = scalar.code;
        in_.source[1].value = scalar.value;
    }
    if (compares) {
        if (bits(word, 15, 1)) in_.scalar_destination = scalar_operand(bits(word, 8, 7));
    } else {
        parts.destination = uint8_t(bits(word, 8, 3));
        parts.unused = uint8_t(bits(word, 11, 2));
        in_.clamp = bits(word, 13, 1);
        in_.output_modifier = uint8_t(bits(word, 14, 2));
        if (in_.clamp && row_.clamped) in_.execute = row_.clamped;
    }
    Instruction whole = in_;
    for (unsigned i = 0; i < (one_source ? 1u : 2u); i++) whole.source[i].code = uint16_t(code::scratch + 1 + i);
    if (!compares) whole.destination.code = code::scratch + 3;
    // What it adds to is in the register as a whole.
    if (row_.flags & reads_destination) whole.execute = stop_here;
    in_.extra = uint32_t(program_.extras_.size());
    program_.extras_.push_back(whole);
    in_.execute = run_parts;
}

void Decoder::arrange_dpp() {
    if (!in_.dpp.on) return;
    Instruction inner = in_;
    inner.source[0].code = code::scratch + 1;
    in_.extra = uint32_t(program_.extras_.size());
    program_.extras_.push_back(inner);
    in_.execute = run_dpp;
    // Comparisons write bits of all lanes: which lanes stand still there is another matter.
    if (row_.flags & scalar_result) in_.execute = stop_here;
}

void Decoder::dual() {
    base_words_ = 2;
    const uint64_t w = word_;
    const uint32_t numbers[2] = {bits(w, 22, 4), bits(w, 17, 5)};
    const uint32_t sources[2][2] = {{bits(w, 0, 9), bits(w, 9, 8)}, {bits(w, 32, 9), bits(w, 41, 8)}};
    const uint32_t first_destination = bits(w, 56, 8);
    const uint32_t destinations[2] = {first_destination, bits(w, 49, 7) << 1 | (~first_destination & 1)};
    in_.destination = vgpr(first_destination);
    in_.extra = uint32_t(program_.extras_.size());
    in_.execute = run_dual;
    for (unsigned half = 0; half < 2; half++) {
        const std::string_view name = numbers[half] < std::size(dual_names) ? dual_names[numbers[half]] : "";
        const Row* row = name.empty() ? nullptr : find_row(name);
        if (!row) {
            in_.execute = stop_here;
            return;
        }
        Instruction one = in_;
        one.execute = row->execute;
        one.name = program_.names_.emplace_back(name).c_str();
        one.source[0] = source_operand(sources[half][0]);
        one.source[1] = vgpr(sources[half][1]);
        one.destination = vgpr(destinations[half]);
        if (row->flags & carry_in) one.source[2].code = code::vcc;
        if (row->flags & reads_destination) one.source[2] = one.destination;
        if (row->flags & constant_factor) {
            one.source[2] = one.source[1];
            one.source[1] = immediate(int32_t(literal()));
        }
        if (row->flags & constant_addend) one.source[2] = immediate(int32_t(literal()));
        finish(program_, one);
        if (half == 0) one.destination.code = code::scratch;
        program_.extras_.push_back(one);
    }
}

} // namespace amdgpu
