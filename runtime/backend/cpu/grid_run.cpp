#include "backend/cpu/grid_run.h"

#include "backend/cpu/child_grids.h"
#include "backend/cpu/device.h"
#include "backend/cpu/runner.h"
#include "backend/cpu/services.h"
#include "backend/cpu/share.h"
#include "backend/cpu/timeline.h"
#include "support/log.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

namespace rt::backend::cpu {

namespace {

constexpr uint64_t chunk_nanoseconds = 50'000;

uint64_t now() { return uint64_t(std::chrono::steady_clock::now().time_since_epoch().count()); }

} // namespace

GridRun::GridRun(CpuDevice& device, Timeline& owner, unsigned slots) : Job(owner, slots), device_(device) {}

void GridRun::prepare(const LaunchCommand& launch) {
    static std::atomic<uint64_t> next_id{1};
    launch_ = &launch;
    const ptx::KernelInfo& info = launch.kernel->info();
    grid_.services = &services();
    grid_.parameters = launch.parameters.data();
    grid_.globals = reinterpret_cast<uint8_t*>(launch.globals);
    const auto put = [](uint32_t(&to)[3], Dim3 from) { to[0] = from.x, to[1] = from.y, to[2] = from.z; };
    put(grid_.grid_dim, launch.grid);
    put(grid_.block_dim, launch.block);
    put(grid_.cluster_dim, launch.cluster);
    grid_.static_shared_bytes = info.static_shared_bytes;
    grid_.dynamic_shared_bytes = launch.dynamic_shared_bytes;
    grid_.grid_id = next_id.fetch_add(1, std::memory_order_relaxed);
    grid_.multiprocessor_count = device_.facts().multiprocessors;
    grid_.runtime = this;
    grid_.workspace = 0;
    threads_ = uint32_t(launch.block.count());
    shared_bytes_ = (info.static_shared_bytes + 15) / 16 * 16 + launch.dynamic_shared_bytes;
    // CUDA's limit counts frames of a GPU, which keeps most in registers: be generous, address space is cheap.
    stack_bytes_ = std::max<size_t>(64 << 10, 4 * device_.stack_limit());
    if (info.local_bytes > 16 << 10) stack_bytes_ += info.local_bytes;
    fault_ = Fault::none;
    message_.clear();
    const uint64_t blocks = launch.grid.count();
    blocks_of_unit_ = info.uses_cluster ? uint32_t(launch.cluster.count()) : 1;
    if (launch.cooperative) {
        arrived_ = 0;
        expected_ = blocks;
        std::fill(std::begin(workspace_), std::end(workspace_), 0);
        workspace_[0] = sizeof workspace_;
        grid_.workspace = reinterpret_cast<uint64_t>(workspace_);
    }
    const bool in_order = launch.cooperative || launch.kernel->blocks_wait.load(std::memory_order_relaxed);
    const uint32_t each = launch.kernel->nanoseconds_per_block.load(std::memory_order_relaxed);
    const uint64_t chunk = in_order || !each ? 1 : std::max<uint64_t>(1, chunk_nanoseconds / each);
    const Share* share = owner().share().get();
    const unsigned threads = share ? std::min(share->threads(), device_.workers()) : device_.workers();
    // Not so many that some thread has none.
    const uint64_t most = in_order || info.uses_cluster ? 1 : blocks / threads / 2 + 1;
    const uint64_t together = std::clamp<uint64_t>(launch.kernel->together() / threads_, 1, most);
    open(blocks / blocks_of_unit_, in_order ? 1 : threads, chunk, in_order, together);
}

uint64_t GridRun::estimate() const {
    return launch_->kernel->nanoseconds_per_block.load(std::memory_order_relaxed) * units();
}

void GridRun::learn(uint64_t nanoseconds, uint64_t blocks) {
    if (!blocks) return;
    auto& known = launch_->kernel->nanoseconds_per_block;
    const uint64_t each = std::clamp<uint64_t>(nanoseconds / blocks, 1, ~uint32_t{0});
    const uint64_t before = known.load(std::memory_order_relaxed);
    known.store(uint32_t(before ? (3 * before + each) / 4 : each), std::memory_order_relaxed);
    if (!ordered()) limit_chunks(std::max<uint64_t>(1, chunk_nanoseconds / each));
}

Dim3 GridRun::block_index(uint64_t number) const {
    const Dim3& grid = launch_->grid;
    return {uint32_t(number % grid.x), uint32_t(number / grid.x % grid.y), uint32_t(number / grid.x / grid.y)};
}

void GridRun::run(Runner& runner, Chunk& chunk) {
    if (cancelled()) {
        const uint64_t dropped = chunk.size();
        chunk = {};
        return finish(dropped, runner);
    }
    Cta& cta = runner.take_cta();
    const uint64_t begin = now(), first = chunk.first;
    if (!start(cta, chunk)) {
        if (chunk.first == first) chunk.first++;
        fail(runner, Fault::trap, place(nullptr) + ": no memory for the stacks or the shared memory of a block");
        runner.give_back(cta);
        return finish(1, runner);
    }
    const Outcome outcome = cta.resume();
    if (outcome == Outcome::finished) learn(now() - begin, chunk.first - first);
    if (!settle(runner, cta, outcome)) runner.park(cta);
}

bool GridRun::start(Cta& cta, Chunk& chunk) {
    try {
        if (kernel().block() || kernel().phase()) return cta.start_blocks(*this, chunk);
        const uint64_t unit = chunk.first++;
        if (kernel().info().uses_cluster) return cta.start_cluster(*this, unit);
        return cta.start_lanes(*this, block_index(unit));
    } catch (const std::bad_alloc&) {
        return false;
    }
}

bool GridRun::poll(Runner& runner, Cta& cta) {
    return settle(runner, cta, cancelled() ? Outcome::stopped : cta.resume());
}

bool GridRun::settle(Runner& runner, Cta& cta, Outcome outcome) {
    uint64_t completed = cta.take_done();
    switch (outcome) {
    case Outcome::finished:
        break;
    case Outcome::waiting:
        begin_children(); // it may be one of them that it waits for
        finish(completed, runner);
        return false;
    case Outcome::stuck:
        fail(runner, Fault::trap, cta.running().describe_stuck());
        break;
    case Outcome::stopped:
        break;
    case Outcome::faulted: {
        const Trouble& trouble = runner.guard().trouble;
        const Fault fault = classify(trouble, cta.running().in_stack_guard(trouble.address));
        const char* what = fault == Fault::stack_overflow        ? "stack overflow"
                           : fault == Fault::illegal_address     ? "illegal address"
                           : fault == Fault::illegal_instruction ? "illegal instruction"
                                                                 : "misaligned address";
        fail(runner, fault, fmt::format("{}: {} {:#x}", place(cta.running().current()), what, trouble.address));
        break;
    }
    }
    if (outcome != Outcome::finished) {
        cta.abandon();
        completed++;
    } else if (cooperative() && !kernel().info().uses_cluster) {
        grid_leave(1); // a cluster says so of each of its CTAs
    }
    runner.give_back(cta);
    finish(completed, runner);
    return true;
}

void GridRun::fail(Runner& runner, Fault fault, const std::string& message) {
    {
        std::lock_guard lock(mutex_);
        if (fault_ == Fault::none) {
            fault_ = fault;
            message_ = message;
            log(LogLevel::error, LogChannel::launch, "{}", message);
        }
    }
    cancel(runner);
}

Fault GridRun::fault(std::string* message) const {
    std::lock_guard lock(mutex_);
    if (message) *message = message_;
    return fault_;
}

std::shared_ptr<ChildGrids> GridRun::children() {
    std::lock_guard lock(mutex_);
    if (!children_) children_ = std::make_shared<ChildGrids>(device_, *launch_, owner().share());
    return children_;
}

void GridRun::begin_children() {
    std::shared_ptr<ChildGrids> children;
    {
        std::lock_guard lock(mutex_);
        children = children_;
    }
    if (children) children->begin();
}

std::shared_ptr<ChildGrids> GridRun::take_children() {
    std::lock_guard lock(mutex_);
    return std::exchange(children_, nullptr);
}

std::string GridRun::place(const LaneFiber* lane) const {
    const std::string& name = launch_->kernel->info().name;
    if (!lane) return fmt::format("kernel {}", name);
    const uint32_t *b = lane->lane.block, *t = lane->lane.thread;
    return fmt::format("kernel {}, block [{},{},{}], thread [{},{},{}]", name, b[0], b[1], b[2], t[0], t[1], t[2]);
}

void GridRun::grid_arrive() {
    std::lock_guard lock(mutex_);
    if (++arrived_ < expected_) return;
    arrived_ = 0;
    generation_.fetch_add(1, std::memory_order_release);
}

void GridRun::grid_leave(uint32_t blocks) {
    std::lock_guard lock(mutex_);
    expected_ -= blocks;
    if (!expected_ || arrived_ < expected_) return;
    arrived_ = 0;
    generation_.fetch_add(1, std::memory_order_release);
}

} // namespace rt::backend::cpu
