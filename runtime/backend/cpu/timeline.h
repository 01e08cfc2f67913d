#pragma once

#include "backend/backend.h"
#include "backend/cpu/grid_run.h"
#include "backend/cpu/transfer.h"

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace rt::backend::cpu {

class Pool;
class Share;
class Timeline;

class CpuMarker : public Marker {
  public:
    CpuMarker(std::shared_ptr<Timeline> timeline) : timeline_(std::move(timeline)) {}
    bool reached() const override { return reached_.load(std::memory_order_acquire); }
    void wait() const override;
    std::chrono::nanoseconds time() const override { return time_; }

    void reach();
    /// Will call timeline->unblock(). False when the marker has been reached already.
    bool subscribe(std::shared_ptr<Timeline> timeline);

  private:
    friend class Timeline;
    std::shared_ptr<Timeline> timeline_;
    uint64_t sequence_ = 0;
    std::chrono::nanoseconds time_{0};
    std::atomic<bool> reached_{false};
    std::mutex mutex_;
    std::vector<std::shared_ptr<Timeline>> waiting_;
};

/// One command of a queue. Reused.
struct Command {
    enum class Kind : uint8_t { launch, copy, fill, call, mark, wait };
    Kind kind = Kind::mark;
    uint64_t sequence = 0;
    Command* next = nullptr;
    LaunchCommand launch;
    Copy copy;
    Fill fill;
    std::function<void()> function;
    std::shared_ptr<CpuMarker> marker;
    std::shared_ptr<Marker> foreign; ///< of another back end
};

/// The commands of a queue and where they stand. No thread belongs to it: whoever has time pumps it, one at a time; it
/// outlives its queue while there is something left to do.
class Timeline : public std::enable_shared_from_this<Timeline> {
  public:
    /// Its kernels keep to `share`, if there is one.
    explicit Timeline(CpuDevice& device, std::shared_ptr<Share> share = nullptr);
    ~Timeline();

    /// Fill in the list of `count` that new_commands() returns, then push() it.
    Command* new_commands(Command::Kind kind, size_t count);
    Command* new_command(Command::Kind kind) { return new_commands(kind, 1); }
    void push(Command* list);
    /// Is reached when all that was pushed so far is done: at once when that is so already, which takes no other thread.
    void mark(std::shared_ptr<CpuMarker> marker);
    bool idle() const { return completed_.load(std::memory_order_acquire) == pushed_.load(std::memory_order_acquire); }
    uint64_t pushed() const { return pushed_.load(std::memory_order_acquire); }
    /// Blocks the host until the command is done, doing the queue's work meanwhile.
    void wait(uint64_t sequence);
    Fault fault(std::string* message) const;
    CpuDevice& device() { return device_; }
    const std::shared_ptr<Share>& share() const { return share_; }

    // For runners.
    /// True for one caller when the queue can go on; it must then pump.
    bool try_start();
    /// Executes commands. A job comes back to be worked on; null when the queue is empty or waits.
    Job* pump(Runner& runner, uint64_t until);
    Job* job() const { return job_.load(std::memory_order_acquire); }
    /// What the queue waited for has happened.
    void unblock();
    void job_done(Runner& runner, Job& job);

    bool listed = false; ///< in the pool's list; the pool's

  private:
    enum class State : uint8_t { idle, ready, running, blocked };
    enum class Step : uint8_t { done, job, blocked };

    Step execute(Command& command, Runner& runner);
    Step launch(Command& command);
    Step skip(Command& command); ///< a launch on a queue that has failed
    /// The launch that current_ is has ended: who is to hear of it, or null.
    LaunchCommand::Finished end_launch();
    void wait_for_children(Runner& runner, ChildGrids& children, Fault fault, const std::string& message);
    void go_on_after_job(Runner& runner, Fault fault, const std::string& message);
    template <class What> Step transfer(const What& what, Runner& runner);
    Step wait_for(Command& command);
    void complete(Command* command); ///< with the lock held
    bool go_on();                    ///< with the lock held; true when the pool must hear of it
    void set_fault(Fault fault, const std::string& message);

    CpuDevice& device_;
    Pool& pool_;
    const std::shared_ptr<Share> share_;
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    Command *head_ = nullptr, *tail_ = nullptr, *spare_ = nullptr, *current_ = nullptr;
    std::atomic<State> state_{State::idle};
    std::atomic<uint64_t> pushed_{0}, completed_{0};
    uint64_t awaited_ = ~uint64_t{0}; ///< the earliest command that a sleeping host thread waits for
    std::atomic<Job*> job_{nullptr};
    GridRun grid_;
    Transfer transfer_;
    std::atomic<bool> failed_{false};
    Fault fault_ = Fault::none;
    std::string message_;
};

} // namespace rt::backend::cpu
