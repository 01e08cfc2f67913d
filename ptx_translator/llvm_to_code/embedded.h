#pragma once

#include <string_view>

/// What the build compiles of device_library/ and embeds.
namespace ptx::device_library {

/// Bitcode of host_library.cpp.
std::string_view host_library();
/// Bitcode of texture_library.cpp.
std::string_view texture_library();
/// Object file of host_builtins.cpp.
std::string_view host_builtins();
/// Object file of host_matrix.cpp.
std::string_view host_matrix();

/// Bitcode for AMD GPUs: amdgpu_library.cpp, amdgpu_matrix.cpp, amdgpu_async.cpp, and
/// texture_library.cpp, which the host has as well.
enum class AmdgpuPart { library, matrix, async, texture };
/// For waves of 32 or 64 lanes.
std::string_view amdgpu_bitcode(AmdgpuPart, unsigned lanes);
/// Object file of the library, of matrices or of textures for a processor by LLVM's name; empty for another part or
/// processor.
std::string_view amdgpu_code(AmdgpuPart, std::string_view processor);
/// The same parts as neutral IR, for SPIR-V.
std::string_view spirv_bitcode(AmdgpuPart);
/// Bitcode of spirv_doubles.cpp.
std::string_view spirv_doubles();

} // namespace ptx::device_library
