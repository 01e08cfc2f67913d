#include "backend/cpu/cta.h"

#include "backend/cpu/cluster.h"
#include "backend/cpu/runner.h"

#include <algorithm>
#include <sys/mman.h>

namespace rt::backend::cpu {

namespace {

constexpr int32_t spin_patience = 32;

/// How often the spinning lanes of a CTA may go round among themselves before the thread looks after others.
constexpr unsigned rounds_before_home = 16;

} // namespace

Cta::Cta(Runner& runner) : runner_(runner), warps_(std::make_unique<Warp[]>(max_warps)) {}

Cta::~Cta() {
    if (shared_) munmap(shared_ - Stacks::page, shared_mapping_);
}

bool Cta::reserve_lanes(uint32_t lanes) {
    if (lanes <= capacity_) return true;
    lanes_ = std::make_unique<LaneFiber[]>(lanes);
    capacity_ = lanes;
    block_fiber_alive_ = false;
    return true;
}

bool Cta::reserve_shared(size_t bytes) {
    if (shared_ && bytes <= shared_capacity_) return true;
    if (shared_) munmap(shared_ - Stacks::page, shared_mapping_);
    shared_ = nullptr;
    shared_capacity_ = (std::max<size_t>(bytes, 1) + Stacks::page - 1) / Stacks::page * Stacks::page;
    shared_mapping_ = shared_capacity_ + 2 * Stacks::page; // a guard page on either side
    void* memory = mmap(nullptr, shared_mapping_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return false;
    shared_ = static_cast<uint8_t*>(memory) + Stacks::page;
    return mprotect(shared_, shared_capacity_, PROT_READ | PROT_WRITE) == 0;
}

bool Cta::reserve_stacks(std::unique_ptr<Stacks>& stacks, size_t bytes, uint32_t count) {
    const bool oversized = stacks && stacks->bytes() > (1 << 20) && stacks->usable() / 4 > bytes;
    if (!stacks || stacks->usable() < bytes || oversized) {
        stacks = nullptr;
        stacks = std::make_unique<Stacks>(bytes + Stacks::page);
        block_fiber_alive_ = false;
    }
    return stacks->top(count - 1) != nullptr;
}

void Cta::fill_lane(LaneFiber& lane, Dim3 block) {
    lane.lane.grid = &run_->grid();
    lane.lane.shared = membership_.cluster ? membership_.cluster->base() : shared_;
    lane.lane.shared_window = membership_.rank << ptx::host::shared_window_bits;
    lane.lane.block[0] = block.x;
    lane.lane.block[1] = block.y;
    lane.lane.block[2] = block.z;
    lane.lane.multiprocessor = runner_.index();
    lane.lane.runtime = this;
    lane.lane.phases = phases_.state();
    lane.lane.more = 0;
    lane.patience = spin_patience;
    lane.cluster_phase = 0;
    lane.error = 0;
    lane.state = LaneState::ready;
}

bool Cta::start_lanes(GridRun& run, Dim3 block, Membership membership) {
    run_ = &run;
    threads_ = live_ = run.threads();
    membership_ = membership;
    const bool enough = reserve_lanes(threads_) && (membership.cluster || reserve_shared(run.shared_bytes())) &&
                        reserve_stacks(stacks_, run.stack_bytes(), threads_);
    if (!enough) return false;
    block_ = block;
    whole_blocks_ = false;
    ready_ = spinners_ = at_grid_barrier_ = at_cluster_barrier_ = {};
    started_ = parked_ = spinning_ = grid_arrived_ = active_barriers_ = 0;
    next_thread_[0] = next_thread_[1] = next_thread_[2] = 0;
    stacks_used_ = 0;
    spare_stacks_.clear();
    for (uint32_t first = 0; first < threads_; first += 32) {
        Warp& warp = warps_[first / 32];
        warp.live = threads_ - first >= 32 ? ~0u : (1u << (threads_ - first)) - 1;
        warp.meetings = 0;
        warp.parked = {};
    }
    return true;
}

bool Cta::start_cluster(GridRun& run, uint64_t number) {
    if (!cluster_) cluster_ = std::make_unique<Cluster>(runner_);
    return cluster_->start(run, number, *this);
}

void Cta::abandon() {
    block_fiber_alive_ = false;
    blocks_ = 1;
    chunk_ = nullptr;
    done_ = 0;
}

const Cta& Cta::running() const { return membership_.cluster ? membership_.cluster->current() : *this; }

bool Cta::in_stack_guard(uintptr_t address) const {
    return (stacks_ && stacks_->in_guard(address)) || (block_stack_ && block_stack_->in_guard(address));
}

Outcome Cta::resume() {
    if (!membership_.cluster) return resume_lanes();
    const Outcome outcome = membership_.cluster->resume();
    done_ = outcome == Outcome::finished; // units of the job are clusters
    return outcome;
}

Outcome Cta::resume_lanes() {
    LaneFiber* to = nullptr;
    if (whole_blocks_) {
        to = &lanes_[0];
    } else {
        if (grid_arrived_ && run_->grid_generation() != grid_generation_ && grid_arrived_ == live_) {
            grid_arrived_ = 0;
            ready_.append(at_grid_barrier_);
        }
        ready_.append(spinners_);
        spinning_ = 0;
        progress_ = false;
        rounds_at_home_ = 0;
        to = pick();
        if (!to) return outcome_;
    }
    current_ = to;
    Guard& guard = runner_.guard();
    guard.trouble = {};
    guard.sp = &runner_.home().sp;
    guard.active = true;
    enter_fiber(runner_.home(), whole_blocks_ ? block_context_ : to->context,
                [&] { return guard.trouble.signal != 0; });
    guard.active = false;
    const Outcome outcome = guard.trouble.signal ? Outcome::faulted : outcome_;
    if (whole_blocks_ && outcome != Outcome::finished) keep_run_blocks();
    return outcome;
}

void Cta::go_home(Context& from, Outcome outcome, bool last) {
    outcome_ = outcome;
    switch_context(from, runner_.home(), last);
}

void Cta::stop(Outcome outcome) {
    go_home(nowhere_, outcome, true);
    __builtin_unreachable();
}

// ---- a fiber for each lane

LaneFiber* Cta::begin_lane(char* stack_top) {
    LaneFiber& lane = lanes_[started_];
    fill_lane(lane, block_);
    lane.index = uint16_t(started_);
    lane.lane.lane = started_ % 32;
    lane.lane.warp = started_ / 32;
    lane.lane.thread[0] = next_thread_[0];
    lane.lane.thread[1] = next_thread_[1];
    lane.lane.thread[2] = next_thread_[2];
    started_++;
    const uint32_t* size = run_->grid().block_dim;
    if (++next_thread_[0] == size[0]) {
        next_thread_[0] = 0;
        if (++next_thread_[1] == size[1]) next_thread_[1] = 0, next_thread_[2]++;
    }
    if (stack_top) {
        lane.stack_top = stack_top; // the caller runs on it and goes on with this lane
        return &lane;
    }
    if (spare_stacks_.empty()) {
        lane.stack_top = stacks_->top(stacks_used_++);
    } else {
        lane.stack_top = spare_stacks_.back();
        spare_stacks_.pop_back();
    }
    prepare(lane.context, lane.stack_top, stacks_->usable(), lane_main, &lane);
    return &lane;
}

void Cta::lane_main(void* argument) {
    auto* lane = static_cast<LaneFiber*>(argument);
    Cta& cta = of(&lane->lane);
    arrive_on_fiber();
    for (;;) {
        cta.run_->kernel().thread()(&lane->lane);
        lane = cta.retire(*lane);
    }
}

/// What runs next; null when no lane can, and then outcome_ says why. Lanes that wait run before new ones begin, so
/// that a warp gets as far as it can on warm stacks; lanes in active_mask wait for the rest of their warp to stand
/// still.
LaneFiber* Cta::pick() {
    if (LaneFiber* lane = ready_.pop()) return lane;
    if (started_ < threads_ && (started_ % 32 != 0 || !parked_)) return begin_lane(nullptr);
    if (parked_) {
        release_parked();
        return ready_.pop();
    }
    if (spinning_ && progress_ && ++rounds_at_home_ < rounds_before_home) {
        progress_ = false;
        spinning_ = 0;
        ready_.append(spinners_);
        return ready_.pop();
    }
    outcome_ = spinning_ || (grid_arrived_ && grid_arrived_ == live_) ? Outcome::waiting : Outcome::stuck;
    return nullptr;
}

void Cta::suspend(LaneFiber& self) {
    if (run_->cancelled()) stop(Outcome::stopped);
    LaneFiber* to = pick();
    if (to == &self) return;
    if (!to) return go_home(self.context, outcome_);
    current_ = to;
    switch_context(self.context, to->context);
}

/// The lane is over. Returns the lane to go on with on this stack, or leaves the stack for good.
LaneFiber* Cta::retire(LaneFiber& lane) {
    lane_gone(lane);
    if (run_->cancelled()) stop(Outcome::stopped);
    if (ready_.empty() && started_ < threads_ && (started_ % 32 != 0 || !parked_))
        return current_ = begin_lane(lane.stack_top);
    if (live_ == 0) {
        done_ = 1;
        stop(Outcome::finished);
    }
    LaneFiber* to = pick();
    if (!to) stop(outcome_);
    spare_stacks_.push_back(lane.stack_top);
    current_ = to;
    switch_context(nowhere_, to->context, true);
    __builtin_unreachable();
}

void Cta::exit(LaneFiber& self) {
    LaneFiber* next = retire(self);
    prepare(next->context, next->stack_top, stacks_->usable(), lane_main, next);
    switch_context(nowhere_, next->context, true);
    __builtin_unreachable();
}

void Cta::lane_gone(LaneFiber& lane) {
    lane.state = LaneState::exited;
    progress_ = true;
    live_--;
    Warp& warp = warps_[lane.index / 32];
    warp.live &= ~lane.bit();
    for (uint32_t i = warp.meetings; i-- > 0;) {
        const Meeting& meeting = warp.meeting[i];
        if (!(meeting.mask & warp.live & ~meeting.arrived)) complete_meeting(warp, i);
    }
    for (uint32_t set = active_barriers_; set; set &= set - 1) {
        Barrier& barrier = barrier_[unsigned(__builtin_ctz(set))];
        if (barrier_complete(barrier)) barrier_release(barrier, nullptr);
    }
    if (grid_arrived_ && grid_arrived_ == live_) run_->grid_arrive();
    if (membership_.cluster) membership_.cluster->thread_gone(lane);
}

// ---- waiting for memory, and for the grid

void Cta::spin(LaneFiber& self, bool at_once) {
    if (!at_once && --self.patience > 0) return;
    self.patience = spin_patience;
    pause(self);
}

void Cta::grid_barrier(LaneFiber& self) {
    self.state = LaneState::grid_barrier;
    progress_ = true;
    at_grid_barrier_.push(self);
    if (grid_arrived_++ == 0) grid_generation_ = run_->grid_generation();
    if (grid_arrived_ == live_) run_->grid_arrive();
    suspend(self);
}

void Cta::cluster_arrive(LaneFiber& self) {
    progress_ = true;
    membership_.cluster->arrive(self);
}

void Cta::cluster_wait(LaneFiber& self) {
    if (self.cluster_phase != membership_.cluster->phase()) return;
    self.state = LaneState::cluster_barrier;
    at_cluster_barrier_.push(self);
    suspend(self);
}

void Cta::release_cluster_barrier() {
    progress_ = true;
    ready_.append(at_cluster_barrier_);
}

uint64_t Cta::in_cluster(uint64_t address, uint32_t rank) const {
    return address + ((uint64_t(rank) - membership_.rank) << ptx::host::shared_window_bits);
}

void Cta::pause(LaneFiber& self) {
    if (run_->cancelled()) stop(Outcome::stopped);
    if (whole_blocks_) {
        detached_ = true;
        return go_home(block_context_, Outcome::waiting);
    }
    self.state = LaneState::spinning;
    spinners_.push(self);
    spinning_++;
    suspend(self);
}

void Cta::note_progress() {
    progress_ = true;
    rounds_at_home_ = 0;
    if (membership_.cluster) membership_.cluster->note_progress();
}

uint32_t Cta::active_mask(LaneFiber& self, const void* site) {
    self.site = site;
    self.state = LaneState::active_mask;
    progress_ = true;
    parked_++;
    warps_[self.index / 32].parked.push(self);
    suspend(self);
    return uint32_t(self.result);
}

void Cta::release_parked() {
    for (uint32_t first = 0; first < threads_; first += 32) {
        LaneList& parked = warps_[first / 32].parked;
        if (parked.empty()) continue;
        LaneList together, others;
        const void* site = parked.head->site;
        uint32_t mask = 0;
        while (LaneFiber* lane = parked.pop()) {
            const bool same = lane->site == site;
            if (same) mask |= lane->bit(), parked_--;
            (same ? together : others).push(*lane);
        }
        for (LaneFiber* lane = together.head; lane; lane = lane->next) lane->result = mask;
        ready_.append(together);
        parked = others;
    }
}

} // namespace rt::backend::cpu
