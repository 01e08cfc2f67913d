#pragma once

#include "program.h"
#include "rows.h"

#include <algorithm>
#include <cstdint>
#include <span>

namespace amdgpu {

inline uint32_t bits(uint64_t word, unsigned from, unsigned count) {
    return uint32_t(word >> from & ((1u << count) - 1));
}
inline int32_t signed_bits(uint64_t word, unsigned from, unsigned count) {
    return int32_t(bits(word, from, count) << (32 - count)) >> (32 - count);
}

/// Ends the wave by name: for what the emulator lacks.
void stop_here(Wave& wave, const Instruction& in);

/// Reads the fields of one instruction (RDNA3 ISA chapter 15, "Microcode formats"; CDNA3 ISA chapter 13).
class Decoder {
  public:
    Decoder(Program& program, const Row& row, Instruction& in, std::span<const uint32_t> words)
        : program_(program), row_(row), in_(in), words_(words), gfx9_(program.processor_.gfx9) {
        in_.execute = row.execute;
        word_ = words[0] | (words.size() > 1 ? uint64_t{words[1]} << 32 : 0);
    }

    void decode();

    /// Notes which registers the instruction uses.
    static void finish(Program& program, Instruction& in);

  private:
    Operand scalar_operand(uint32_t code);
    static Operand vgpr(uint32_t number);
    static Operand immediate(int32_t value);
    Operand source_operand(uint32_t code) { return code >= 256 ? vgpr(code - 256) : scalar_operand(code); }
    bool is_half(unsigned operand) const { return row_.halves >> operand & 1; }
    uint32_t literal() const { return words_[std::min(base_words_, words_.size() - 1)]; }

    /// 32-bit forms number half registers: bit 7 is the upper half. GCN has none.
    Operand halved(Operand operand, unsigned position) const;

    /// The first source of a 32-bit form, or of a 64-bit one on RDNA: 250, 233 and 234 stand for data from other lanes.
    Operand first_source(uint32_t code);
    /// DPP16 has the modifiers of a 32-bit form.
    void dpp_modifiers();

    // The formats, one by one.
    void vector32();
    void vector64();
    void packed();
    void scalar();
    void scalar_memory();
    void lds();
    void flat();
    void dual();
    void arrange_dpp();
    void arrange_parts();

    Program& program_;
    const Row& row_;
    Instruction& in_;
    const std::span<const uint32_t> words_;
    const bool gfx9_;
    uint64_t word_ = 0;
    size_t base_words_ = 1; ///< before a literal or the DPP word
};

} // namespace amdgpu
