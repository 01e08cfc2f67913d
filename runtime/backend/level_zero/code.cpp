#include "backend/level_zero/code.h"

#include "ptx/launch_mark.h"
#include "ptx/spirv_arguments.h"
#include "rt/error.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <fmt/format.h>
#include <string_view>

namespace rt::backend::level_zero {

ZeKernel::ZeKernel(std::shared_ptr<Context> context, std::shared_ptr<const Events> events, ze_module_handle_t module,
                   const ptx::KernelInfo& info, bool launches)
    : context_(std::move(context)), events_(std::move(events)), info_(info), launches_(launches),
      passed_(ptx::spirv_arguments(info)) {
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

ZeCode::ZeCode(std::shared_ptr<Context> context, std::shared_ptr<const Events> events, const Builder& builder,
               std::shared_ptr<const ptx::Image> image)
    : context_(std::move(context)), events_(std::move(events)), image_(std::move(image)) {
    if (image_->target.arch != ptx::Arch::spirv)
        throw Error(Status::invalid_image, "level_zero: code for target " + image_->target.name() + " is not SPIR-V");
    // Without kernels there is no module: there is nothing else to ask of one.
    if (image_->code.empty() || take_kept(builder)) return;
    module_ = builder.build(*image_);
    make_kernels();
    builder.keep(module_, *image_);
}

bool ZeCode::take_kept(const Builder& builder) {
    try {
        module_ = builder.find(*image_);
        if (module_) make_kernels();
        return module_;
    } catch (const Error& error) {
        builder.forget(*image_, error.what());
        return false;
    }
}

void ZeCode::make_kernels() {
    // Among the names in the SPIR-V.
    const bool launches = !std::ranges::search(image_->code, std::string_view(ptx::launch_mark)).empty();
    try {
        for (const ptx::KernelInfo& info : image_->kernels)
            if (!info.symbol.empty())
                kernels_[info.name] = std::make_unique<ZeKernel>(context_, events_, module_, info, launches);
    } catch (...) {
        kernels_.clear();
        context_->ze.zeModuleDestroy(module_);
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
