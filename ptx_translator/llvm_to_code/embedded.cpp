#include "llvm_to_code/embedded.h"

// Made by device_library/embed.S.in.
extern "C" {
extern const char ptx_device_library_host_library_begin[], ptx_device_library_host_library_end[];
extern const char ptx_device_library_texture_library_begin[], ptx_device_library_texture_library_end[];
extern const char ptx_device_library_host_builtins_begin[], ptx_device_library_host_builtins_end[];
extern const char ptx_device_library_host_matrix_begin[], ptx_device_library_host_matrix_end[];
extern const char ptx_device_library_amdgpu_library_32_begin[], ptx_device_library_amdgpu_library_32_end[];
extern const char ptx_device_library_amdgpu_library_64_begin[], ptx_device_library_amdgpu_library_64_end[];
}

namespace ptx::device_library {

std::string_view host_library() { return {ptx_device_library_host_library_begin, ptx_device_library_host_library_end}; }

std::string_view texture_library() {
    return {ptx_device_library_texture_library_begin, ptx_device_library_texture_library_end};
}

std::string_view host_builtins() {
    return {ptx_device_library_host_builtins_begin, ptx_device_library_host_builtins_end};
}

std::string_view host_matrix() { return {ptx_device_library_host_matrix_begin, ptx_device_library_host_matrix_end}; }

std::string_view amdgpu_library(unsigned lanes) {
    if (lanes == 64) return {ptx_device_library_amdgpu_library_64_begin, ptx_device_library_amdgpu_library_64_end};
    return {ptx_device_library_amdgpu_library_32_begin, ptx_device_library_amdgpu_library_32_end};
}

} // namespace ptx::device_library
