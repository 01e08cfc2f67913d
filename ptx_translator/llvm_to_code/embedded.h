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

} // namespace ptx::device_library
