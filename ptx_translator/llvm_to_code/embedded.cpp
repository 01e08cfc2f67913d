#include "llvm_to_code/embedded.h"

// In the order of AmdgpuPart.
#define AMDGPU_PARTS(part) part(library) part(matrix) part(async) part(texture)
// Of those also machine code, and for which processors.
#define AMDGPU_CODE_PARTS(part, processor) part(library, processor) part(matrix, processor) part(texture, processor)
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
#define AMDGPU_CODE(part, processor)                                                                                   \
    extern const char ptx_device_library_amdgpu_##part##_##processor##_begin[],                                        \
        ptx_device_library_amdgpu_##part##_##processor##_end[];
#define AMDGPU_PROCESSOR(name) AMDGPU_CODE_PARTS(AMDGPU_CODE, name)
AMDGPU_PROCESSORS(AMDGPU_PROCESSOR)
#undef AMDGPU_CODE
#undef AMDGPU_PROCESSOR
#define SPIRV_PART(name)                                                                                               \
    extern const char ptx_device_library_spirv_##name##_begin[], ptx_device_library_spirv_##name##_end[];
AMDGPU_PARTS(SPIRV_PART)
#undef SPIRV_PART
extern const char ptx_device_library_spirv_doubles_begin[], ptx_device_library_spirv_doubles_end[];
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
        AmdgpuPart part;
        std::string_view processor, code;
    };
    static const Row rows[] = {
#define AMDGPU_CODE(part, processor)                                                                                   \
    {AmdgpuPart::part, #processor,                                                                                     \
     {ptx_device_library_amdgpu_##part##_##processor##_begin, ptx_device_library_amdgpu_##part##_##processor##_end}},
#define AMDGPU_PROCESSOR(name) AMDGPU_CODE_PARTS(AMDGPU_CODE, name)
        AMDGPU_PROCESSORS(AMDGPU_PROCESSOR)
#undef AMDGPU_PROCESSOR
#undef AMDGPU_CODE
    };
    for (const Row& row : rows)
        if (row.part == part && row.processor == processor) return row.code;
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

std::string_view spirv_doubles() {
    return {ptx_device_library_spirv_doubles_begin, ptx_device_library_spirv_doubles_end};
}

} // namespace ptx::device_library
