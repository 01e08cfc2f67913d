#include "wave.h"

#include "constants.h"
#include "floats.h"
#include "program.h"

#include <bit>
#include <immintrin.h>

namespace amdgpu {

thread_local bool ieee_mode = true;

Wave::Wave(Group& group_, const Program& program_, unsigned lanes_, unsigned vector_registers_)
    : group(group_), program(program_), lanes(lanes_), vector_registers(vector_registers_),
      vectors(size_t{vector_registers_ + scratch_rows} * lanes_), scratch(size_t{group_.scratch_bytes} * lanes_) {}

uint32_t Wave::read(const Operand& operand) const {
    if (operand.code < code::scalar_registers) return operand.code == code::null ? 0 : scalars[operand.code];
    switch (operand.code) {
    case code::vccz:
        return (lanes == 32 ? scalars[code::vcc] : wide(code::vcc)) == 0;
    case code::execz:
        return exec() == 0;
    case code::scc:
        return scc;
    default:
        return operand.value;
    }
}

uint64_t Wave::read64(const Operand& operand, bool sign_extend) const {
    if (operand.code < code::scalar_registers) return operand.code == code::null ? 0 : wide(operand.code);
    switch (operand.code) {
    case code::shared_base:
        return uint64_t{shared_aperture} << 32;
    case code::private_base:
        return uint64_t{private_aperture} << 32;
    case code::literal: // zero-extended for unsigned and untyped operations
        return sign_extend ? uint64_t(int64_t{int32_t(operand.value)}) : operand.value;
    default:
        if (is_inline_float(operand.code)) return std::bit_cast<uint64_t>(inline_float(operand.code));
        return uint64_t(int64_t{int32_t(read(operand))});
    }
}

double Wave::read_double(const Operand& operand) const {
    // A literal is the upper half of a double.
    if (operand.code == code::literal) return std::bit_cast<double>(uint64_t{operand.value} << 32);
    return std::bit_cast<double>(read64(operand));
}

void Wave::write(uint16_t scalar, uint32_t value) {
    if (scalar == code::null) return;
    scalars[scalar] = value;
    if (scalar >= code::exec) refresh_mask();
}

void Wave::write64(uint16_t scalar, uint64_t value) {
    if (scalar == code::null) return;
    scalars[scalar] = uint32_t(value);
    scalars[scalar + 1] = uint32_t(value >> 32);
    if (scalar >= code::exec) refresh_mask();
}

void Wave::write_mask(uint16_t scalar, uint64_t value) {
    if (lanes == 32)
        write(scalar, uint32_t(value));
    else
        write64(scalar, value);
}

void Wave::refresh_mask() {
    const uint64_t active = exec();
    for (unsigned i = 0; i < lanes; i++) mask[i] = active >> i & 1 ? ~0u : 0;
    full = active == (lanes == 32 ? 0xffffffffu : ~uint64_t{0});
}

void Wave::set_host_mode(unsigned round, unsigned denormals, bool ieee) {
    ieee_mode = ieee;
    // MODE: 0 nearest, 1 up, 2 down, 3 towards zero. MXCSR: 0 nearest, 1 down, 2 up, 3 towards zero.
    constexpr unsigned host_round[] = {0, 2, 1, 3};
    const unsigned wanted =
        0x1f80 | host_round[round] << 13 | (denormals & 1 ? 0 : 1u << 6) | (denormals & 2 ? 0 : 1u << 15);
    if ((_mm_getcsr() & 0xffc0) != wanted) _mm_setcsr(wanted);
}

void Wave::stop(Stop::Kind kind, const Instruction& at, const std::string& why) const {
    throw Stop{kind, program.place(at) + ": " + at.name + ": " + why};
}

} // namespace amdgpu
