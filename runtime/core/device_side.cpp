#include "core/device_side.h"

#include "core/launch_limits.h"
#include "rt/context.h"
#include "rt/platform.h"
#include "support/log.h"

#include <fmt/format.h>

namespace rt {

ModuleSide::ModuleSide(Module& module) : module_(module) {
    for (const ptx::GlobalInfo& global : module.info().globals)
        if (!global.visible)
            if (const ptx::KernelInfo* kernel = module.info().kernel(global.name))
                kernels_.emplace(module.globals_block() + global.offset, kernel);
}

Function& ModuleSide::function(uint64_t address) {
    const auto found = kernels_.find(address);
    if (found == kernels_.end()) throw Error(Status::invalid_value, fmt::format("{:#x} is no kernel", address));
    return *module_.function(found->second->name);
}

backend::Kernel* ModuleSide::find(uint64_t address) { return function(address).resolved(); }
backend::Kernel& ModuleSide::resolve(uint64_t address) { return function(address).resolve(); }

void ModuleSide::check(uint64_t address, const backend::Launch& launch) { check_launch(function(address), launch); }

int ModuleSide::attribute(uint64_t address, int attribute) { return function(address).attribute(attribute); }

int ModuleSide::active_blocks(uint64_t address, int block_threads, size_t dynamic_shared_bytes) {
    return function(address).max_active_blocks(block_threads, dynamic_shared_bytes);
}

int ModuleSide::ordinal() const { return module_.context().device().ordinal(); }
int ModuleSide::device_count() const { return Platform::get().device_count(); }

int ModuleSide::device_attribute(int device, int attribute) const {
    const auto value = Platform::get().device(device).attribute(attribute);
    if (!value) throw Error(Status::invalid_value, fmt::format("device attribute {} is not known", attribute));
    return *value;
}

size_t ModuleSide::limit(int limit) const { return module_.context().limit(Limit(limit)); }
int ModuleSide::cache_config() const { return module_.context().cache_config; }

} // namespace rt
