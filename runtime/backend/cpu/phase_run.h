#pragma once

#include "backend/cpu/code.h"
#include "ptx/phases.h"

#include <cstdlib>
#include <memory>
#include <string>

namespace rt::backend::cpu {

class GridRun;
enum class Outcome : uint8_t;

/// The threads of a CTA without fibers: each goes from one barrier or warp operation to the next in a loop over threads
/// that the translator made (ptx::host::Phases). Here is what happens in between. Threads that do the same move as one;
/// those that diverge move in groups, by the rules that fibers meet by.
class PhaseRun {
  public:
    /// False when there is no memory for it.
    bool reserve(const ptx::host::Phases& phases, const uint32_t (&block)[3]);
    uint8_t* frames() { return frames_.get(); }
    uint32_t threads() const { return threads_; }
    /// From the kernel's beginning to its end: finished, stopped, or stuck. `lane` says which CTA it is.
    Outcome run(const GridRun& grid, CpuKernel::Phase phase, ptx::host::Lane& lane);
    /// What the threads of a CTA that is stuck wait for.
    std::string describe() const;

  private:
    struct Free {
        void operator()(uint8_t* memory) const { std::free(memory); }
    };
    template <class T> T* field(uint32_t offset) const {
        return reinterpret_cast<T*>(frames_.get() + size_t{offset} * threads_);
    }
    const ptx::host::State& state_of(uint32_t thread) const { return phases_->state[next_[thread]]; }
    uint32_t warps() const { return (threads_ + 31) / 32; }
    uint32_t full(uint32_t warp) const;
    uint32_t mask_of(uint32_t thread) const;
    bool all_are_in(uint32_t state) const;
    void advance(uint32_t begin, uint32_t end, uint32_t state);
    void advance_ready();
    bool complete_warps();
    void complete_warp(uint32_t warp);
    void compute(uint32_t warp, uint32_t members);
    bool shuffle_whole(uint32_t warp);
    bool complete_barrier();
    void reduce_at_barrier();

    const ptx::host::Phases* phases_ = nullptr;
    CpuKernel::Phase phase_ = nullptr;
    ptx::host::Lane* lane_ = nullptr;
    uint32_t threads_ = 0, size_[3] = {};
    std::unique_ptr<uint8_t, Free> frames_;
    size_t capacity_ = 0;
    uint32_t* next_ = nullptr;
    uint32_t live_[32] = {}, ready_[32] = {}; ///< lanes of each warp: not exited; and not waiting
};

} // namespace rt::backend::cpu
