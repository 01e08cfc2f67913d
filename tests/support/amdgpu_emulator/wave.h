#pragma once

#include "instruction.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace amdgpu {

class Program;

/// Ends the launch: what the hardware would report, and one line of detail.
struct Stop {
    enum Kind : uint8_t { illegal_address, trap, unknown_instruction } kind;
    std::string message;
};

/// Address ranges that the device may reach. Sorted, without overlap; fixed while a kernel runs.
struct Range {
    uint64_t begin, end;
};

/// A work group: what its waves share.
struct Group {
    std::vector<uint8_t> lds;
    std::vector<Range> memory;  ///< of the device
    uint32_t scratch_bytes = 0; ///< for each lane
    uint32_t id[3]{};
};

enum class WaveState : uint8_t { running, at_barrier, yielding, ended };

/// The upper halves of generic addresses in LDS and in scratch.
inline constexpr uint32_t shared_aperture = 0x00010000, private_aperture = 0x00020000;

/// A wave's registers. Lanes of a VGPR lie side by side, so that loops over lanes become vector instructions.
class Wave {
  public:
    static constexpr unsigned scratch_rows = 16;

    /// `lanes`: 32 or 64.
    Wave(Group& group, const Program& program, unsigned lanes, unsigned vector_registers);

    /// Lanes of a VGPR; the row behind the last is the next VGPR.
    uint32_t* row(uint16_t operand_code) {
        const unsigned index = operand_code < code::scratch ? operand_code - code::vector
                                                            : vector_registers + (operand_code - code::scratch);
        return vectors.data() + size_t{index} * lanes;
    }

    uint32_t read(const Operand&) const;
    uint64_t read64(const Operand&, bool sign_extend = false) const;
    double read_double(const Operand&) const;
    void write(uint16_t scalar, uint32_t value);
    void write64(uint16_t scalar, uint64_t value);
    /// A lane mask: 32 or 64 bits by the wave's size.
    uint64_t read_mask(const Operand& operand) const { return lanes == 32 ? read(operand) : read64(operand); }
    void write_mask(uint16_t scalar, uint64_t value);
    uint64_t exec() const { return lanes == 32 ? scalars[code::exec] : wide(code::exec); }
    uint64_t wide(unsigned scalar) const { return scalars[scalar] | uint64_t{scalars[scalar + 1]} << 32; }
    /// After EXEC changed.
    void refresh_mask();

    /// Prepares the host's floating point for operations on f32, or on f16 and f64, by the MODE register.
    void float_mode_32() const { set_host_mode(mode & 3, mode >> 4 & 3, mode >> 9 & 1); }
    void float_mode_64() const { set_host_mode(mode >> 2 & 3, mode >> 6 & 3, mode >> 9 & 1); }
    bool clamp_nan_to_zero() const { return mode >> 8 & 1; }

    [[noreturn]] void stop(Stop::Kind kind, const Instruction& at, const std::string& why) const;

    Group& group;
    const Program& program;
    const unsigned lanes, vector_registers;
    std::array<uint32_t, 160> scalars{};
    alignas(64) std::array<uint32_t, 64> mask{}; ///< all ones for active lanes
    bool full = true;                            ///< all lanes are active
    bool scc = false;
    uint32_t mode = 0;
    uint32_t pc = 0; ///< index of the next instruction
    WaveState state = WaveState::running;
    unsigned number = 0; ///< in its group
    uint64_t executed = 0;
    std::vector<uint32_t> vectors;
    std::vector<uint8_t> scratch; ///< lane after lane
    mutable Range recent{1, 0};   ///< where the last access was

  private:
    static void set_host_mode(unsigned round, unsigned denormals, bool ieee);
};

} // namespace amdgpu
