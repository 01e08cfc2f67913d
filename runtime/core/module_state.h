#pragma once

#include "core/device_side.h"
#include "rt/module.h"

namespace rt {

struct Module::State {
    bool owns_globals = false;
    std::unique_ptr<ModuleSide> device_side;
    std::mutex mutex; ///< guards what follows
    std::map<std::string, std::unique_ptr<Function>, std::less<>> functions;
    std::vector<std::unique_ptr<backend::Code>> codes; ///< one for each kernel translated so far
    std::unique_ptr<backend::Code> data_functions;     ///< what function pointers in data point to
};

/// Allocates a block for a program's globals. Throws out_of_memory.
uint64_t allocate_globals(backend::Device&, const ptx::ModuleInfo&);
backend::MemoryKind kind_of_globals(const ptx::ModuleInfo&);

} // namespace rt
