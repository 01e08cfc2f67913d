#include "rt/module.h"

#include "core/context_state.h"
#include "core/module_state.h"
#include "core/relocate.h"
#include "rt/memory.h"
#include "support/log.h"

namespace rt {
namespace {

// The managed variables of a module make its whole block managed: it is one piece of memory.
bool has_managed(const ptx::ModuleInfo& info) {
    for (auto& global : info.globals)
        if (global.managed) return true;
    return false;
}

} // namespace

backend::MemoryKind kind_of_globals(const ptx::ModuleInfo& info) {
    return has_managed(info) ? backend::MemoryKind::managed : backend::MemoryKind::device;
}

uint64_t allocate_globals(backend::Device& device, const ptx::ModuleInfo& info) {
    const uint64_t block = device.allocate(info.block_size, kind_of_globals(info));
    if (!block)
        throw Error(Status::out_of_memory, fmt::format("no {} bytes for a module's variables", info.block_size));
    return block;
}

Module::Module(Context& context, std::shared_ptr<Program> program, uint64_t shared_globals)
    : HandleBase(kind), context_(context), program_(std::move(program)), globals_(shared_globals),
      state_(std::make_unique<State>()) {
    auto& device = context_.device().backend();
    if (!globals_ && info().block_size) {
        globals_ = allocate_globals(device, info());
        state_->owns_globals = true;
        memory::remember({.address = globals_,
                          .size = info().block_size,
                          .kind = kind_of_globals(info()),
                          .of_module = true,
                          .context = &context_,
                          .device = context_.device().ordinal()});
        try {
            if (!info().functions_in_data.empty())
                state_->data_functions = device.load(program_->translate_functions(device.facts().target));
            initialize_globals(context_, info(), globals_, state_->data_functions.get());
        } catch (...) {
            memory::forget(globals_);
            device.release(globals_, kind_of_globals(info()));
            throw;
        }
    }
    state_->device_side = std::make_unique<ModuleSide>(*this);
    std::lock_guard lock(context_.state().mutex);
    context_.state().modules.insert(this);
}

Module::~Module() {
    auto& state = context_.state();
    state.wait_for_all(); // kernels of ours may still run
    {
        std::lock_guard lock(state.mutex);
        state.modules.erase(this);
    }
    if (!state_->owns_globals) return;
    memory::forget(globals_);
    context_.device().backend().release(globals_, kind_of_globals(info()));
}

Function* Module::function(const std::string& name) {
    std::lock_guard lock(state_->mutex);
    auto found = state_->functions.find(name);
    if (found == state_->functions.end()) {
        const auto* kernel = info().kernel(name);
        if (!kernel) return nullptr;
        found = state_->functions.emplace(name, std::make_unique<Function>(*this, *kernel)).first;
    }
    const auto& broken = found->second->info().error;
    if (!broken.empty()) throw Error(Status::invalid_ptx, name + ": " + broken);
    return found->second.get();
}

std::vector<Function*> Module::functions() {
    std::lock_guard lock(state_->mutex);
    std::vector<Function*> all;
    for (auto& kernel : info().kernels) {
        auto& function = state_->functions[kernel.name];
        if (!function) function = std::make_unique<Function>(*this, kernel);
        all.push_back(function.get());
    }
    return all;
}

Global Module::global(const std::string& name) const {
    const auto* found = program_->info().global(name);
    if (!found || !found->visible) return {};
    return {globals_ + found->offset, found->size};
}

} // namespace rt
