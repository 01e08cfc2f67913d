#pragma once

#include "api/types.h"
#include "rt/handle.h"
#include "rt/shared_pool.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace rt {
class Device;
}

namespace shim {

/// A pool of stream-ordered memory: attributes and counts. The memory itself comes from the context's one cache,
/// so what a pool reserves is what it has in use and what lies in that cache; only a pool for several processes has
/// memory of its own. CUDA driver API, stream ordered memory
/// allocator.
class MemoryPool : public rt::HandleBase {
  public:
    static constexpr rt::HandleKind kind = rt::HandleKind::mem_pool;

    /// `shared`: of a pool that other processes may import, or another process's.
    MemoryPool(int device, size_t max_bytes, std::shared_ptr<rt::SharedPool> shared = nullptr)
        : HandleBase(kind), device_(device), max_bytes_(max_bytes), shared_(std::move(shared)) {}

    int device() const { return device_; }
    const std::shared_ptr<rt::SharedPool>& shared() const { return shared_; }
    bool imported() const { return shared_ && shared_->imported(); }
    /// Counts an allocation in; throws out_of_memory beyond the pool's limit.
    void add(uint64_t bytes);
    void remove(uint64_t bytes) { used_ -= bytes; }
    uint64_t used() const { return used_; }
    /// CUmemPool_attribute; the value is an int or a cuuint64_t.
    void get(CUmemPool_attribute, void* value) const;
    void set(CUmemPool_attribute, const void* value);

  private:
    uint64_t cached() const;

    const int device_;
    const size_t max_bytes_;
    const std::shared_ptr<rt::SharedPool> shared_;
    std::atomic<uint64_t> used_ = 0, used_high_ = 0;
    uint64_t release_threshold_ = 0;
    int reuse_[3] = {1, 1, 1};
};

/// The pool that an address was allocated from; null for other memory.
CUmemoryPool pool_of_address(uint64_t address);
/// An address was freed: its pool counts it no more. Does nothing for other memory.
void forget_pool_allocation(uint64_t address);

} // namespace shim
