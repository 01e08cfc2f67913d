#include "backend/cpu/timeline.h"

#include "backend/cpu/child_grids.h"
#include "backend/cpu/device.h"
#include "backend/cpu/pool.h"
#include "backend/cpu/share.h"

#include <algorithm>
#include <optional>

namespace rt::backend::cpu {

namespace {

/// Commands in a row before other queues get their turn.
constexpr unsigned turn = 256;

/// Work below this is done before a sleeping thread would be awake.
constexpr uint64_t worth_waking = 20'000, worth_sharing = 5'000;

} // namespace

/// Until the mark counts as done in its queue, too, which is a moment after it is reached: who has waited for the last
/// one finds the queue idle.
void CpuMarker::wait() const { timeline_->wait(sequence_); }

void CpuMarker::reach() {
    std::vector<std::shared_ptr<Timeline>> waiting;
    {
        std::lock_guard lock(mutex_);
        time_ = std::chrono::steady_clock::now().time_since_epoch();
        reached_.store(true, std::memory_order_release);
        waiting.swap(waiting_);
    }
    for (const auto& timeline : waiting) timeline->unblock();
}

bool CpuMarker::subscribe(std::shared_ptr<Timeline> timeline) {
    std::lock_guard lock(mutex_);
    if (reached()) return false;
    waiting_.push_back(std::move(timeline));
    return true;
}

Timeline::Timeline(CpuDevice& device, std::shared_ptr<Share> share)
    : device_(device), pool_(device.pool()), share_(std::move(share)), grid_(device, *this, pool_.size()),
      transfer_(*this, pool_.size()) {}

Timeline::~Timeline() {
    for (Command* list : {head_, spare_, current_})
        while (list) delete std::exchange(list, list->next);
}

Command* Timeline::new_commands(Command::Kind kind, size_t count) {
    Command* list = nullptr;
    const auto add = [&](Command* command) {
        command->kind = kind;
        command->next = list;
        list = command;
    };
    {
        std::lock_guard lock(mutex_);
        for (; count && spare_; count--) add(std::exchange(spare_, spare_->next));
    }
    for (; count; count--) add(new Command);
    return list;
}

void Timeline::push(Command* list) {
    bool submit = false;
    {
        std::lock_guard lock(mutex_);
        uint64_t sequence = pushed_.load(std::memory_order_relaxed);
        (tail_ ? tail_->next : head_) = list;
        for (; list; list = list->next) {
            list->sequence = ++sequence;
            if (list->kind == Command::Kind::mark) list->marker->sequence_ = sequence;
            tail_ = list;
        }
        pushed_.store(sequence, std::memory_order_release);
        if (state_ == State::idle) submit = go_on();
    }
    if (submit) pool_.submit(shared_from_this());
}

void Timeline::mark(std::shared_ptr<CpuMarker> marker) {
    {
        std::lock_guard lock(mutex_);
        if (state_ == State::idle) {
            const uint64_t sequence = pushed_.load(std::memory_order_relaxed) + 1;
            marker->sequence_ = sequence;
            marker->reach();
            pushed_.store(sequence, std::memory_order_release);
            completed_.store(sequence, std::memory_order_release);
            return;
        }
    }
    Command* command = new_command(Command::Kind::mark);
    command->marker = std::move(marker);
    push(command);
}

bool Timeline::go_on() {
    state_ = head_ ? State::ready : State::idle;
    return head_ != nullptr;
}

bool Timeline::try_start() {
    State ready = State::ready;
    return state_.load(std::memory_order_relaxed) == ready && state_.compare_exchange_strong(ready, State::running);
}

void Timeline::complete(Command* command) {
    completed_.store(command->sequence, std::memory_order_release);
    command->function = nullptr;
    command->marker = nullptr;
    command->foreign = nullptr;
    command->next = spare_;
    spare_ = command;
    current_ = nullptr;
    if (awaited_ > completed_) return;
    awaited_ = ~uint64_t{0};
    changed_.notify_all();
}

Job* Timeline::pump(Runner& runner, uint64_t until) {
    for (unsigned count = 0;; count++) {
        {
            std::unique_lock lock(mutex_);
            if (current_) complete(current_);
            if (!head_ || count == turn || completed_ >= until) {
                const bool submit = go_on();
                lock.unlock();
                if (submit) pool_.submit(shared_from_this());
                return nullptr;
            }
            current_ = head_;
            if (!(head_ = head_->next)) tail_ = nullptr;
            current_->next = nullptr;
        }
        switch (execute(*current_, runner)) {
        case Step::done:
            break;
        case Step::job:
            return job();
        case Step::blocked:
            return nullptr;
        }
    }
}

Timeline::Step Timeline::execute(Command& command, Runner& runner) {
    switch (command.kind) {
    case Command::Kind::launch:
        return failed_ ? skip(command) : launch(command);
    case Command::Kind::copy:
        return failed_ ? Step::done : transfer(command.copy, runner);
    case Command::Kind::fill:
        return failed_ ? Step::done : transfer(command.fill, runner);
    case Command::Kind::mark:
        command.marker->reach();
        return Step::done;
    case Command::Kind::wait:
        return wait_for(command);
    case Command::Kind::call:
        state_ = State::blocked;
        pool_.host_call([self = shared_from_this(), function = std::move(command.function)] {
            function();
            self->unblock();
        });
        return Step::blocked;
    }
    return Step::done;
}

Timeline::Step Timeline::skip(Command&) {
    if (const auto finished = end_launch()) finished(fault_, message_);
    return Step::done;
}

LaunchCommand::Finished Timeline::end_launch() {
    if (current_->kind != Command::Kind::launch) return nullptr;
    if (std::exchange(current_->launch.counted, false)) device_.launch_complete();
    return std::exchange(current_->launch.finished, nullptr);
}

Timeline::Step Timeline::launch(Command& command) {
    // From prepare() on other threads may run and even finish the job, so the queue must count as blocked before.
    state_ = State::blocked;
    job_.store(&grid_, std::memory_order_release);
    const LaunchCommand& launch = command.launch;
    const uint64_t blocks = launch.grid.count();
    const uint64_t each = launch.kernel->nanoseconds_per_block.load(std::memory_order_relaxed);
    grid_.prepare(launch);
    if (blocks < 2 || pool_.size() < 2) return Step::job;
    const uint64_t nanoseconds = each * blocks;
    if (each && nanoseconds < worth_sharing && !launch.cooperative) return Step::job;
    const uint64_t threads = share_ ? std::min(share_->threads(), pool_.size()) : pool_.size();
    const uint64_t helpers = std::min<uint64_t>(threads, blocks) - 1;
    pool_.publish(shared_from_this(), unsigned(each ? std::min(helpers, nanoseconds / worth_waking) : helpers));
    return Step::job;
}

template <class What> Timeline::Step Timeline::transfer(const What& what, Runner& runner) {
    state_ = State::blocked;
    job_.store(&transfer_, std::memory_order_release);
    if (transfer_.prepare(what, pool_.size())) {
        pool_.publish(shared_from_this(), pool_.size() - 1);
        return Step::job;
    }
    job_.store(nullptr, std::memory_order_release);
    state_ = State::running;
    transfer_.run_here(runner);
    std::string message;
    if (Fault fault = transfer_.fault(&message); fault != Fault::none) set_fault(fault, message);
    return Step::done;
}

Timeline::Step Timeline::wait_for(Command& command) {
    if (command.foreign) {
        state_ = State::blocked;
        pool_.host_call([self = shared_from_this(), marker = std::move(command.foreign)] {
            marker->wait();
            self->unblock();
        });
        return Step::blocked;
    }
    if (command.marker->reached()) return Step::done;
    state_ = State::blocked;
    // Once subscribed, the command may be completed and recycled at any moment.
    const std::shared_ptr<CpuMarker> marker = command.marker;
    if (marker->subscribe(shared_from_this())) return Step::blocked;
    state_ = State::running;
    return Step::done;
}

void Timeline::unblock() {
    bool submit = false;
    {
        std::lock_guard lock(mutex_);
        complete(current_);
        submit = go_on();
    }
    if (submit) pool_.submit(shared_from_this());
}

void Timeline::job_done(Runner& runner, Job& job) {
    std::string message;
    const Fault fault = &job == &grid_ ? grid_.fault(&message) : transfer_.fault(&message);
    if (fault != Fault::none) set_fault(fault, message);
    if (&job == &grid_) {
        if (std::shared_ptr<ChildGrids> children = grid_.take_children())
            return wait_for_children(runner, *children, fault, message);
    }
    go_on_after_job(runner, fault, message);
}

// A grid is complete when all that it has launched is.
void Timeline::wait_for_children(Runner& runner, ChildGrids& children, Fault fault, const std::string& message) {
    job_.store(nullptr, std::memory_order_release);
    if (current_->launch.last) {
        // Whoever waits for this grid now waits for its children; the timeline has nothing more to do. So a chain of
        // tail launches, each made by the one before, does not grow.
        auto finished = end_launch();
        go_on_after_job(runner, Fault::none, {});
        return children.close(fault, message, std::move(finished));
    }
    children.close(fault, message, [self = shared_from_this()](Fault of_children, const std::string& why) {
        if (of_children != Fault::none) self->set_fault(of_children, why);
        const auto finished = self->end_launch();
        self->unblock();
        if (finished) finished(of_children, why);
    });
}

void Timeline::go_on_after_job(Runner& runner, Fault fault, const std::string& message) {
    const auto finished = end_launch();
    // The host may let go of the queue as soon as the command counts as done.
    const std::shared_ptr<Timeline> self = shared_from_this();
    bool submit = false;
    {
        std::lock_guard lock(mutex_);
        job_.store(nullptr, std::memory_order_release);
        complete(current_);
        submit = go_on();
    }
    if (submit && !runner.offer(self)) pool_.submit(self);
    if (finished) finished(fault, message);
}

void Timeline::set_fault(Fault fault, const std::string& message) {
    std::lock_guard lock(mutex_);
    if (fault_ != Fault::none) return;
    fault_ = fault;
    message_ = message;
    failed_ = true;
}

Fault Timeline::fault(std::string* message) const {
    if (!failed_.load(std::memory_order_acquire)) return Fault::none;
    std::lock_guard lock(mutex_);
    if (message) *message = message_;
    return fault_;
}

void Timeline::wait(uint64_t sequence) {
    std::optional<Helper> helper;
    auto deadline = std::chrono::steady_clock::now() + pool_.spin_time();
    while (completed_.load(std::memory_order_acquire) < sequence) {
        Job* job = this->job();
        // Where threads are counted, the host's is not one of them.
        if (!share_ && (state_.load(std::memory_order_relaxed) == State::ready || (job && job->claimable()))) {
            if (!helper) helper.emplace(pool_);
            if (Runner* runner = helper->runner()) {
                if (job) runner->work_on(*job);
                runner->drive(job ? runner->take_offer() : shared_from_this(), sequence);
                deadline = std::chrono::steady_clock::now() + pool_.spin_time();
                continue;
            }
        }
        if (std::chrono::steady_clock::now() < deadline) {
            for (int i = 0; i < 8; i++) __builtin_ia32_pause();
            continue;
        }
        std::unique_lock lock(mutex_);
        while (completed_.load(std::memory_order_acquire) < sequence) {
            awaited_ = std::min(awaited_, sequence);
            changed_.wait(lock);
        }
    }
    helper.reset();
    device_.drain_printf();
}

} // namespace rt::backend::cpu
