#include "decoder.h"

#include "constants.h"
#include "wave.h"

#include <algorithm>
#include <bit>

namespace amdgpu {

void stop_here(Wave& wave, const Instruction& in) {
    wave.stop(Stop::unknown_instruction, in, "the emulator lacks this instruction");
}

void Decoder::decode() {
    const uint32_t w = words_[0];
    if (bits(w, 31, 1) == 0) return vector32();
    if (bits(w, 30, 2) == 2) return scalar();
    switch (bits(w, 26, 6)) {
    case 0x30:
    case 0x3d:
        return scalar_memory();
    case 0x32:
        return dual();
    case 0x34:
    case 0x35:
    case 0x33:
        if (bits(w, 24, 8) == (gfx9_ ? 0xd3u : 0xccu) && bits(w, 23, 1) == (gfx9_ ? 1u : 0u)) return packed();
        return vector64();
    case 0x36:
        return lds();
    case 0x37:
        return flat();
    default: // buffer and image instructions: those that there are rows for do nothing
        return;
    }
}

void Decoder::finish(Program& program, Instruction& in) {
    const auto seen = [&](const Operand& o, unsigned width) {
        if (o.code < code::vector || o.code >= code::scratch) return;
        program.vector_registers_ = std::max(program.vector_registers_, o.code - code::vector + width);
    };
    // Up to 16 registers to a result; operands of 64 bits otherwise. Rows beyond what is used cost nothing.
    seen(in.destination, 16);
    for (const Operand& source : in.source) seen(source, 8);
    // v_accvgpr_read and _write name accumulation registers without the bit that says so elsewhere.
    if (std::string_view(in.name).starts_with("v_accvgpr"))
        program.vector_registers_ = std::max(program.vector_registers_, 512u);
}

Operand Decoder::scalar_operand(uint32_t code) {
    Operand operand;
    if (gfx9_ && code == 124) code = code::m0;
    operand.code = uint16_t(code);
    if (code >= 128 && code <= 208) operand.value = uint32_t(inline_integer(operand.code));
    if (is_inline_float(operand.code)) operand.value = std::bit_cast<uint32_t>(float(inline_float(operand.code)));
    if (code == code::literal) operand.value = literal();
    return operand;
}

Operand Decoder::vgpr(uint32_t number) {
    Operand operand;
    operand.code = uint16_t(code::vector + number);
    return operand;
}

Operand Decoder::immediate(int32_t value) {
    Operand operand;
    operand.code = code::literal;
    operand.value = uint32_t(value);
    return operand;
}

Operand Decoder::halved(Operand operand, unsigned position) const {
    if (!gfx9_ && is_half(position) && operand.is_vector() && (operand.code - code::vector) & 128) {
        operand.code = uint16_t(operand.code & ~128);
        operand.high = true;
    }
    return operand;
}

Operand Decoder::first_source(uint32_t code) {
    if (gfx9_ && code == 249) {
        in_.parts.on = true;
        const uint32_t word = words_[base_words_];
        return bits(word, 23, 1) ? scalar_operand(bits(word, 0, 8)) : vgpr(bits(word, 0, 8));
    }
    if (code != 250 && code != 233 && code != 234) return source_operand(code);
    const uint32_t word = words_[base_words_];
    Dpp& dpp = in_.dpp;
    dpp.on = true;
    dpp.eight = code != 250;
    if (dpp.eight) {
        dpp.fetch_inactive = code == 234;
        for (unsigned i = 0; i < 8; i++) dpp.select[i] = uint8_t(bits(word, 8 + 3 * i, 3));
    } else {
        dpp.control = uint16_t(bits(word, 8, 9));
        dpp.fetch_inactive = bits(word, 18, 1);
        dpp.bound_control = bits(word, 19, 1);
        dpp.bank_mask = uint8_t(bits(word, 24, 4));
        dpp.row_mask = uint8_t(bits(word, 28, 4));
    }
    return vgpr(bits(word, 0, 8));
}

void Decoder::dpp_modifiers() {
    if (!in_.dpp.on || in_.dpp.eight) return;
    const uint32_t word = words_[base_words_];
    for (unsigned i = 0; i < 2; i++) {
        in_.source[i].negate = bits(word, 20 + 2 * i, 1);
        in_.source[i].absolute = bits(word, 21 + 2 * i, 1);
    }
}

void Decoder::vector32() {
    const uint32_t w = words_[0];
    in_.source[0] = halved(first_source(bits(w, 0, 9)), 1);
    if (bits(w, 25, 7) == 0x3f) { // VOP1
        in_.destination = halved(vgpr(bits(w, 17, 8)), 0);
        if (row_.flags & scalar_result) in_.scalar_destination = scalar_operand(bits(w, 17, 8));
    } else if (bits(w, 25, 7) == 0x3e) { // VOPC
        in_.source[1] = halved(vgpr(bits(w, 9, 8)), 2);
        in_.scalar_destination.code = code::vcc;
    } else {
        in_.destination = halved(vgpr(bits(w, 17, 8)), 0);
        in_.source[1] = halved(vgpr(bits(w, 9, 8)), 2);
        in_.scalar_destination.code = code::vcc;
        if (row_.flags & carry_in) in_.source[2].code = code::vcc;
        if (row_.flags & reads_destination) in_.source[2] = in_.destination;
        if (row_.flags & constant_factor) {
            in_.source[2] = in_.source[1];
            in_.source[1] = immediate(int32_t(literal()));
        }
        if (row_.flags & constant_addend) in_.source[2] = immediate(int32_t(literal()));
    }
    dpp_modifiers();
    arrange_dpp();
    arrange_parts();
}

void Decoder::vector64() {
    base_words_ = 2;
    const uint64_t w = word_;
    in_.source[0] = first_source(bits(w, 32, 9));
    in_.source[1] = source_operand(bits(w, 41, 9));
    in_.source[2] = source_operand(bits(w, 50, 9));
    in_.clamp = bits(w, 15, 1);
    in_.output_modifier = uint8_t(bits(w, 59, 2));
    for (unsigned i = 0; i < 3; i++) {
        in_.source[i].negate = bits(w, 61 + i, 1);
        if (is_half(i + 1)) in_.source[i].high = bits(w, 11 + i, 1);
    }
    in_.destination = vgpr(bits(w, 0, 8));
    if (row_.flags & second_scalar) {
        in_.scalar_destination = scalar_operand(bits(w, 8, 7));
    } else {
        for (unsigned i = 0; i < 3; i++) in_.source[i].absolute = bits(w, 8 + i, 1);
        if (is_half(0)) in_.destination.high = bits(w, 14, 1);
        in_.select = uint8_t(bits(w, 11, 4));
    }
    if (row_.flags & scalar_result) in_.scalar_destination = scalar_operand(bits(w, 0, 8));
    if (row_.flags & reads_destination) in_.source[2] = in_.destination;
    if (in_.clamp && row_.clamped) in_.execute = row_.clamped;
    arrange_dpp();
}

void Decoder::packed() {
    base_words_ = 2;
    const uint64_t w = word_;
    in_.destination = vgpr(bits(w, 0, 8));
    in_.source[0] = first_source(bits(w, 32, 9));
    in_.source[1] = source_operand(bits(w, 41, 9));
    in_.source[2] = source_operand(bits(w, 50, 9));
    in_.clamp = bits(w, 15, 1);
    in_.negate_high = uint8_t(bits(w, 8, 3));
    in_.negate_low = uint8_t(bits(w, 61, 3));
    in_.select = uint8_t(bits(w, 11, 3));
    in_.select_high = uint8_t(bits(w, 59, 2) | bits(w, 14, 1) << 2);
    arrange_dpp();
}

void Decoder::scalar() {
    const uint32_t w = words_[0];
    const uint32_t top = bits(w, 23, 9);
    in_.offset = int16_t(bits(w, 0, 16));
    if (top == 0x17f) return; // SOPP
    if (top == 0x17d) {       // SOP1
        in_.source[0] = scalar_operand(bits(w, 0, 8));
        in_.destination = scalar_operand(bits(w, 16, 7));
    } else if (top == 0x17e) { // SOPC
        in_.source[0] = scalar_operand(bits(w, 0, 8));
        in_.source[1] = scalar_operand(bits(w, 8, 8));
    } else if (bits(w, 28, 4) == 0xb) { // SOPK
        in_.destination = scalar_operand(bits(w, 16, 7));
        in_.source[0] = in_.destination;
        in_.source[1] = immediate(in_.offset);
        if (words_.size() > 1) in_.source[2] = immediate(int32_t(words_[1]));
    } else { // SOP2
        in_.source[0] = scalar_operand(bits(w, 0, 8));
        in_.source[1] = scalar_operand(bits(w, 8, 8));
        in_.destination = scalar_operand(bits(w, 16, 7));
    }
}

void Decoder::scalar_memory() {
    const uint64_t w = word_;
    in_.source[0] = scalar_operand(bits(w, 0, 6) * 2);
    in_.destination = scalar_operand(bits(w, 6, 7));
    in_.offset = signed_bits(w, 32, 21);
    if (!gfx9_ || bits(w, 14, 1)) in_.source[1] = scalar_operand(bits(w, 57, 7));
    if (gfx9_ && !bits(w, 17, 1)) { // the offset is a register
        in_.source[1] = scalar_operand(bits(w, 32, 7));
        in_.offset = 0;
    }
}

void Decoder::lds() {
    const uint64_t w = word_;
    in_.second_offset = bits(w, 8, 8);
    in_.offset = int32_t(bits(w, 0, 16));
    const unsigned accumulation = gfx9_ && bits(w, 25, 1) ? 256 : 0;
    in_.source[0] = vgpr(bits(w, 32, 8));
    in_.source[1] = vgpr(bits(w, 40, 8) + accumulation);
    in_.source[2] = vgpr(bits(w, 48, 8) + accumulation);
    in_.destination = vgpr(bits(w, 56, 8) + accumulation);
}

void Decoder::flat() {
    const uint64_t w = word_;
    in_.offset = signed_bits(w, 0, 13);
    const unsigned segment = gfx9_ ? bits(w, 14, 2) : bits(w, 16, 2);
    const unsigned accumulation = gfx9_ && bits(w, 55, 1) ? 256 : 0;
    in_.source[0] = vgpr(bits(w, 32, 8));
    in_.source[1] = vgpr(bits(w, 40, 8) + accumulation);
    in_.destination = vgpr(bits(w, 56, 8) + accumulation);
    in_.returns = gfx9_ ? bits(w, 16, 1) : bits(w, 14, 1);
    uint32_t base = bits(w, 48, 7);
    if (base == 0x7f || (segment == 0) || (!gfx9_ && base == code::null)) base = code::null;
    in_.source[2].code = uint16_t(base);
    if (segment == 1) in_.has_address = bits(w, gfx9_ ? 13 : 55, 1);
    // The flat form knows no negative offsets before RDNA3.
    if (segment == 0 && gfx9_) in_.offset = int32_t(bits(w, 0, 12));
}

} // namespace amdgpu
