#include "backend/gpu/child_grids.h"

#include <utility>

namespace rt::backend::gpu {

ChildGrids::ChildGrids(Launcher& launcher, const Launch& parent)
    : launcher_(launcher), globals_(parent.globals), device_side_(parent.device_side) {}

void ChildGrids::keep(ChildLaunch launch) {
    const auto buffer = reinterpret_cast<uint64_t>(launch.parameters.data());
    kept_.insert_or_assign(buffer, std::move(launch));
}

bool ChildGrids::take(uint64_t buffer, ChildLaunch& launch) {
    const auto found = kept_.find(buffer);
    if (found == kept_.end()) return false;
    launch = std::move(found->second);
    kept_.erase(found);
    return true;
}

std::shared_ptr<ChildGrids::Stream> ChildGrids::stream_of(uint64_t stream, ThreadNumber by) {
    if (stream > fire_and_forget) {
        const auto found = streams_.find(stream);
        return found == streams_.end() ? nullptr : found->second;
    }
    if (stream == fire_and_forget) return std::make_shared<Stream>();
    if (stream == tail_launch) return nullptr;
    // The threads of a block share the null stream, and have one each of the other kind.
    const std::array<uint64_t, 3> key{stream == per_thread_stream, by.block,
                                      stream == per_thread_stream ? by.thread : 0};
    std::weak_ptr<Stream>& known = implicit_[key];
    std::shared_ptr<Stream> found = known.lock();
    if (!found) known = found = std::make_shared<Stream>();
    return found;
}

bool ChildGrids::launch(ChildLaunch launch, uint64_t stream, ThreadNumber by) {
    launch.globals = globals_;
    launch.device_side = device_side_;
    launch.last = stream == fire_and_forget || stream == tail_launch;
    if (stream == tail_launch) {
        tail_.push_back(std::move(launch));
        return true;
    }
    const std::shared_ptr<Stream> to = stream_of(stream, by);
    if (!to) return false;
    running_++;
    deferred_.push_back({to, {Command::Kind::launch, std::move(launch), nullptr}});
    return true;
}

uint64_t ChildGrids::create_stream() {
    streams_.emplace(next_handle_, std::make_shared<Stream>());
    return next_handle_++;
}

bool ChildGrids::destroy_stream(uint64_t stream) { return streams_.erase(stream) != 0; } // its work is still done

uint64_t ChildGrids::create_event() {
    events_.emplace(next_handle_, nullptr);
    return next_handle_++;
}

bool ChildGrids::destroy_event(uint64_t event) { return events_.erase(event) != 0; }

bool ChildGrids::record(uint64_t event, uint64_t stream, ThreadNumber by) {
    const auto found = events_.find(event);
    const std::shared_ptr<Stream> on = stream_of(stream, by);
    if (found == events_.end() || !on) return false;
    found->second = std::make_shared<bool>(false);
    deferred_.push_back({on, {Command::Kind::record, {}, found->second}});
    return true;
}

bool ChildGrids::wait(uint64_t stream, uint64_t event, ThreadNumber by) {
    const auto found = events_.find(event);
    const std::shared_ptr<Stream> waiting = stream_of(stream, by);
    if (found == events_.end() || !waiting) return false;
    // An event that was never recorded has nothing to wait for.
    if (found->second) deferred_.push_back({waiting, {Command::Kind::wait, {}, found->second}});
    return true;
}

void ChildGrids::start(ChildLaunch launch, const std::shared_ptr<Stream>& stream) {
    stream->busy = true;
    launcher_.start(std::move(launch), [self = shared_from_this(), stream](Fault fault, const std::string& message) {
        stream->busy = false;
        self->child_finished(fault, message);
    });
}

/// As far as it goes at once. True when it has got on.
bool ChildGrids::advance(const std::shared_ptr<Stream>& stream) {
    bool any = false;
    for (; !stream->busy && !stream->commands.empty(); any = true) {
        if (Command& next = stream->commands.front(); next.kind == Command::Kind::wait) {
            if (!*next.point) break;
        } else if (next.kind == Command::Kind::record) {
            *next.point = true;
        } else if (fault_ == Fault::none) {
            start(std::move(next.launch), stream);
        } else {
            launcher_.drop(next.launch);
            running_--;
        }
        stream->commands.pop_front();
    }
    return any;
}

/// One stream may wait for another.
void ChildGrids::advance_all() {
    for (bool any = true; any;) {
        any = false;
        for (const std::shared_ptr<Stream>& stream : working_) any |= advance(stream);
    }
    std::erase_if(working_, [](const auto& stream) { return !stream->busy && stream->commands.empty(); });
}

void ChildGrids::begin() {
    for (auto& [stream, command] : deferred_) {
        if (!stream->busy && stream->commands.empty()) working_.push_back(stream);
        stream->commands.push_back(std::move(command));
    }
    deferred_.clear();
    advance_all();
}

void ChildGrids::child_finished(Fault fault, const std::string& message) {
    running_--;
    if (fault_ == Fault::none && fault != Fault::none) fault_ = fault, message_ = message;
    advance_all();
    go_on();
}

void ChildGrids::close(Fault fault, const std::string& message, Finished finished) {
    if (fault_ == Fault::none && fault != Fault::none) fault_ = fault, message_ = message;
    finished_ = std::move(finished);
    closed_ = true;
    for (const auto& [buffer, launch] : kept_) launcher_.give_parameters(launch.parameters);
    kept_.clear();
    begin();
    go_on();
}

/// To the next tail launch, or the end.
void ChildGrids::go_on() {
    if (!closed_ || running_ || !finished_) return;
    if (fault_ != Fault::none) {
        for (const ChildLaunch& launch : tail_) launcher_.drop(launch);
        tail_.clear();
    }
    if (tail_.empty()) {
        // Later, for one grid's end may be that of many around it.
        launcher_.post([finished = std::exchange(finished_, nullptr), fault = fault_, message = message_] {
            finished(fault, message);
        });
        return;
    }
    ChildLaunch next = std::move(tail_.front());
    tail_.pop_front();
    // Whoever waits for this grid now waits for its last tail launch, so that a chain of them does not grow.
    if (tail_.empty()) return launcher_.start(std::move(next), std::exchange(finished_, nullptr));
    running_ = 1;
    launcher_.start(std::move(next), [self = shared_from_this()](Fault fault, const std::string& message) {
        self->child_finished(fault, message);
    });
}

} // namespace rt::backend::gpu
