#pragma once

#include "backend/cpu/code.h"
#include "ptx/host_abi.h"

#include <array>
#include <string>
#include <vector>

namespace rt::backend::cpu {

class GridRun;
enum class Outcome : uint8_t;

/// Takes the CTAs of a kernel that is cut into phases (ptx/host_abi.h) from cut to cut: all threads together as long as
/// they do the same, else warp by warp, and in a warp those lanes together that do the same.
class PhaseRun {
  public:
    /// Prepares for CTAs of that size; false when there is no memory.
    bool reserve(const CpuKernel& kernel, const uint32_t (&block)[3]);
    /// Runs the CTA of the lane: finished, stopped or stuck. Services may leave it for good meanwhile.
    Outcome run(const GridRun& grid, ptx::host::Lane& lane);
    ptx::host::PhaseState* state() { return &state_; }
    /// In what the threads are stuck.
    std::string describe() const;

  private:
    static constexpr uint32_t max_warps = 32;
    /// A warp's threads: rows of the CTA, whole ones and pieces.
    struct Boxes {
        uint32_t count = 0;
        std::array<ptx::host::PhaseBox, 32> box;
    };

    uint32_t warps() const { return (threads_ + 31) / 32; }
    uint32_t lanes_of(uint32_t warp) const;
    const ptx::host::PhaseCut& cut_of(uint32_t thread) const { return cuts_[state_.next[thread]]; }
    uint32_t mask_of(uint32_t thread) const;
    /// Where the thread's `size` bytes are; those of the following lanes of its warp come next.
    template <class T> T* slot(uint32_t byte, uint32_t thread, uint32_t size = sizeof(T)) const {
        const uint32_t begin = thread & begin_mask_;
        return reinterpret_cast<T*>(state_.slots + size_t{begin} * bytes_ + size_t{byte} * together_ +
                                    size_t{size} * (thread - begin));
    }

    uint32_t run_warps(const GridRun& grid);
    void settle(const GridRun& grid, uint32_t warp);
    uint32_t spinners(uint32_t warp) const;
    bool any_spins() const;
    void give_way();
    bool pass_barrier();
    void count_votes();
    bool pass_all(uint32_t& at);
    bool is_whole(uint32_t warp, uint32_t at) const;
    uint32_t complete_whole(uint32_t warp, uint32_t at);
    bool compute_whole(uint32_t first, const ptx::host::PhaseCut& cut);
    uint32_t complete_some(uint32_t warp, uint32_t without = 0);
    template <class F> void compute(uint32_t warp, uint32_t members, F&& cut_at);
    void find_boxes(uint32_t begin, uint32_t end, Boxes& boxes) const;
    uint32_t advance(uint32_t warp, uint32_t lanes);
    uint32_t advance_whole(uint32_t warp, uint32_t at);
    uint32_t common(uint32_t warp) const;

    const CpuKernel* kernel_ = nullptr;
    CpuKernel::Phase phase_ = nullptr;
    CpuKernel::Chain chain_ = nullptr; ///< or null
    const ptx::host::PhaseCut* cuts_ = nullptr;
    ptx::host::Lane* lane_ = nullptr;
    uint32_t size_[3] = {}, threads_ = 0, rounded_ = 0;
    uint32_t bytes_ = 0;                        ///< of a thread's slots
    uint32_t together_ = 32, begin_mask_ = ~0u; ///< threads whose slots lie together: how many, where they begin
    ptx::host::PhaseState state_{};
    ptx::host::PhaseBox whole_{};
    std::array<uint32_t, max_warps> at_{}; ///< where all threads of a warp are, or phase_mixed
    std::array<Boxes, max_warps> boxes_;   ///< of whole warps
    unsigned patience_ = 0;                ///< rounds of spinning before the CTA gives way to others
    std::vector<uint32_t> next_;
    std::vector<uint8_t> slots_;
};

} // namespace rt::backend::cpu
