#pragma once

#include "backend/backend.h"

namespace rt::backend::cpu {

/// Memory is files in memory, addresses are ranges of the process that nobody may access until files are mapped there.
class CpuVirtualMemory : public VirtualMemory {
  public:
    /// As on an H100.
    size_t granularity() const override { return 2 << 20; }
    uint64_t reserve(size_t bytes, size_t alignment, uint64_t wish) override;
    void unreserve(uint64_t address, size_t bytes) override;
    std::shared_ptr<PhysicalMemory> create(size_t bytes) override;
    std::shared_ptr<PhysicalMemory> import_descriptor(int descriptor) override;
    bool map(uint64_t address, size_t bytes, const PhysicalMemory& memory, size_t offset) override;
    void unmap(uint64_t address, size_t bytes) override;
    bool protect(uint64_t address, size_t bytes, Access access) override;
};

} // namespace rt::backend::cpu
