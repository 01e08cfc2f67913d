#pragma once

#include "backend/backend.h"
#include "backend/gpu/parents.h"
#include "backend/gpu/queue_services.h"
#include "backend/level_zero/host_calls.h"
#include "backend/level_zero/marker.h"

#include <deque>
#include <memory>
#include <mutex>

namespace rt::backend::level_zero {

class ZeDevice;
class ZeKernel;

/// An immediate command list. Level Zero starts its commands in order but lets them overlap, so each signals an event
/// and waits for the event of the one before. Asynchronous; what it was given is done before it is gone.
class ZeQueue : public Queue {
  public:
    /// `parents` when its kernels are launched by others: then the launcher waits for what they launch. Else the queue
    /// does.
    ZeQueue(ZeDevice& device, int priority, std::shared_ptr<gpu::Parents> parents = nullptr);
    ~ZeQueue() override;

    void launch(const Launch& launch) override;
    void copy(const Copy& copy) override;
    void fill(const Fill& fill) override;
    void call(std::function<void()> function) override;
    std::shared_ptr<Marker> mark(bool timing) override;
    void wait_for(std::shared_ptr<Marker> marker) override;
    bool idle() const override;
    void synchronize() override;
    Fault fault(std::string* message) const override { return faults_->get(message); }

  private:
    /// A command that may be under way, and what must live until it is done.
    struct Command {
        std::shared_ptr<Event> done, before, also;
        std::shared_ptr<uint8_t> memory;
    };
    /// Calls `command(signal, count, waits)`, which appends to the list, for a command that uses `memory` and waits for
    /// `also` beside the command before it. With the lock held.
    template <class F> void append(const std::string& doing, F&& command, std::shared_ptr<uint8_t> memory = nullptr,
                                   std::shared_ptr<Event> also = nullptr);
    void start(const Launch& launch, ZeKernel& kernel);        ///< with the lock held
    void start_parent(const Launch& launch, ZeKernel& kernel); ///< with the lock held
    void copy_rows(const Copy& copy);
    gpu::QueueServices& services();                ///< with the lock held
    void serve();                                  ///< with the lock held
    void add_call(std::function<void()> function); ///< with the lock held; an application's
    void post(std::function<void()> function);     ///< with the lock held
    void make_room();                              ///< with the lock held
    void retire();                                 ///< with the lock held

    ZeDevice& device_;
    const Loader& ze_;
    ze_command_list_handle_t list_ = nullptr;
    const bool is_launchers_;
    const std::shared_ptr<gpu::Parents> parents_;
    const std::shared_ptr<Faults> faults_ = std::make_shared<Faults>();
    mutable std::mutex mutex_;
    std::deque<Command> under_way_;
    std::shared_ptr<Event> last_; ///< of the newest command; null before the first
    std::unique_ptr<HostCalls> host_calls_;
    std::unique_ptr<gpu::QueueServices> services_;
};

} // namespace rt::backend::level_zero
