#pragma once

#include "backend/clusters.h"
#include "backend/device_side/device_runtime.h"
#include "backend/gpu/launcher.h"
#include "backend/gpu/service_thread.h"
#include "backend/hip/loader.h"
#include "backend/hip/marker.h"
#include "backend/hip/watch_dog.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <set>

namespace rt::backend::hip {

/// CUDA's device, pinned and managed memory are HIP's of the same names. Addresses are the same on both sides.
class HipDevice : public Device, public ClusterLimits {
  public:
    explicit HipDevice(int number);

    const DeviceFacts& facts() const override { return facts_; }
    MemoryInfo memory() const override;
    uint64_t allocate(size_t bytes, MemoryKind kind) override;
    void release(uint64_t address, MemoryKind kind) override;
    std::unique_ptr<Code> load(std::shared_ptr<const ptx::Image> image) override;
    std::unique_ptr<Queue> create_queue(int priority) override;
    void set_limits(uint64_t heap, uint64_t printf_buffer, uint64_t stack) override;
    uint32_t resident_blocks_per_multiprocessor(Kernel& kernel, uint32_t block_threads,
                                                uint32_t dynamic_shared_bytes) const override;
    uint64_t resident_clusters(const Launch& launch) const override;
    bool can_reach(const Device& other) const override;
    void let_reach(Device& other, bool allowed) override;
    void drain_printf() override { runtime_.drain(); }

    /// HIP's current device belongs to a thread, and the application's threads come and go.
    void make_current() const { check(loader().hipSetDevice(number_), "choosing a device"); }
    uint32_t wave_lanes() const { return wave_lanes_; }
    const std::shared_ptr<Clock>& clock() const { return clock_; }
    DeviceRuntime& runtime() { return runtime_; }
    gpu::ServiceThread& service_thread() { return service_thread_; }
    gpu::Launcher& launcher() { return launcher_; }
    WatchDog& watch_dog() { return watch_dog_; }
    /// A kernel hangs that nothing ends. What it may use stays allocated for good.
    bool lost() const { return lost_; }
    void set_lost() { lost_ = true; }
    /// Kernels that wait for something are told to end. False if one goes on nevertheless.
    bool end_waiting_kernels();
    void add(Waiter& waiter);
    void remove(Waiter& waiter);

  private:
    const int number_;
    const DeviceFacts facts_;
    const uint32_t wave_lanes_;
    const std::shared_ptr<Clock> clock_;
    WatchDog watch_dog_;
    std::atomic<bool> lost_{false};
    DeviceRuntime runtime_;
    gpu::ServiceThread service_thread_;
    std::mutex peers_mutex_;
    std::map<int, unsigned> peers_; ///< how often each may be reached
    std::mutex waiters_mutex_;
    std::set<Waiter*> waiters_;
    gpu::Launcher launcher_; ///< last: its queues use the others
};

} // namespace rt::backend::hip
