// What happens when an assertion fails. As on an H100, all threads of the warp whose assertions fail say so, not just the
// first: a GPU's lanes fail together, ours one after another.
#include "backend/cpu/cta.h"
#include "backend/cpu/runner.h"

#include <algorithm>
#include <utility>

namespace rt::backend::cpu {

using ptx::host::phase_exit;

bool Cta::fails_first_or_again(const char* message, uint32_t line) {
    if (!asserting_ && asserting_warp_ < 0) {
        failed_message_ = message;
        failed_line_ = line;
    }
    return message == failed_message_ && line == failed_line_;
}

void Cta::leave_after_assertion(const ptx::host::Lane* lane) {
    if (!whole_blocks_) {
        asserting_warp_ = reinterpret_cast<const LaneFiber*>(lane)->index / 32;
        stop_if_cancelled();
    } else if (asserting_) {
        __builtin_longjmp(way_back_, 1);
    } else {
        asserting_ = true;
        run_rest_of_warp(*lane);
        asserting_ = false;
    }
    stop(Outcome::stopped);
}

/// Those before it have come past where it failed. The lane of a whole block's code is a copy of lanes_[0].
void Cta::run_rest_of_warp(const ptx::host::Lane& lane) {
    const uint32_t* size = run_->grid().block_dim;
    const uint32_t failed = (lane.thread[2] * size[1] + lane.thread[1]) * size[0] + lane.thread[0];
    const uint32_t end = std::min(failed / 32 * 32 + 32, size[0] * size[1] * size[2]);
    for (alone_ = failed + 1; alone_ < end; alone_++)
        if (__builtin_setjmp(way_back_) == 0) run_alone(alone_);
}

/// What the thread does next, up to its end, a barrier, or a failed assertion, which does not return here.
__attribute__((noinline)) void Cta::run_alone(uint32_t thread) {
    ptx::host::Lane& lane = lanes_[0].lane;
    const uint32_t* size = run_->grid().block_dim;
    lane.thread[0] = thread % size[0];
    lane.thread[1] = thread / size[0] % size[1];
    lane.thread[2] = thread / size[0] / size[1];
    lane.lane = thread % 32;
    lane.warp = thread / 32;
    const CpuKernel& kernel = run_->kernel();
    if (!kernel.phase()) return kernel.thread()(&lane);
    const uint32_t at = mixed_ ? phases_.next[thread] : phase_;
    if (at != phase_exit) kernel.phase()(&lane, at, true);
}

/// A lane with a fiber that can run, of the warp whose rest is to; null when there is none left.
LaneFiber* Cta::next_of_asserting_warp() {
    for (LaneList rest = std::exchange(ready_, {}); LaneFiber* lane = rest.pop();)
        if (lane->index / 32 == asserting_warp_) {
            ready_.append(rest);
            return lane;
        }
    return started_ < threads_ && int(started_ / 32) == asserting_warp_ ? begin_lane(nullptr) : nullptr;
}

void Cta::stop_if_cancelled() {
    if (!run_->cancelled()) return;
    if (!whole_blocks_ && asserting_warp_ >= 0) {
        if (LaneFiber* next = next_of_asserting_warp()) {
            current_ = next;
            switch_context(nowhere_, next->context, true);
        }
    }
    stop(Outcome::stopped);
}

} // namespace rt::backend::cpu
