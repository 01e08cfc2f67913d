#include "llvm_to_code/embedded.h"

// In the order of AmdgpuPart.
#define AMDGPU_PARTS(part) part(library) part(matrix) part(async) part(texture)
// The processors that there is machine code for.
#define AMDGPU_PROCESSORS(one) one(gfx1030) one(gfx1100) one(gfx1151) one(gfx1201) one(gfx90a) one(gfx942)

// Made by device_library/embed.S.in.
extern "C" {
extern const char ptx_device_library_host_library_begin[], ptx_device_library_host_library_end[];
extern const char ptx_device_library_texture_library_begin[], ptx_device_library_texture_library_end[];
extern const char ptx_device_library_host_builtins_begin[], ptx_device_library_host_builtins_end[];
extern const char ptx_device_library_host_matrix_begin[], ptx_device_library_host_matrix_end[];
#define AMDGPU_PART(name)                                                                                              \
    extern const char ptx_device_library_amdgpu_##name##_32_begin[], ptx_device_library_amdgpu_##name##_32_end[];      \
    extern const char ptx_device_library_amdgpu_##name##_64_begin[], ptx_device_library_amdgpu_##name##_64_end[];
AMDGPU_PARTS(AMDGPU_PART)
#undef AMDGPU_PART
#define AMDGPU_PROCESSOR(name)                                                                                         \
    extern const char ptx_device_library_amdgpu_library_##name##_begin[], ptx_device_library_amdgpu_library_##name##_end[]; \
    extern const char ptx_device_library_amdgpu_texture_##name##_begin[], ptx_device_library_amdgpu_texture_##name##_end[];
AMDGPU_PROCESSORS(AMDGPU_PROCESSOR)
#undef AMDGPU_PROCESSOR
#define SPIRV_PART(name)                                                                                               \
    extern const char ptx_device_library_spirv_##name##_begin[], ptx_device_library_spirv_##name##_end[];
AMDGPU_PARTS(SPIRV_PART)
#undef SPIRV_PART
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

std::string_view amdgpu_bitcode(AmdgpuPart part, unsigned lanes) {
    struct Row {
        std::string_view wave32, wave64;
    };
    static const Row rows[] = {
#define AMDGPU_PART(name)                                                                                              \
    {{ptx_device_library_amdgpu_##name##_32_begin, ptx_device_library_amdgpu_##name##_32_end},                         \
     {ptx_device_library_amdgpu_##name##_64_begin, ptx_device_library_amdgpu_##name##_64_end}},
        AMDGPU_PARTS(AMDGPU_PART)
#undef AMDGPU_PART
    };
    const Row& row = rows[static_cast<unsigned>(part)];
    return lanes == 64 ? row.wave64 : row.wave32;
}

std::string_view amdgpu_code(AmdgpuPart part, std::string_view processor) {
    struct Row {
        std::string_view processor, library, texture;
    };
    static const Row rows[] = {
#define AMDGPU_PROCESSOR(name)                                                                                         \
    {#name,                                                                                                            \
     {ptx_device_library_amdgpu_library_##name##_begin, ptx_device_library_amdgpu_library_##name##_end},               \
     {ptx_device_library_amdgpu_texture_##name##_begin, ptx_device_library_amdgpu_texture_##name##_end}},
        AMDGPU_PROCESSORS(AMDGPU_PROCESSOR)
#undef AMDGPU_PROCESSOR
    };
    for (const Row& row : rows)
        if (row.processor == processor && (part == AmdgpuPart::library || part == AmdgpuPart::texture))
            return part == AmdgpuPart::library ? row.library : row.texture;
    return {};
}

std::string_view spirv_bitcode(AmdgpuPart part) {
    static const std::string_view rows[] = {
#define SPIRV_PART(name) {ptx_device_library_spirv_##name##_begin, ptx_device_library_spirv_##name##_end},
        AMDGPU_PARTS(SPIRV_PART)
#undef SPIRV_PART
    };
    return rows[static_cast<unsigned>(part)];
}

} // namespace ptx::device_library
