#pragma once

#include "backend/backend.h"
#include "backend/level_zero/loader.h"

#include <array>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace rt::backend::level_zero {

/// Allocations of a device: CUDA's device memory is Level Zero's device memory, pinned is host memory, managed is
/// shared memory. Addresses are the same on both sides. Thread safe.
class Memory {
  public:
    /// `device_bytes`: how much the device has; `largest`: bytes of the largest single allocation.
    Memory(std::shared_ptr<Context> context, ze_device_handle_t device, uint64_t device_bytes, uint64_t largest);
    ~Memory();

    /// Aligned to 512 bytes; 0 when there is not enough.
    uint64_t allocate(size_t bytes, MemoryKind kind);
    /// False when there is no such allocation.
    bool release(uint64_t address);
    /// Counts this process's allocations only: Level Zero's core does not tell those of others.
    MemoryInfo info() const;

  private:
    ze_result_t ask(size_t bytes, MemoryKind kind, void** address);

    const std::shared_ptr<Context> context_;
    const ze_device_handle_t device_;
    const uint64_t device_bytes_, largest_;
    mutable std::mutex mutex_;
    uint64_t used_ = 0;                        ///< device memory
    std::map<uint64_t, uint64_t> allocations_; ///< address -> bytes of device memory, 0 for pinned and managed
};

/// Small pieces of host memory that the device reads and writes: parameters of kernels, time stamps. Thread safe.
class Slots : public std::enable_shared_from_this<Slots> {
  public:
    explicit Slots(std::shared_ptr<Context> context) : context_(std::move(context)) {}
    ~Slots();

    /// Comes back when nobody holds it: hold it until the commands that use it are done. Aligned to 64 bytes.
    std::shared_ptr<uint8_t> take(size_t bytes);

  private:
    struct SizeClass {
        size_t bytes;
        std::vector<uint8_t*> free;
    };
    static constexpr size_t chunk_bytes = 64 << 10;
    uint8_t* allocate(size_t bytes);

    const std::shared_ptr<Context> context_;
    std::mutex mutex_;
    std::vector<uint8_t*> chunks_;
    // Time stamps; most kernels; CUDA's old limit of a kernel's parameters, and the one since 12.1, rounded up.
    std::array<SizeClass, 4> classes_{{{64, {}}, {512, {}}, {4096, {}}, {32768, {}}}};
};

} // namespace rt::backend::level_zero
