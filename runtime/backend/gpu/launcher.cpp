#include "backend/gpu/launcher.h"

#include "backend/gpu/child_grids.h"
#include "backend/gpu/parents.h"
#include "rt/error.h"

#include <algorithm>
#include <chrono>
#include <exception>

namespace rt::backend::gpu {

namespace {

constexpr size_t parameter_bytes = 16 << 20, parameter_granule = 64;
/// Kernels at the same time, besides those that wait for others.
constexpr size_t most_running = 8;

} // namespace

Launcher::Launcher(Device& device, CreateQueue create_queue)
    : device_(device), create_queue_(std::move(create_queue)) {}

Launcher::~Launcher() {
    {
        std::lock_guard lock(mutex_);
        ending_ = true;
    }
    changed_.notify_one();
    if (thread_.joinable()) thread_.join();
    idle_.clear();
    if (parameters_base_) device_.release(parameters_base_, MemoryKind::pinned);
}

void Launcher::post(std::function<void()> task) {
    {
        std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
        if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
    }
    changed_.notify_one();
}

void Launcher::add_parameters() {
    std::lock_guard lock(parameters_mutex_);
    if (parameters_) return;
    parameters_base_ = device_.allocate(parameter_bytes, MemoryKind::pinned);
    if (!parameters_base_) throw Error(Status::out_of_memory, "no memory for the parameters of kernels' launches");
    parameters_ = std::make_unique<FreeSpace>(parameters_base_, parameter_bytes, parameter_granule);
}

std::span<uint8_t> Launcher::take_parameters(uint64_t bytes) {
    const uint64_t address = parameters_->take(bytes);
    if (!address) return {};
    return {reinterpret_cast<uint8_t*>(address), parameters_->size_of(address)};
}

void Launcher::give_parameters(std::span<uint8_t> parameters) {
    parameters_->give(reinterpret_cast<uint64_t>(parameters.data()));
}

bool Launcher::count_launch(uint64_t limit) {
    if (pending_ >= limit) return false;
    pending_++;
    return true;
}

void Launcher::drop(const ChildLaunch& launch) {
    give_parameters(launch.parameters);
    forget_launch();
}

void Launcher::start(ChildLaunch launch, Finished finished) {
    ready_.push_back({std::move(launch), std::move(finished), nullptr});
}

void Launcher::wait_until(std::function<std::optional<uint64_t>()> attempt, std::function<void(uint64_t)> answer) {
    waiting_.push_back({std::move(attempt), std::move(answer)});
}

void Launcher::run() {
    // Waits grow from what a busy kernel notices to what costs little.
    constexpr std::chrono::microseconds shortest{20}, longest{1000};
    std::chrono::microseconds pause = shortest;
    for (;;) {
        bool any = run_tasks();
        any |= end_grids();
        any |= start_grids();
        any |= answer();
        pause = any ? shortest : std::min(longest, pause * 5 / 4);
        const bool busy = !running_.empty() || !ready_.empty() || !waiting_.empty();
        std::unique_lock lock(mutex_);
        if (!tasks_.empty() || any) continue;
        if (busy)
            changed_.wait_for(lock, pause);
        else if (ending_)
            return;
        else
            changed_.wait(lock, [this] { return ending_ || !tasks_.empty(); });
    }
}

bool Launcher::run_tasks() {
    std::deque<std::function<void()>> tasks;
    {
        std::lock_guard lock(mutex_);
        tasks.swap(tasks_);
    }
    for (const std::function<void()>& task : tasks) task();
    return !tasks.empty();
}

bool Launcher::end_grids() {
    bool any = false;
    for (auto at = running_.begin(); at != running_.end();) {
        if (!at->place->queue->idle()) {
            ++at;
            continue;
        }
        Grid grid = std::move(*at);
        at = running_.erase(at);
        end(std::move(grid));
        any = true;
    }
    return any;
}

/// The blocks are done. What they have launched keeps no queue busy while it waits for its turn.
void Launcher::end(Grid grid) {
    std::string message;
    const Fault fault = grid.place->queue->fault(&message);
    const std::shared_ptr<ChildGrids> children = grid.place->parents->take_current();
    // Faults stay with their queue.
    if (fault == Fault::none) idle_.push_back(std::move(grid.place));
    Finished finished = std::move(grid.finished);
    if (grid.launch.last)
        forget_launch();
    else
        finished = [this, of_grid = std::move(finished)](Fault fault, const std::string& message) {
            forget_launch();
            of_grid(fault, message);
        };
    if (children)
        children->close(fault, message, std::move(finished));
    else
        finished(fault, message);
}

bool Launcher::start_grids() {
    bool any = false;
    for (; !ready_.empty() && running_.size() < most_running + waiting_.size(); any = true) {
        Grid grid = std::move(ready_.front());
        ready_.pop_front();
        launch(std::move(grid));
    }
    return any;
}

void Launcher::launch(Grid grid) {
    const ChildLaunch& launch = grid.launch;
    std::string error;
    try {
        if (idle_.empty()) {
            auto parents = std::make_shared<Parents>(*this);
            idle_.push_back(std::make_unique<Place>(Place{parents, create_queue_(parents)}));
        }
        idle_.back()->queue->launch({.kernel = launch.kernel,
                                     .grid = launch.grid,
                                     .block = launch.block,
                                     .cluster = {},
                                     .dynamic_shared_bytes = launch.dynamic_shared_bytes,
                                     .globals = launch.globals,
                                     .device_side = launch.device_side,
                                     .parameters = launch.parameters});
        grid.place = std::move(idle_.back());
        idle_.pop_back();
    } catch (const std::exception& caught) {
        error = caught.what();
    }
    give_parameters(launch.parameters);
    if (grid.place) {
        running_.push_back(std::move(grid));
        return;
    }
    forget_launch();
    grid.finished(Fault::trap, error);
}

bool Launcher::answer() {
    bool any = false;
    for (size_t i = 0; i < waiting_.size();) {
        const std::optional<uint64_t> result = waiting_[i].attempt();
        if (!result) {
            ++i;
            continue;
        }
        waiting_[i].answer(*result);
        waiting_.erase(waiting_.begin() + std::ptrdiff_t(i));
        any = true;
    }
    return any;
}

} // namespace rt::backend::gpu
