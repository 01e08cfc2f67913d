#pragma once

#include "backend/device_side/device_runtime.h"
#include "backend/gpu/faults.h"
#include "ptx/gpu_services.h"

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>

namespace rt::backend::gpu {

/// The runtime's side of ptx/gpu_services.h for one queue: what its kernels ask for is done here. Thread safe.
class ServiceBox {
  public:
    /// `slots`: zeroed, their number a power of two and at least 64. Like `report`, in memory that host and device
    /// reach; both outlive the box.
    ServiceBox(std::span<ptx::gpu::Slot> slots, ptx::gpu::StopReport& report, DeviceRuntime& runtime,
               std::shared_ptr<Faults> faults);

    /// Who answers device calls: writes over the text of the slot, whenever it likes, and calls the function then.
    using DeviceCalls = std::function<void(ptx::gpu::Slot&, std::function<void()> answered)>;
    void set_device_calls(DeviceCalls device_calls);

    /// Does all that was asked so far. True when there was something.
    bool serve();

  private:
    using Slot = ptx::gpu::Slot;

    void serve(Slot& slot, uint32_t turn);
    void print(const std::string& text);
    void report_assertion_of(const std::string& text, const Slot& slot);
    void look_at_report();

    const std::span<Slot> slots_;
    ptx::gpu::StopReport& report_;
    DeviceRuntime& runtime_;
    const std::shared_ptr<Faults> faults_;
    std::mutex mutex_;
    uint64_t next_ = 0;                          ///< ticket
    std::map<uint64_t, std::string> unfinished_; ///< messages by their first tickets
    std::string scratch_;
    DeviceCalls device_calls_;
};

} // namespace rt::backend::gpu
