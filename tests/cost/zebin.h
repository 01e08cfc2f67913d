#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

/// What Intel's compiler says of the kernels in a "zebin", the ELF file that it makes of SPIR-V.
namespace cost {

struct ZebinKernel {
    uint64_t code_bytes = 0;
    uint32_t simd = 0;        ///< lanes of a hardware thread: the sub-group's width
    uint64_t spill_bytes = 0; ///< of a hardware thread's memory, for registers
};

/// By name. Throws std::runtime_error for what is no such file.
std::map<std::string, ZebinKernel> read_zebin(std::span<const uint8_t> bytes);

} // namespace cost
