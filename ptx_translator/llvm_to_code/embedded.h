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

/// Bitcode of amdgpu_library.cpp for waves of 32 or 64 lanes.
std::string_view amdgpu_library(unsigned lanes);

} // namespace ptx::device_library
