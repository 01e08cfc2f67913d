#pragma once

#include "instruction.h"

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace amdgpu {

/// Which generation's rules hold, by the processor's name.
struct Processor {
    std::string name;
    bool gfx9 = false;   ///< gfx90a, gfx942: encodings and rules of GCN; else those of RDNA3
    unsigned lanes = 32; ///< of a wave, unless a kernel says otherwise

    static Processor of(std::string_view name); ///< throws std::runtime_error for one without rules here
};

/// Code decoded by LLVM's disassembler: which instruction a word is, and how long. The fields are read here.
class Program {
  public:
    /// `bytes` lie at `address` when they run. Words that are no instruction, or one that the emulator lacks, stop a
    /// wave that reaches them.
    Program(const Processor&, std::span<const uint8_t> bytes, uint64_t address);

    const Instruction& operator[](uint32_t index) const { return instructions_[index]; }
    const Instruction& extra(const Instruction& of, unsigned number) const { return extras_[of.extra + number]; }
    /// The index of the instruction at an address; that of one that stops the wave when there is none.
    uint32_t at(uint64_t address) const;
    std::string place(const Instruction&) const; ///< "code+0x40", for messages
    unsigned vector_registers() const { return vector_registers_; }
    const Processor& processor() const { return processor_; }

  private:
    friend class Decoder;
    const Processor processor_;
    const uint64_t address_;
    std::vector<Instruction> instructions_; ///< the last one stops
    std::vector<Instruction> extras_;
    std::vector<uint32_t> index_; ///< by 4-byte word
    std::deque<std::string> names_;
    unsigned vector_registers_ = 1;
};

} // namespace amdgpu
