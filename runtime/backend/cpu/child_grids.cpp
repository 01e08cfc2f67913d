#include "backend/cpu/child_grids.h"

#include "backend/cpu/device.h"
#include "backend/cpu/timeline.h"

namespace rt::backend::cpu {

ChildGrids::ChildGrids(CpuDevice& device, const LaunchCommand& parent, std::shared_ptr<Share> share)
    : device_(device), share_(std::move(share)) {
    parent_.kernel = parent.kernel;
    parent_.globals = parent.globals;
    parent_.device_side = parent.device_side;
}

uint64_t ChildGrids::keep(PreparedLaunch launch) {
    const auto buffer = reinterpret_cast<uint64_t>(launch.command.parameters.data());
    std::lock_guard lock(mutex_);
    kept_.insert_or_assign(buffer, std::move(launch));
    return buffer;
}

bool ChildGrids::take(uint64_t buffer, PreparedLaunch& launch) {
    std::lock_guard lock(mutex_);
    const auto found = kept_.find(buffer);
    if (found == kept_.end()) return false;
    launch = std::move(found->second);
    kept_.erase(found);
    return true;
}

std::shared_ptr<Timeline> ChildGrids::timeline_of(uint64_t stream, ThreadNumber by) {
    if (stream > fire_and_forget) {
        const auto found = streams_.find(stream);
        return found == streams_.end() ? nullptr : found->second;
    }
    if (stream == fire_and_forget) return std::make_shared<Timeline>(device_, share_);
    if (stream == tail_launch) return nullptr;
    // The threads of a block share the null stream, and have one each of the other kind.
    const std::array<uint64_t, 3> key{stream == per_thread_stream, by.block,
                                      stream == per_thread_stream ? by.thread : 0};
    std::weak_ptr<Timeline>& known = implicit_[key];
    std::shared_ptr<Timeline> timeline = known.lock();
    if (!timeline) known = timeline = std::make_shared<Timeline>(device_, share_);
    return timeline;
}

void ChildGrids::start(Timeline& timeline, LaunchCommand command) {
    Command* to = timeline.new_command(Command::Kind::launch);
    to->launch = std::move(command);
    timeline.push(to);
}

bool ChildGrids::launch(LaunchCommand command, uint64_t stream, ThreadNumber by) {
    command.globals = parent_.globals;
    command.device_side = parent_.device_side;
    command.counted = true;
    std::lock_guard lock(mutex_);
    if (stream == tail_launch) {
        command.last = true;
        tail_.push_back(std::move(command));
        return true;
    }
    std::shared_ptr<Timeline> timeline = timeline_of(stream, by);
    if (!timeline) return false;
    running_++;
    command.last = stream == fire_and_forget;
    command.finished = child_finishes();
    Command* to = timeline->new_command(Command::Kind::launch);
    to->launch = std::move(command);
    defer(std::move(timeline), to);
    return true;
}

void ChildGrids::defer(std::shared_ptr<Timeline> timeline, Command* command) {
    deferred_.emplace_back(std::move(timeline), command);
}

void ChildGrids::begin() {
    // With the lock, so that two who come at once keep the order of a stream.
    std::lock_guard lock(mutex_);
    for (const auto& [timeline, command] : deferred_) timeline->push(command);
    deferred_.clear();
}

uint64_t ChildGrids::create_stream() {
    auto timeline = std::make_shared<Timeline>(device_, share_);
    std::lock_guard lock(mutex_);
    streams_.emplace(next_handle_, std::move(timeline));
    return next_handle_++;
}

bool ChildGrids::destroy_stream(uint64_t stream) {
    std::lock_guard lock(mutex_);
    return streams_.erase(stream) != 0; // what it has to do is still done
}

uint64_t ChildGrids::create_event() {
    std::lock_guard lock(mutex_);
    events_.emplace(next_handle_, nullptr);
    return next_handle_++;
}

bool ChildGrids::destroy_event(uint64_t event) {
    std::lock_guard lock(mutex_);
    return events_.erase(event) != 0;
}

bool ChildGrids::record(uint64_t event, uint64_t stream, ThreadNumber by) {
    std::lock_guard lock(mutex_);
    const auto found = events_.find(event);
    if (found == events_.end()) return false;
    const std::shared_ptr<Timeline> timeline = timeline_of(stream, by);
    if (!timeline) return false;
    Command* command = timeline->new_command(Command::Kind::mark);
    found->second = command->marker = std::make_shared<CpuMarker>(timeline);
    defer(timeline, command);
    return true;
}

bool ChildGrids::wait(uint64_t stream, uint64_t event, ThreadNumber by) {
    std::lock_guard lock(mutex_);
    const auto found = events_.find(event);
    if (found == events_.end()) return false;
    const std::shared_ptr<Timeline> timeline = timeline_of(stream, by);
    if (!timeline) return false;
    if (!found->second) return true; // an event that was never recorded has nothing to wait for
    Command* command = timeline->new_command(Command::Kind::wait);
    command->marker = found->second;
    defer(timeline, command);
    return true;
}

ChildGrids::Finished ChildGrids::child_finishes() {
    return
        [self = shared_from_this()](Fault fault, const std::string& message) { self->child_finished(fault, message); };
}

bool ChildGrids::all_done() const {
    std::lock_guard lock(mutex_);
    return running_ == 0;
}

void ChildGrids::child_finished(Fault fault, const std::string& message) {
    {
        std::lock_guard lock(mutex_);
        running_--;
        if (fault_ == Fault::none && fault != Fault::none) fault_ = fault, message_ = message;
    }
    advance();
}

const std::shared_future<Kernel*>& ChildGrids::translate(uint64_t kernel) {
    std::lock_guard lock(mutex_);
    std::shared_future<Kernel*>& translation = translations_[kernel];
    if (!translation.valid()) {
        auto task = std::make_shared<std::packaged_task<Kernel*()>>(
            [side = parent_.device_side, kernel] { return &side->resolve(kernel); });
        translation = task->get_future().share();
        device_.pool().host_call([task] { (*task)(); });
    }
    return translation;
}

void ChildGrids::close(Fault fault, const std::string& message, Finished finished) {
    // Nobody translates any more unless the grid was stopped meanwhile.
    for (const auto& [kernel, translation] : translations_) translation.wait();
    {
        std::lock_guard lock(mutex_);
        if (fault != Fault::none) fault_ = fault, message_ = message;
        finished_ = std::move(finished);
        closed_ = true;
        kept_.clear();
    }
    begin();
    advance();
}

void ChildGrids::advance() {
    Finished finished;
    LaunchCommand next;
    std::map<uint64_t, std::shared_ptr<Timeline>> streams; // go without the lock
    {
        std::lock_guard lock(mutex_);
        if (!closed_ || running_ || !finished_) return;
        streams.swap(streams_);
        if (fault_ != Fault::none) {
            for (size_t i = 0; i < tail_.size(); i++) device_.launch_complete();
            tail_.clear();
        }
        if (tail_.empty()) {
            finished = std::exchange(finished_, nullptr);
        } else {
            next = std::move(tail_.front());
            tail_.pop_front();
            if (tail_.empty()) {
                // Whoever waits for this grid now waits for its last tail launch, so that a chain of them does not
                // grow.
                next.finished = std::exchange(finished_, nullptr);
            } else {
                running_ = 1;
                next.finished = child_finishes();
            }
        }
    }
    if (finished) return finished(fault_, message_);
    start(*std::make_shared<Timeline>(device_, share_), std::move(next));
}

} // namespace rt::backend::cpu
