#pragma once

#include "rt/module.h"

#include <unordered_map>

namespace rt {

/// A module as its own kernels see it.
class ModuleSide : public backend::DeviceSide {
  public:
    explicit ModuleSide(Module& module);

    backend::Kernel* find(uint64_t address) override;
    backend::Kernel& resolve(uint64_t address) override;
    void check(uint64_t address, const backend::Launch&) override;
    int attribute(uint64_t address, int attribute) override;
    int active_blocks(uint64_t address, int block_threads, size_t dynamic_shared_bytes) override;
    int ordinal() const override;
    int device_count() const override;
    int device_attribute(int device, int attribute) const override;
    size_t limit(int limit) const override;
    int cache_config() const override;

  private:
    Function& function(uint64_t address);

    Module& module_;
    std::unordered_map<uint64_t, const ptx::KernelInfo*> kernels_; ///< those whose address device code takes
};

} // namespace rt
