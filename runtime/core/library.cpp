#include "core/context_state.h"
#include "core/lifecycle.h"
#include "core/module_state.h"
#include "core/relocate.h"
#include "rt/memory.h"
#include "rt/platform.h"

namespace rt {

Library::Library(std::shared_ptr<Program> program) : HandleBase(kind), program_(std::move(program)) {}

Library::~Library() {
    std::lock_guard life(lifecycle());
    while (!modules_.empty()) drop(modules_.begin()->second->context());
    if (!managed_block_) return;
    memory::forget(managed_block_);
    managed_owner_->release(managed_block_, backend::MemoryKind::managed);
}

Module& Library::module(Context& context) {
    {
        std::lock_guard lock(mutex_);
        if (auto found = modules_.find(context.id()); found != modules_.end()) return *found->second;
    }
    std::lock_guard life(lifecycle());
    std::lock_guard lock(mutex_);
    auto& module = modules_[context.id()];
    if (module) return *module;
    try {
        module = std::make_unique<Module>(context, program_, managed_block());
    } catch (...) {
        modules_.erase(context.id());
        throw;
    }
    std::lock_guard objects(context.state().mutex);
    context.state().libraries.insert(this);
    return *module;
}

void Library::drop(Context& context) {
    std::lock_guard life(lifecycle());
    std::unique_ptr<Module> module;
    {
        std::lock_guard lock(mutex_);
        auto found = modules_.find(context.id());
        if (found != modules_.end()) {
            module = std::move(found->second);
            modules_.erase(found);
        }
        for (auto& [name, kernel] : kernels_) kernel->forget(context);
    }
    {
        std::lock_guard objects(context.state().mutex);
        context.state().libraries.erase(this);
    }
    module = nullptr; // outside of both locks: it waits for the device
}

LibraryKernel* Library::kernel(const std::string& name) {
    std::lock_guard lock(mutex_);
    const auto* kernel = info().kernel(name);
    if (!kernel) return nullptr;
    if (!kernel->error.empty()) throw Error(Status::invalid_ptx, name + ": " + kernel->error);
    auto& found = kernels_[name];
    if (!found) found = std::make_unique<LibraryKernel>(*this, *kernel);
    return found.get();
}

std::vector<LibraryKernel*> Library::kernels() {
    std::lock_guard lock(mutex_);
    std::vector<LibraryKernel*> all;
    for (auto& kernel : info().kernels) {
        auto& found = kernels_[kernel.name];
        if (!found) found = std::make_unique<LibraryKernel>(*this, kernel);
        all.push_back(found.get());
    }
    return all;
}

// CUDA driver API, cuLibraryGetManaged: one address for all contexts, and cudart asks before there is a context. As all
// globals of a program lie in one block, contexts then share the others too.
uint64_t Library::managed_block() {
    if (managed_block_ || kind_of_globals(info()) != backend::MemoryKind::managed) return managed_block_;
    auto* current = Context::current_or_null();
    // A primary context: it cannot die before the library.
    Context& context = (current ? current->device() : Platform::get().device(0)).primary();
    auto& device = context.device().backend();
    const uint64_t block = allocate_globals(device, info());
    try {
        if (!info().functions_in_data.empty())
            managed_functions_ = device.load(program_->translate_functions(device.facts().target));
        initialize_globals(context, info(), block, managed_functions_.get());
    } catch (...) {
        device.release(block, backend::MemoryKind::managed);
        throw;
    }
    memory::remember({.address = block,
                      .size = info().block_size,
                      .kind = backend::MemoryKind::managed,
                      .of_module = true,
                      .context = &context,
                      .device = context.device().ordinal()});
    managed_owner_ = &device;
    return managed_block_ = block;
}

Global Library::managed(const std::string& name) {
    const auto* found = info().global(name);
    if (!found || !found->managed) return {};
    std::lock_guard lock(mutex_);
    return {managed_block() + found->offset, found->size};
}

Function& LibraryKernel::function(Context& context) {
    Function* last = last_.load(std::memory_order_acquire);
    if (last && &last->module().context() == &context) return *last;
    Function* found = library_.module(context).function(name());
    last_.store(found, std::memory_order_release);
    return *found;
}

void LibraryKernel::forget(Context& context) {
    Function* last = last_.load();
    if (last && &last->module().context() == &context) last_ = nullptr;
}

} // namespace rt
