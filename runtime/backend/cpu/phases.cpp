// CTAs of kernels that are cut at their barriers: ptx/host_abi.h. One fiber runs all threads, phase by phase.
#include "backend/cpu/cta.h"
#include "backend/cpu/runner.h"

namespace rt::backend::cpu {

using ptx::host::phase_exit;
using ptx::host::phase_mixed;

bool Cta::reserve_phases() {
    const ptx::KernelInfo& info = run_->kernel().info();
    if (!info.phases) return true;
    const size_t threads = (size_t(run_->threads()) + 15) / 16 * 16;
    if (next_phase_.size() < threads) next_phase_.resize(threads);
    // What a slot holds before it is written is never used.
    if (phase_slots_.size() < threads * info.phase_bytes + 64) phase_slots_.resize(threads * info.phase_bytes + 64);
    const auto slots = (reinterpret_cast<uintptr_t>(phase_slots_.data()) + 63) / 64 * 64;
    phases_.next = next_phase_.data();
    phases_.slots = reinterpret_cast<uint8_t*>(slots);
    return true;
}

void Cta::run_block() {
    if (const CpuKernel::Phase phase = run_->kernel().phase()) return run_phases(phase);
    run_->kernel().block()(&lanes_[0].lane);
}

void Cta::run_phases(CpuKernel::Phase phase) {
    phases_.votes = phases_.voters = 0;
    mixed_ = false;
    phase_ = 0;
    uint32_t next = phase(&lanes_[0].lane, 0, false);
    while (next != phase_exit) {
        if (run_->cancelled()) stop(Outcome::stopped);
        phases_.last_votes = std::exchange(phases_.votes, 0);
        phases_.last_voters = std::exchange(phases_.voters, 0);
        mixed_ = next == phase_mixed;
        phase_ = next;
        next = mixed_ ? run_threads(phase) : phase(&lanes_[0].lane, next, false);
    }
}

/// Some threads are over, or they wait at different places: each goes on by itself.
uint32_t Cta::run_threads(CpuKernel::Phase phase) {
    ptx::host::Lane& lane = lanes_[0].lane;
    const uint32_t* size = run_->grid().block_dim;
    uint32_t number = 0, common = phase_exit;
    bool mixed = false;
    for (lane.thread[2] = 0; lane.thread[2] < size[2]; lane.thread[2]++)
        for (lane.thread[1] = 0; lane.thread[1] < size[1]; lane.thread[1]++)
            for (lane.thread[0] = 0; lane.thread[0] < size[0]; lane.thread[0]++, number++) {
                const uint32_t at = phases_.next[number];
                const uint32_t next = at == phase_exit ? phase_exit : phase(&lane, at, true);
                if (number == 0) common = next;
                mixed |= next != common;
            }
    return mixed ? phase_mixed : common;
}

} // namespace rt::backend::cpu
