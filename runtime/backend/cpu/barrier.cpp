// PTX ISA 9.7.13.1: barriers of a CTA. A thread that has exited counts as arrived.
#include "backend/cpu/cta.h"

#include "backend/cpu/runner.h"

#include <fmt/format.h>

namespace rt::backend::cpu {

Cta::Barrier& Cta::barrier_at(LaneFiber& self, uint32_t id) {
    if (id >= barriers) {
        run_->fail(runner_, Fault::illegal_instruction,
                   fmt::format("{}: there is no barrier {}", run_->place(&self), id));
        stop(Outcome::stopped);
    }
    Barrier& barrier = barrier_[id];
    if (!(active_barriers_ & (1u << id))) {
        active_barriers_ |= 1u << id;
        barrier.arrived = barrier.expected = barrier.popc = 0;
        barrier.simple = barrier.all = true;
        barrier.reducing = barrier.any = false;
        barrier.waiting = {};
    }
    return barrier;
}

void Cta::barrier(LaneFiber& self, uint32_t id, uint32_t count, bool wait) {
    barrier_enter(barrier_at(self, id), self, count, wait);
}

uint32_t Cta::barrier_reduce(LaneFiber& self, uint32_t id, uint32_t count, uint32_t operation, bool predicate) {
    Barrier& barrier = barrier_at(self, id);
    barrier.reducing = true;
    barrier.popc += predicate;
    barrier.all &= predicate;
    barrier.any |= predicate;
    self.operation = operation;
    barrier_enter(barrier, self, count, true);
    return uint32_t(self.result);
}

void Cta::barrier_enter(Barrier& barrier, LaneFiber& self, uint32_t count, bool wait) {
    if (count % 32) { // as on an H100
        run_->fail(runner_, Fault::illegal_instruction,
                   fmt::format("{}: a barrier of {} threads, which are no whole warps", run_->place(&self), count));
        stop(Outcome::stopped);
    }
    const uint32_t all = (threads_ + 31) / 32 * 32;
    const bool whole = count == 0 || count >= threads_;
    if (barrier.simple && !(whole && wait)) barrier_count_exactly(barrier);
    barrier.expected = whole ? all : count;
    barrier.arrived++;
    if (!barrier.simple) barrier.warps[self.index / 32] |= self.bit();
    if (barrier_complete(barrier)) return barrier_release(barrier, wait ? &self : nullptr);
    if (!wait) return;
    self.state = LaneState::barrier;
    self.detail = uint32_t(&barrier - barrier_.data());
    progress_ = true;
    barrier.waiting.push(self);
    suspend(self);
}

/// From here on the barrier knows who has arrived, not only how many.
void Cta::barrier_count_exactly(Barrier& barrier) {
    barrier.simple = false;
    barrier.warps.fill(0);
    for (LaneFiber* lane = barrier.waiting.head; lane; lane = lane->next)
        barrier.warps[lane->index / 32] |= lane->bit();
}

bool Cta::barrier_complete(const Barrier& barrier) const {
    if (barrier.simple) return barrier.arrived == live_;
    // Lanes that have exited, or that the last warp lacks, count as soon as anyone of their warp takes part.
    const bool whole = barrier.expected >= threads_;
    uint32_t sum = 0;
    for (uint32_t warp = 0; warp * 32 < threads_; warp++)
        if (whole || barrier.warps[warp]) sum += uint32_t(__builtin_popcount(barrier.warps[warp] | ~warps_[warp].live));
    return sum >= barrier.expected;
}

void Cta::barrier_release(Barrier& barrier, LaneFiber* last) {
    active_barriers_ &= ~(1u << (&barrier - barrier_.data()));
    run_->kernel().count_barrier();
    if (barrier.reducing) {
        auto give = [&](LaneFiber& lane) {
            const auto operation = ptx::host::BarrierReduce(lane.operation);
            lane.result = operation == ptx::host::BarrierReduce::popc   ? barrier.popc
                          : operation == ptx::host::BarrierReduce::and_ ? uint32_t(barrier.all)
                                                                        : uint32_t(barrier.any);
        };
        for (LaneFiber* lane = barrier.waiting.head; lane; lane = lane->next) give(*lane);
        if (last) give(*last);
    }
    ready_.append(barrier.waiting);
}

std::string Cta::describe_stuck() const {
    if (whole_blocks_) return run_->place(current_) + ":" + phases_.describe();
    std::string text = fmt::format("{}: its threads wait for each other for ever;", run_->place(current_));
    for (uint32_t set = active_barriers_; set; set &= set - 1) {
        const unsigned id = unsigned(__builtin_ctz(set));
        const Barrier& barrier = barrier_[id];
        const uint32_t expected = barrier.simple ? live_ : barrier.expected;
        text += fmt::format(" barrier {} has {} of {} threads;", id, barrier.arrived, expected);
    }
    for (uint32_t first = 0; first < threads_; first += 32) {
        const Warp& warp = warps_[first / 32];
        for (uint32_t i = 0; i < warp.meetings; i++)
            text += fmt::format(" warp {} waits at a warp operation with mask {:#x}, of which {:#x} are there;",
                                first / 32, warp.meeting[i].mask, warp.meeting[i].arrived);
    }
    if (grid_arrived_) text += fmt::format(" {} threads wait at the grid's barrier;", grid_arrived_);
    return text + fmt::format(" {} of {} threads have exited", threads_ - live_, threads_);
}

} // namespace rt::backend::cpu
