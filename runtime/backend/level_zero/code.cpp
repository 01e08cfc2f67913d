#include "backend/level_zero/code.h"

#include "ptx/spirv_arguments.h"
#include "rt/error.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <fmt/format.h>

namespace rt::backend::level_zero {

namespace {

// Buffers beyond 4 GiB; and PTX's div.rn and sqrt.rn are exact, while OpenCL's division and square root need not be.
constexpr const char* build_flags = "-ze-opt-greater-than-4GB-buffer-required -cl-fp32-correctly-rounded-divide-sqrt";

/// Takes the log, which may be null, and gives its text.
std::string text_of(const Loader& ze, ze_module_build_log_handle_t log) {
    if (!log) return "no build log";
    size_t bytes = 0;
    std::string text;
    if (ze.zeModuleBuildLogGetString(log, &bytes, nullptr) == ZE_RESULT_SUCCESS && bytes) {
        text.resize(bytes);
        if (ze.zeModuleBuildLogGetString(log, &bytes, text.data()) != ZE_RESULT_SUCCESS) text.clear();
    }
    ze.zeModuleBuildLogDestroy(log);
    while (!text.empty() && (text.back() == '\0' || text.back() == '\n')) text.pop_back();
    return text.empty() ? "an empty build log" : text;
}

} // namespace

ZeKernel::ZeKernel(std::shared_ptr<Context> context, std::shared_ptr<const Events> events, ze_module_handle_t module,
                   const ptx::KernelInfo& info)
    : context_(std::move(context)), events_(std::move(events)), info_(info), passed_(ptx::spirv_arguments(info)) {
    const Loader& ze = context_->ze;
    ze_kernel_desc_t description;
    description.pKernelName = info.symbol.c_str();
    check(ze.zeKernelCreate(module, &description, &handle_), "creating kernel " + info.name);
    try {
        // Memory is reached by address only. Once: asking at each launch makes launches wait for each other.
        check(ze.zeKernelSetIndirectAccess(handle_, ZE_KERNEL_INDIRECT_ACCESS_FLAG_HOST |
                                                        ZE_KERNEL_INDIRECT_ACCESS_FLAG_DEVICE |
                                                        ZE_KERNEL_INDIRECT_ACCESS_FLAG_SHARED),
              "opening memory to kernel " + info.name);
        ze_kernel_properties_t properties;
        check(ze.zeKernelGetProperties(handle_, &properties), "asking for properties of kernel " + info.name);
        // Intel's compiler narrows sub-groups silently when it cannot keep the required width.
        if (properties.maxSubgroupSize != warp_size)
            throw Error(Status::not_supported, fmt::format("level_zero: kernel {}: the driver made sub-groups of {}",
                                                           info.name, properties.maxSubgroupSize));
    } catch (...) {
        ze.zeKernelDestroy(handle_);
        throw;
    }
}

ZeKernel::~ZeKernel() {
    if (!events_->is_lost()) context_->ze.zeKernelDestroy(handle_);
}

void ZeKernel::set_shared(uint32_t dynamic_bytes) {
    const size_t bytes = size_t{(info_.static_shared_bytes + 15) & ~15u} + dynamic_bytes;
    // The argument is there even if unused, and may not be empty.
    check(context_->ze.zeKernelSetArgumentValue(handle_, 2, std::max<size_t>(bytes, 16), nullptr),
          "giving shared memory to " + info_.name);
}

uint32_t ZeKernel::most_groups_at_once(uint32_t threads, uint32_t dynamic_shared_bytes) {
    std::lock_guard lock(mutex_);
    check(context_->ze.zeKernelSetGroupSize(handle_, threads, 1, 1), "setting the block of kernel " + info_.name);
    set_shared(dynamic_shared_bytes);
    uint32_t groups = 0;
    check(context_->ze.zeKernelSuggestMaxCooperativeGroupCount(handle_, &groups),
          "asking how many blocks are resident of kernel " + info_.name);
    return groups;
}

void ZeKernel::set_arguments(const Launch& launch, const gpu::Group& group, const Addresses& addresses) {
    const Loader& ze = context_->ze;
    const auto doing = [&](const char* what) { return what + info_.name; };
    const auto give = [&](uint32_t number, const uint64_t& value, const char* what) {
        check(ze.zeKernelSetArgumentValue(handle_, number, sizeof value, &value), doing(what));
    };
    check(ze.zeKernelSetGroupSize(handle_, group.threads.x, group.threads.y, group.threads.z),
          doing("setting the block of kernel "));
    give(0, addresses.parameters, "giving parameters to ");
    give(1, launch.globals, "giving globals to ");
    set_shared(group.dynamic_shared_bytes);
    uint32_t next = 3;
    if (info_.uses_services) {
        give(next++, addresses.services, "giving services to ");
        give(next++, addresses.workspace, "giving a workspace to ");
    }
    if (info_.uses_cluster) give(next++, addresses.cluster, "giving its cluster to ");
    for (const ptx::ParameterInfo& part : passed_) {
        assert(part.offset + part.size <= launch.parameters.size());
        check(ze.zeKernelSetArgumentValue(handle_, next++, part.size, launch.parameters.data() + part.offset),
              doing("giving parameters to "));
    }
}

ZeCode::ZeCode(std::shared_ptr<Context> context, std::shared_ptr<const Events> events, ze_device_handle_t device,
               std::shared_ptr<const ptx::Image> image)
    : context_(std::move(context)), events_(std::move(events)), image_(std::move(image)) {
    if (image_->target.arch != ptx::Arch::spirv)
        throw Error(Status::invalid_image, "level_zero: code for target " + image_->target.name() + " is not SPIR-V");
    // Without kernels there is no module: there is nothing else to ask of one.
    if (image_->code.empty()) return;
    const Loader& ze = context_->ze;
    ze_module_desc_t description;
    description.inputSize = image_->code.size();
    description.pInputModule = image_->code.data();
    description.pBuildFlags = build_flags;
    ze_module_build_log_handle_t log = nullptr;
    const ze_result_t result = ze.zeModuleCreate(context_->handle, device, &description, &module_, &log);
    const std::string text = text_of(ze, log);
    const std::string name = image_->kernels.empty() ? "a module" : "kernel " + image_->kernels.front().name;
    check(result, result == ZE_RESULT_SUCCESS ? "" : "building " + name + ": " + text);
    try {
        for (const ptx::KernelInfo& info : image_->kernels)
            if (!info.symbol.empty())
                kernels_[info.name] = std::make_unique<ZeKernel>(context_, events_, module_, info);
    } catch (...) {
        kernels_.clear();
        ze.zeModuleDestroy(module_);
        throw;
    }
}

ZeCode::~ZeCode() {
    kernels_.clear();
    if (module_ && !events_->is_lost()) context_->ze.zeModuleDestroy(module_);
}

uint64_t ZeCode::function_address(const std::string& name) {
    for (const ptx::FunctionSymbol& function : image_->functions)
        if (function.name == name) return std::strtoull(function.symbol.c_str(), nullptr, 10);
    return 0;
}

Kernel* ZeCode::kernel(const std::string& name) {
    auto found = kernels_.find(name);
    return found == kernels_.end() ? nullptr : found->second.get();
}

} // namespace rt::backend::level_zero
