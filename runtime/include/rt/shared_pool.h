#pragma once

#include "rt/ipc.h"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace rt {

class Device;
class Stream;

/// The memory of a pool that other processes may import: one file, mapped as a whole, of which allocations are pieces.
/// Lives until the last of its allocations is freed. CUDA driver API, "Stream Ordered Memory Allocator". Thread safe.
class SharedPool : public std::enable_shared_from_this<SharedPool> {
  public:
    /// `max_bytes` 0: as much as the device has. Throws out_of_memory, not_supported.
    static std::shared_ptr<SharedPool> create(Device&, size_t max_bytes);
    /// Another process's; the descriptor stays the caller's. Throws invalid_value.
    static std::shared_ptr<SharedPool> import(Device&, int descriptor);
    ~SharedPool();

    bool imported() const;
    int export_descriptor() const; ///< a new one, the caller's
    /// Nothing is allocated from an imported pool: invalid_value.
    uint64_t allocate(size_t bytes, Stream&); ///< 0 when there is no more
    void release(uint64_t address, Stream&);
    void release(uint64_t address); ///< that nothing uses any more
    void trim(size_t keep);
    size_t cached_bytes() const;
    /// Where an allocation lies, for processes that have imported the pool.
    ipc::Handle export_pointer(uint64_t address, size_t bytes) const;
    struct Piece {
        uint64_t address;
        size_t bytes;
    };
    /// Throws invalid_value for what export_pointer of this pool did not give.
    Piece import_pointer(const ipc::Handle&) const;

    struct State;

  private:
    SharedPool();
    static std::shared_ptr<SharedPool> map(Device&, uint64_t memory, bool imported);
    std::unique_ptr<State> state_;
};

} // namespace rt
