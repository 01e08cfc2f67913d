#include "backend/hip/code.h"

#include "backend/hip/device.h"
#include "ptx/launch_mark.h"
#include "rt/error.h"

#include <cstdlib>
#include <fmt/format.h>

namespace rt::backend::hip {

HipCode::HipCode(const HipDevice& device, std::shared_ptr<const ptx::Image> image)
    : device_(device), image_(std::move(image)) {
    if (image_->target.arch != ptx::Arch::amdgcn)
        throw Error(Status::invalid_image, "hip: code for target " + image_->target.name() + " is not for an AMD GPU");
    // Without kernels there is no code object: there is nothing else to ask of one.
    if (image_->code.empty()) return;
    const Loader& hip = loader();
    const std::string name = image_->kernels.empty() ? "a module" : "kernel " + image_->kernels.front().name;
    check(hip.hipModuleLoadData(&module_, image_->code.data()), "loading " + name);
    try {
        globals_variable_ = variable("cuttle.globals");
        const bool launches = variable(ptx::launch_mark) != nullptr;
        for (const ptx::KernelInfo& info : image_->kernels) {
            if (info.symbol.empty()) continue;
            hipFunction_t function = nullptr;
            check(hip.hipModuleGetFunction(&function, module_, info.symbol.c_str()), "finding kernel " + info.name);
            kernels_[info.name] = std::make_unique<HipKernel>(*this, function, info, launches);
        }
    } catch (...) {
        hip.hipModuleUnload(module_);
        throw;
    }
}

HipCode::~HipCode() {
    kernels_.clear();
    if (module_ && !device_.lost()) loader().hipModuleUnload(module_);
}

hipDeviceptr_t HipCode::variable(const char* name) const {
    hipDeviceptr_t address = nullptr;
    size_t bytes = 0;
    if (loader().hipModuleGetGlobal(&address, &bytes, module_, name) == hipSuccess) return address;
    loader().hipGetLastError(); // taken, lest somebody else finds it
    return nullptr;
}

Kernel* HipCode::kernel(const std::string& name) {
    auto found = kernels_.find(name);
    return found == kernels_.end() ? nullptr : found->second.get();
}

uint64_t HipCode::function_address(const std::string& name) {
    for (const ptx::FunctionSymbol& function : image_->functions)
        if (function.name == name) return std::strtoull(function.symbol.c_str(), nullptr, 10);
    return 0;
}

void HipCode::set_globals(uint64_t address) {
    if (!globals_variable_) return;
    std::lock_guard lock(mutex_);
    if (address == globals_) return;
    // Each load of a module has code of its own, so launches that are under way use no other address.
    if (globals_) throw Error(Status::invalid_handle, "hip: code of one module launched with another's variables");
    check(loader().hipMemcpy(globals_variable_, &address, sizeof address, hipMemcpyDefault),
          "telling code where its variables are");
    globals_ = address;
}

} // namespace rt::backend::hip
