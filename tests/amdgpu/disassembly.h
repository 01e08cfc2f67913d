#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace amdgpu {

/// A function in a code object: an entry point or what one calls.
struct DisassembledFunction {
    std::string name;
    uint32_t instructions = 0;        ///< without padding
    std::vector<std::string> unknown; ///< "0x1234" for each word that is no instruction of the processor
};

/// Every function of a code object, as LLVM's disassembler for the processor reads it. Throws std::runtime_error for
/// what is no code object, or a processor that LLVM does not know.
std::vector<DisassembledFunction> disassemble(const std::string& processor, std::span<const uint8_t> code_object);

} // namespace amdgpu
