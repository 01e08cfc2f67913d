#pragma once

#include "instruction.h"

#include <string>
#include <string_view>
#include <unordered_map>

namespace amdgpu {

/// What the decoder must know of an instruction beside its encoding.
enum RowFlag : uint16_t {
    scalar_result = 1,     ///< VOP3: the destination field names an SGPR (comparisons, v_readlane)
    second_scalar = 2,     ///< VOP3: a second destination, an SGPR, stands where other forms have modifiers (carries)
    carry_in = 4,          ///< 32-bit form: the third source is VCC
    reads_destination = 8, ///< the last source is the destination (fused multiply-add)
    constant_factor = 16,  ///< v_fmamk: the literal is the second source, the register the third
    constant_addend = 32,  ///< v_fmaak: the literal is the third source
    packed = 64,           ///< op_sel and op_sel_hi choose halves (VOP3P)
};

struct Row {
    Execute execute = nullptr;
    Execute clamped = nullptr; ///< for integer operations that saturate with the clamp bit
    uint16_t flags = 0;
    uint8_t halves = 0; ///< bit 0: the destination, bits 1 to 3: the sources are 16 bits wide
};

/// Mnemonics without the encoding's suffix ("v_add_f32").
using Rows = std::unordered_map<std::string, Row>;

// Each family adds its own.
void add_scalar(Rows&);
void add_scalar_memory(Rows&);
void add_control(Rows&);
void add_vector_integer(Rows&);
void add_vector_wide(Rows&);
void add_vector_half(Rows&);
void add_vector_float(Rows&);
void add_vector_convert(Rows&);
void add_vector_compare(Rows&);
void add_vector_packed(Rows&);
void add_vector_lanes(Rows&);
void add_vector_indexed(Rows&);
void add_lds(Rows&);
void add_global(Rows&);
void add_atomics(Rows&);

/// nullptr for an instruction that the emulator lacks.
const Row* find_row(std::string_view mnemonic);

} // namespace amdgpu
