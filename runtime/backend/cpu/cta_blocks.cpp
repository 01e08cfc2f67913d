// Whole CTAs on one fiber, one after another.
#include "backend/cpu/cta.h"
#include "backend/cpu/runner.h"

namespace rt::backend::cpu {

bool Cta::start_blocks(GridRun& run, Chunk& chunk) {
    run_ = &run;
    membership_ = {};
    if (!reserve_lanes(1) || !reserve_shared(run.shared_bytes()) ||
        !phases_.reserve(run.kernel(), run.grid().block_dim) || !reserve_stacks(block_stack_, 4 * run.stack_bytes(), 1))
        return false;
    threads_ = live_ = 1;
    whole_blocks_ = true;
    detached_ = false;
    chunk_ = &chunk;
    block_ = run.block_index(chunk.first++);
    LaneFiber& fiber = lanes_[0];
    fill_lane(fiber, block_);
    fiber.lane.thread[0] = fiber.lane.thread[1] = fiber.lane.thread[2] = fiber.lane.lane = fiber.lane.warp = 0;
    fiber.index = 0;
    if (!block_fiber_alive_) {
        prepare(block_context_, block_stack_->top(0), block_stack_->usable(), block_main, this);
        block_fiber_alive_ = true;
    }
    return true;
}

bool Cta::next_block() {
    if (detached_ || chunk_->empty() || run_->cancelled()) return false;
    chunk_->first++;
    const Dim3 grid = run_->launch().grid;
    if (++block_.x == grid.x) {
        block_.x = 0;
        if (++block_.y == grid.y) block_.y = 0, block_.z++;
    }
    ptx::host::Lane& lane = lanes_[0].lane;
    lane.block[0] = block_.x;
    lane.block[1] = block_.y;
    lane.block[2] = block_.z;
    return true;
}

/// One, or all that are left of the chunk if the code takes them: a chunk is short.
void Cta::run_blocks() {
    ptx::host::Lane& lane = lanes_[0].lane;
    if (!run_->kernel().phase()) {
        lane.more = chunk_->size();
        blocks_ += lane.more;
        chunk_->first += lane.more;
        run_->kernel().block()(&lane);
    } else {
        const Outcome outcome = phases_.run(*run_, lane);
        if (outcome != Outcome::finished) stop(outcome);
    }
    keep_run_blocks();
    done_++;
}

/// Of those in this call of S.block the one that runs, or ran, is the last: those behind it go back to the chunk, those
/// before it are done.
void Cta::keep_run_blocks() {
    if (blocks_ == 1) return;
    ptx::host::Lane& lane = lanes_[0].lane;
    chunk_->first -= lane.more;
    done_ += blocks_ - 1 - lane.more;
    lane.more = 0;
    blocks_ = 1;
    block_ = {lane.block[0], lane.block[1], lane.block[2]};
}

void Cta::block_main(void* argument) {
    Cta& cta = *static_cast<Cta*>(argument);
    arrive_on_fiber();
    for (;;) {
        do {
            cta.run_blocks();
        } while (cta.next_block());
        cta.go_home(cta.block_context_, Outcome::finished);
    }
}

} // namespace rt::backend::cpu
