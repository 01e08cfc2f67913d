#include "modules.h"

#include "engine.h"
#include "functions.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace level_zero_driver {

namespace {

struct Kernel {
    std::shared_ptr<KernelCode> code; ///< shared with the launches under way
    Size group{1, 1, 1};
    std::vector<Argument> arguments;
};

Kernel& object(ze_kernel_handle_t handle) { return *reinterpret_cast<Kernel*>(handle); }
struct Module {
    std::unique_ptr<Program> program;
    std::vector<uint8_t> binary; ///< what begin_of_binaries() says, and the SPIR-V
};
Module& object(ze_module_handle_t handle) { return *reinterpret_cast<Module*>(handle); }

/// No other build of the driver takes a binary that begins so.
std::string begin_of_binaries() {
    return "binary of build " + std::to_string(setting("CUTTLE_ZE_TEST_BUILD", driver_version())) + "\n";
}

/// Whether a module declares that it has doubles. SPIR-V 1.4, 3.31; capabilities come first.
bool declares_float64(std::span<const uint8_t> spirv) {
    constexpr size_t header_words = 5;
    constexpr uint32_t op_capability = 2 << 16 | 17, float64 = 10;
    for (size_t at = 4 * header_words; at + 8 <= spirv.size(); at += 8) {
        uint32_t words[2];
        std::memcpy(words, spirv.data() + at, sizeof words);
        if (words[0] != op_capability) return false;
        if (words[1] == float64) return true;
    }
    return false;
}

/// Null, with a reason in `log`.
std::unique_ptr<Module> build(std::span<const uint8_t> spirv, const char* flags, std::string& log) {
    if (!has_fp64() && declares_float64(spirv)) {
        log = "error: Double type is not supported on this platform.";
        return nullptr;
    }
    std::unique_ptr<Program> program = engine().build(spirv, flags ? flags : "", log);
    if (!program) return nullptr;
    const std::string begin = begin_of_binaries();
    auto module = std::make_unique<Module>(Module{std::move(program), {begin.begin(), begin.end()}});
    module->binary.insert(module->binary.end(), spirv.begin(), spirv.end());
    return module;
}

ze_result_t create_module(ze_context_handle_t, ze_device_handle_t, const ze_module_desc_t* description,
                          ze_module_handle_t* module, ze_module_build_log_handle_t* build_log) {
    std::span<const uint8_t> code(description->pInputModule, description->inputSize);
    if (description->format == ZE_MODULE_FORMAT_NATIVE) {
        const std::string begin = begin_of_binaries();
        if (code.size() < begin.size() || !std::equal(begin.begin(), begin.end(), code.begin()))
            return ZE_RESULT_ERROR_INVALID_NATIVE_BINARY;
        code = code.subspan(begin.size());
    } else if (setting("CUTTLE_ZE_TEST_NATIVE_ONLY", 0)) {
        return ZE_RESULT_ERROR_MODULE_BUILD_FAILURE;
    }
    std::string log;
    std::unique_ptr<Module> built = build(code, description->pBuildFlags, log);
    if (build_log) *build_log = reinterpret_cast<ze_module_build_log_handle_t>(new std::string(log));
    if (!built) return ZE_RESULT_ERROR_MODULE_BUILD_FAILURE;
    *module = reinterpret_cast<ze_module_handle_t>(built.release());
    return ZE_RESULT_SUCCESS;
}

ze_result_t get_native_binary(ze_module_handle_t module, size_t* bytes, uint8_t* binary) {
    const std::vector<uint8_t>& all = object(module).binary;
    if (binary) std::memcpy(binary, all.data(), std::min(*bytes, all.size()));
    *bytes = all.size();
    return ZE_RESULT_SUCCESS;
}

ze_result_t destroy_module(ze_module_handle_t module) {
    delete &object(module);
    return ZE_RESULT_SUCCESS;
}

ze_result_t get_log(ze_module_build_log_handle_t handle, size_t* bytes, char* text) {
    const auto& log = *reinterpret_cast<std::string*>(handle);
    if (text) std::memcpy(text, log.c_str(), std::min(*bytes, log.size() + 1));
    *bytes = log.size() + 1;
    return ZE_RESULT_SUCCESS;
}

ze_result_t destroy_log(ze_module_build_log_handle_t handle) {
    delete reinterpret_cast<std::string*>(handle);
    return ZE_RESULT_SUCCESS;
}

ze_result_t create_kernel(ze_module_handle_t module, const ze_kernel_desc_t* description, ze_kernel_handle_t* result) {
    Kernel kernel;
    kernel.code = object(module).program->kernel(description->pKernelName);
    if (!kernel.code) return ZE_RESULT_ERROR_INVALID_KERNEL_NAME;
    kernel.arguments.resize(kernel.code->argument_count());
    *result = reinterpret_cast<ze_kernel_handle_t>(new Kernel(std::move(kernel)));
    return ZE_RESULT_SUCCESS;
}

ze_result_t destroy_kernel(ze_kernel_handle_t handle) {
    delete &object(handle);
    return ZE_RESULT_SUCCESS;
}

ze_result_t get_properties(ze_kernel_handle_t handle, ze_kernel_properties_t* p) {
    p->numKernelArgs = uint32_t(object(handle).arguments.size());
    p->requiredGroupSizeX = p->requiredGroupSizeY = p->requiredGroupSizeZ = 0;
    p->requiredNumSubGroups = p->maxNumSubgroups = 0;
    // Every kernel of ours requires 32. PoCL has no sub-groups; a kernel that uses them does not build there.
    p->requiredSubgroupSize = p->maxSubgroupSize = 32;
    p->localMemSize = p->privateMemSize = p->spillMemSize = 0;
    return ZE_RESULT_SUCCESS;
}

ze_result_t set_group_size(ze_kernel_handle_t handle, uint32_t x, uint32_t y, uint32_t z) {
    if (uint64_t{x} * y * z == 0 || uint64_t{x} * y * z > 1024) return ZE_RESULT_ERROR_INVALID_GROUP_SIZE_DIMENSION;
    object(handle).group = {x, y, z};
    return ZE_RESULT_SUCCESS;
}

ze_result_t set_argument(ze_kernel_handle_t handle, uint32_t index, size_t bytes, const void* value) {
    Kernel& kernel = object(handle);
    if (index >= kernel.arguments.size()) return ZE_RESULT_ERROR_INVALID_KERNEL_ARGUMENT_INDEX;
    if (bytes == 0) return ZE_RESULT_ERROR_INVALID_KERNEL_ARGUMENT_SIZE;
    Argument& argument = kernel.arguments[index];
    argument.bytes = bytes;
    argument.value.clear();
    if (value) argument.value.assign(static_cast<const uint8_t*>(value), static_cast<const uint8_t*>(value) + bytes);
    return ZE_RESULT_SUCCESS;
}

/// As many as the threads of device.cpp's device take.
ze_result_t suggest_groups(ze_kernel_handle_t handle, uint32_t* groups) {
    const Size& threads = object(handle).group;
    *groups = 2 * 8 * 8 * 32 / (threads[0] * threads[1] * threads[2]);
    return ZE_RESULT_SUCCESS;
}

ze_result_t set_indirect_access(ze_kernel_handle_t, ze_kernel_indirect_access_flags_t) { return ZE_RESULT_SUCCESS; }

} // namespace

std::function<ze_result_t()> prepare_launch(ze_kernel_handle_t handle, const ze_group_count_t& groups, bool together) {
    const Kernel& kernel = object(handle);
    const Size count{groups.groupCountX, groups.groupCountY, groups.groupCountZ};
    return [code = kernel.code, arguments = kernel.arguments, count, threads = kernel.group, together] {
        return code->run(arguments, count, threads, together);
    };
}

void fill(ze_module_dditable_t& table) {
    table.pfnCreate = create_module;
    table.pfnDestroy = destroy_module;
    table.pfnGetNativeBinary = get_native_binary;
}

void fill(ze_module_build_log_dditable_t& table) {
    table.pfnGetString = get_log;
    table.pfnDestroy = destroy_log;
}

void fill(ze_kernel_dditable_t& table) {
    table.pfnCreate = create_kernel;
    table.pfnDestroy = destroy_kernel;
    table.pfnGetProperties = get_properties;
    table.pfnSetGroupSize = set_group_size;
    table.pfnSetArgumentValue = set_argument;
    table.pfnSuggestMaxCooperativeGroupCount = suggest_groups;
    table.pfnSetIndirectAccess = set_indirect_access;
}

} // namespace level_zero_driver
