#pragma once

#include "backend/backend.h"

#include <atomic>
#include <memory>

namespace rt::backend::cpu {

class CpuDevice;
class Runner;

/// A part of the pool: so many of its threads, whichever they are, may work on kernels of the queues that have it.
/// Thread safe.
class Share {
  public:
    explicit Share(unsigned threads) : threads_(threads) {}

    unsigned threads() const { return threads_; }
    bool has_room() const { return working_.load(std::memory_order_relaxed) < threads_; }
    bool enter(); ///< false when there is no room
    /// True when there was none until now: somebody may wait for it.
    bool leave() { return working_.fetch_sub(1) == threads_; }

  private:
    const unsigned threads_;
    std::atomic<unsigned> working_{0};
};

class CpuPartition : public Partition {
  public:
    CpuPartition(CpuDevice& device, unsigned threads) : device_(device), share_(std::make_shared<Share>(threads)) {}
    std::unique_ptr<Queue> create_queue(int priority) override;

  private:
    CpuDevice& device_;
    const std::shared_ptr<Share> share_;
};

} // namespace rt::backend::cpu
