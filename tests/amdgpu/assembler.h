#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace amdgpu {

/// Machine code of instructions, one a line, by LLVM's assembler. Branches have numbers for targets. Throws
/// std::runtime_error with the assembler's words.
std::vector<uint8_t> assemble(const std::string& processor, const std::string& text);

} // namespace amdgpu
