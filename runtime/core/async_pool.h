#pragma once

#include "backend/backend.h"

#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>

namespace rt {

class Stream;

/// Where a pool has its memory from.
class BlockSource {
  public:
    virtual ~BlockSource() = default;
    virtual uint64_t take(size_t bytes) = 0; ///< 0 when there is no more
    virtual void give(uint64_t address) = 0;
};

/// The memory of a device.
class DeviceBlocks : public BlockSource {
  public:
    explicit DeviceBlocks(backend::Device& device) : device_(device) {}
    uint64_t take(size_t bytes) override { return device_.allocate(bytes, backend::MemoryKind::device); }
    void give(uint64_t address) override { device_.release(address, backend::MemoryKind::device); }

  private:
    backend::Device& device_;
};

/// Memory of cuMemAllocAsync: what was freed on a stream is handed out again without asking the back end, at once on
/// the same stream, on others when the free was reached, or with a wait on the device. CUDA driver API, stream ordered
/// memory allocator. Thread safe.
class AsyncPool {
  public:
    explicit AsyncPool(BlockSource& source) : source_(source) {}
    ~AsyncPool() { trim(0); }

    uint64_t allocate(size_t bytes, Stream&); ///< 0 when there is no more
    void release(uint64_t address, Stream&);
    /// Forgets a block that the caller gives back to the back end itself.
    void disown(uint64_t address);
    /// Gives cached blocks back until `keep` bytes are left. Only blocks whose free was reached, unless `wait`.
    void trim(size_t keep, bool wait = true);
    size_t cached_bytes() const;

  private:
    struct Free {
        uint64_t address;
        uint64_t stream; ///< Stream::id of where it was freed
        std::shared_ptr<backend::Marker> marker;
    };
    using Cache = std::multimap<size_t, Free>;
    Cache::iterator choose(size_t bytes, const Stream&);

    BlockSource& source_;
    mutable std::mutex mutex_;
    Cache cache_; ///< by size
    size_t cached_bytes_ = 0;
    std::unordered_map<uint64_t, size_t> live_; ///< sizes as rounded
};

} // namespace rt
