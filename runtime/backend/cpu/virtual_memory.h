#pragma once

#include "backend/backend.h"

namespace rt::backend::cpu {

class MemoryFile : public PhysicalMemory {
  public:
    MemoryFile(int descriptor, size_t size) : descriptor_(descriptor), size_(size) {}
    ~MemoryFile() override;
    size_t size() const override { return size_; }
    int export_descriptor() const override;
    void discard(size_t offset, size_t bytes) override;
    int descriptor() const { return descriptor_; }
    /// Zeroed, of whole pages; nullptr when the machine refuses.
    static std::shared_ptr<MemoryFile> create(size_t bytes);

  private:
    const int descriptor_;
    const size_t size_;
};

/// Memory is files in memory, addresses are ranges of the process that nobody may access until files are mapped there.
class CpuVirtualMemory : public VirtualMemory {
  public:
    /// As on an H100.
    size_t granularity() const override { return 2 << 20; }
    uint64_t reserve(size_t bytes, size_t alignment, uint64_t wish) override;
    void unreserve(uint64_t address, size_t bytes) override;
    std::shared_ptr<PhysicalMemory> create(size_t bytes) override;
    std::shared_ptr<PhysicalMemory> import_descriptor(int descriptor) override;
    std::shared_ptr<PhysicalMemory> import_file(int descriptor, size_t bytes) override;
    bool map(uint64_t address, size_t bytes, const PhysicalMemory& memory, size_t offset) override;
    void unmap(uint64_t address, size_t bytes) override;
    bool protect(uint64_t address, size_t bytes, Access access) override;
};

} // namespace rt::backend::cpu
