#pragma once

#include <array>
#include <cstdint>

/// An instruction as the emulator executes it: decoded once, then run by calling `execute`.
namespace amdgpu {

class Wave;
struct Instruction;
using Execute = void (*)(Wave&, const Instruction&);

/// Codes of operands, as in the 9-bit source fields of the encodings (RDNA3 ISA, "Scalar operands"). Differences of the
/// generations are removed when decoding: M0 is 125 on all.
namespace code {
inline constexpr uint16_t vcc = 106, null = 124, m0 = 125, exec = 126;
inline constexpr uint16_t scalar_registers = 128; ///< below: a register
inline constexpr uint16_t shared_base = 235, shared_limit = 236, private_base = 237, private_limit = 238;
inline constexpr uint16_t vccz = 251, execz = 252, scc = 253, literal = 255;
inline constexpr uint16_t vector = 256;   ///< VGPR 0; 512 + n: accumulation VGPR n
inline constexpr uint16_t scratch = 1024; ///< rows of the emulator's own, for instructions made of several
} // namespace code

struct Operand {
    uint16_t code = code::null;
    bool high = false; ///< of a 16-bit operand: the upper half of the register
    bool negate = false, absolute = false;
    uint32_t value = 0; ///< of a constant: its 32 bits

    bool is_vector() const { return code >= code::vector; }
};

/// Data-parallel primitives: the first source is taken from other lanes.
struct Dpp {
    bool on = false, eight = false, fetch_inactive = false, bound_control = false;
    uint16_t control = 0; ///< of DPP16
    uint8_t row_mask = 15, bank_mask = 15;
    std::array<uint8_t, 8> select{}; ///< of DPP8
};

/// Sub-dword addressing (GCN): bytes or halves of registers as operands and result.
struct Parts {
    bool on = false;
    uint8_t source[2] = {6, 6}, destination = 6; ///< 0 to 3: a byte, 4 and 5: a half, 6: all
    bool sign_extend[2] = {};
    uint8_t unused = 0; ///< what becomes of the rest of the result: 0 zero, 1 the sign, 2 it stays
};

struct Instruction {
    Execute execute = nullptr;
    const char* name = ""; ///< the mnemonic, for messages
    uint64_t address = 0, next_address = 0;
    uint32_t next = 0;  ///< index of what follows
    uint32_t extra = 0; ///< index of the first of the instructions that this one is made of
    Operand destination, scalar_destination;
    std::array<Operand, 4> source;
    Dpp dpp;
    Parts parts;
    bool clamp = false;
    uint8_t output_modifier = 0;
    uint8_t select = 0, select_high = 0;     ///< VOP3P: op_sel, op_sel_hi
    uint8_t negate_low = 0, negate_high = 0; ///< VOP3P
    int32_t offset = 0;                      ///< memory: bytes; SOPP, SOPK: the immediate
    uint32_t second_offset = 0;              ///< DS: offset1
    bool has_address = true;                 ///< scratch: a VGPR gives (part of) the address
    bool returns = false;                    ///< atomics: the old value is wanted
};

} // namespace amdgpu
