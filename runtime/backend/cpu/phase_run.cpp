#include "backend/cpu/phase_run.h"

#include "backend/cpu/cta.h"
#include "backend/cpu/warp_operations.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

namespace rt::backend::cpu {

using ptx::host::phase_exit;
using ptx::host::phase_mixed;
using ptx::host::PhaseBox;
using ptx::host::PhaseCut;
using ptx::host::Wait;

namespace {

/// How often threads that spin are looked at before the CTA lets others run, which they may wait for.
constexpr unsigned patience = 32;

bool is_barrier(const PhaseCut& cut) { return cut.wait == Wait::barrier || cut.wait == Wait::barrier_reduce; }

/// A phase of some threads of a warp; notes where each of them goes on, which the phase does only when they part.
uint32_t run_box(CpuKernel::Phase phase, ptx::host::Lane* lane, const uint32_t (&size)[3], uint32_t* next, uint32_t at,
                 const PhaseBox& box) {
    const uint32_t result = phase(lane, at, &box);
    if (result == phase_mixed) return result;
    const uint32_t first = (box.begin[2] * size[1] + box.begin[1]) * size[0];
    std::fill(next + first + box.begin[0], next + first + (box.end[1] - 1 - box.begin[1]) * size[0] + box.end[0],
              result);
    return result;
}

} // namespace

bool PhaseRun::reserve(const CpuKernel& kernel, const uint32_t (&block)[3]) {
    if (!kernel.phase()) return true;
    phase_ = kernel.phase();
    chain_ = kernel.chain();
    cuts_ = kernel.cuts();
    kernel_ = &kernel;
    if (!std::equal(std::begin(block), std::end(block), size_)) {
        std::copy(std::begin(block), std::end(block), size_);
        threads_ = block[0] * block[1] * block[2];
        rounded_ = (threads_ + 31) / 32 * 32;
        whole_ = {{0, 0, 0}, {size_[0], size_[1], size_[2]}};
        for (uint32_t warp = 0; warp < warps(); warp++)
            find_boxes(32 * warp, std::min(threads_, 32 * warp + 32), boxes_[warp]);
    }
    bytes_ = kernel.info().phase_bytes;
    together_ = cuts_->bytes ? 32 : rounded_;
    begin_mask_ = cuts_->bytes ? ~31u : 0;
    const size_t bytes = size_t{bytes_} * rounded_ + 64;
    // What a slot holds before it is written is never used.
    if (next_.size() < rounded_) next_.resize(rounded_);
    if (slots_.size() < bytes) slots_.resize(bytes);
    state_.next = next_.data();
    state_.slots = slots_.data() + (64 - reinterpret_cast<uintptr_t>(slots_.data()) % 64) % 64;
    return true;
}

/// Threads are numbered x first: PTX ISA 10.1 and 10.3.
void PhaseRun::find_boxes(uint32_t begin, uint32_t end, Boxes& boxes) const {
    for (boxes.count = 0; begin < end;) {
        const uint32_t x = begin % size_[0], row = begin / size_[0], y = row % size_[1], z = row / size_[1];
        PhaseBox box{{x, y, z}, {size_[0], y + 1, z + 1}};
        const uint32_t rows = std::min((end - begin) / size_[0], size_[1] - y);
        if (x != 0 || rows == 0)
            box.end[0] = std::min(size_[0], x + (end - begin));
        else
            box.end[1] = y + rows;
        boxes.box[boxes.count++] = box;
        begin += (box.end[0] - x) * (box.end[1] - y);
    }
}

uint32_t PhaseRun::lanes_of(uint32_t warp) const {
    const uint32_t rest = threads_ - 32 * warp;
    return rest >= 32 ? ~0u : (1u << rest) - 1;
}

Outcome PhaseRun::run(const GridRun& grid, ptx::host::Lane& lane) {
    lane_ = &lane;
    patience_ = patience;
    state_.stop = grid.cancelled_byte();
    for (uint32_t at = 0; at != phase_exit;) {
        at = chain_ ? chain_(lane_, at) : phase_(lane_, at, &whole_);
        if (grid.cancelled()) return Outcome::stopped;
        if (at == phase_exit) break;
        if (at != phase_mixed && pass_all(at)) continue;
        if (at != phase_mixed) std::fill_n(next_.begin(), threads_, at);
        for (uint32_t warp = 0; warp < warps(); warp++) at_[warp] = at == phase_mixed ? common(warp) : at;
        at = run_warps(grid);
        if (grid.cancelled()) return Outcome::stopped;
        if (at == phase_mixed) return Outcome::stuck;
    }
    return Outcome::finished;
}

/// What all threads meet for in the same place, and the number of what follows; false when they must be looked at one
/// by one.
bool PhaseRun::pass_all(uint32_t& at) {
    if (is_barrier(cuts_[at])) kernel_->count_barrier();
    if (cuts_[at].wait == Wait::barrier) return true;
    if (cuts_[at].wait == Wait::barrier_reduce) {
        std::fill_n(next_.begin(), threads_, at);
        return count_votes(), true;
    }
    if (cuts_[at].wait == Wait::spin) return false;
    uint32_t last = at;
    for (uint32_t warp = 0; warp < warps(); warp++)
        if (!is_whole(warp, at)) return false;
    for (uint32_t warp = 0; warp < warps(); warp++) last = complete_whole(warp, at);
    at = last;
    return true;
}

/// Each warp by itself until all threads may go on with the same phase: gives that, or phase_exit; phase_mixed when
/// they wait for ever.
uint32_t PhaseRun::run_warps(const GridRun& grid) {
    for (;;) {
        for (uint32_t warp = 0; warp < warps(); warp++) settle(grid, warp);
        if (grid.cancelled()) return phase_mixed;
        const bool same =
            std::all_of(at_.begin() + 1, at_.begin() + warps(), [&](uint32_t at) { return at == at_[0]; });
        if (same && at_[0] == phase_exit) return phase_exit;
        if (any_spins()) {
            give_way();
            continue;
        }
        if (!pass_barrier()) return phase_mixed;
        if (same && at_[0] != phase_mixed) return at_[0];
        for (uint32_t warp = 0; warp < warps(); warp++) {
            if (at_[warp] == phase_exit) continue;
            at_[warp] = at_[warp] == phase_mixed ? advance(warp, ~0u) : advance_whole(warp, at_[warp]);
        }
    }
}

/// Takes a warp to where none of its lanes can go on without others; those that spin go on once, last of all.
void PhaseRun::settle(const GridRun& grid, uint32_t warp) {
    uint32_t at = at_[warp];
    bool spun = false;
    while (at != phase_exit && !grid.cancelled()) {
        if (at != phase_mixed) {
            if (is_barrier(cuts_[at])) break;
            if (cuts_[at].wait == Wait::spin) {
                if (std::exchange(spun, true)) break;
                at = advance_whole(warp, at);
                continue;
            }
            if (is_whole(warp, at)) {
                at = advance_whole(warp, complete_whole(warp, at));
                continue;
            }
        }
        uint32_t ready = complete_some(warp);
        if (!ready && !std::exchange(spun, true)) ready = spinners(warp);
        if (!ready) break;
        at = advance(warp, ready);
    }
    at_[warp] = at;
}

/// The lanes that wait for what others write.
uint32_t PhaseRun::spinners(uint32_t warp) const {
    uint32_t lanes = 0;
    for_each_lane(lanes_of(warp), [&](unsigned lane) {
        const uint32_t thread = 32 * warp + lane;
        const bool spins = state_.next[thread] != phase_exit && cut_of(thread).wait == Wait::spin;
        lanes |= uint32_t(spins) << lane;
    });
    return lanes;
}

bool PhaseRun::any_spins() const {
    for (uint32_t warp = 0; warp < warps(); warp++) {
        const uint32_t at = at_[warp];
        if (at == phase_exit) continue;
        if (at == phase_mixed ? spinners(warp) != 0 : cuts_[at].wait == Wait::spin) return true;
    }
    return false;
}

/// What threads wait for may be up to other CTAs.
void PhaseRun::give_way() {
    if (--patience_ > 0) return __builtin_ia32_pause();
    patience_ = patience;
    Cta& cta = Cta::of(lane_);
    cta.pause(cta.current_lane());
}

/// Whether all that have not exited wait at one barrier. Does what they wait for.
bool PhaseRun::pass_barrier() {
    const PhaseCut* first = nullptr;
    bool votes = false;
    const auto waits = [&](uint32_t at) {
        const PhaseCut& cut = cuts_[at];
        if (!first) first = &cut;
        votes |= cut.wait == Wait::barrier_reduce;
        return is_barrier(cut) && cut.argument == first->argument;
    };
    for (uint32_t warp = 0; warp < warps(); warp++) {
        if (at_[warp] == phase_exit) continue;
        if (at_[warp] != phase_mixed) {
            if (!waits(at_[warp])) return false;
            continue;
        }
        for (uint32_t i = 32 * warp; i < std::min(threads_, 32 * warp + 32); i++)
            if (state_.next[i] != phase_exit && !waits(state_.next[i])) return false;
    }
    if (votes) count_votes();
    kernel_->count_barrier();
    return true;
}

void PhaseRun::count_votes() {
    using ptx::host::BarrierReduce;
    uint32_t votes = 0, voters = 0;
    const auto for_voters = [&](auto&& f) {
        for (uint32_t i = 0; i < threads_; i++)
            if (state_.next[i] != phase_exit && cut_of(i).wait == Wait::barrier_reduce) f(i, cut_of(i));
    };
    for_voters([&](uint32_t i, const PhaseCut& cut) { votes += *slot<uint8_t>(cut.value, i), voters++; });
    for_voters([&](uint32_t i, const PhaseCut& cut) {
        const auto operation = BarrierReduce(cut.operation);
        if (cut.result == ptx::host::no_slot) return;
        *slot<uint32_t>(cut.result, i) = operation == BarrierReduce::popc   ? votes
                                         : operation == BarrierReduce::and_ ? uint32_t(votes == voters)
                                                                            : uint32_t(votes != 0);
    });
}

/// Where all threads of the warp are, or phase_mixed.
uint32_t PhaseRun::common(uint32_t warp) const {
    const uint32_t first = 32 * warp, count = std::min(threads_ - first, 32u), at = state_.next[first];
    uint32_t differences = 0;
    for (uint32_t i = 1; i < count; i++) differences |= state_.next[first + i] ^ at;
    return differences ? phase_mixed : at;
}

uint32_t PhaseRun::advance_whole(uint32_t warp, uint32_t at) {
    const Boxes& boxes = boxes_[warp];
    const uint32_t next = run_box(phase_, lane_, size_, next_.data(), at, boxes.box[0]);
    bool same = true;
    for (uint32_t i = 1; i < boxes.count; i++)
        same &= run_box(phase_, lane_, size_, next_.data(), at, boxes.box[i]) == next;
    return same ? next : phase_mixed;
}

/// Those of the lanes that have not exited; neighbours with the same way together.
uint32_t PhaseRun::advance(uint32_t warp, uint32_t lanes) {
    lanes &= lanes_of(warp);
    for (uint32_t i = 0; i < 32; i++)
        if (lanes >> i & 1 && state_.next[32 * warp + i] == phase_exit) lanes &= ~(1u << i);
    const uint32_t first = 32 * warp;
    Boxes boxes;
    while (lanes) {
        const uint32_t begin = unsigned(__builtin_ctz(lanes)), at = state_.next[first + begin];
        uint32_t end = begin;
        while (end < 32 && lanes >> end & 1 && state_.next[first + end] == at) lanes &= ~(1u << end++);
        find_boxes(first + begin, first + end, boxes);
        for (uint32_t i = 0; i < boxes.count; i++) run_box(phase_, lane_, size_, next_.data(), at, boxes.box[i]);
    }
    return common(warp);
}

std::string PhaseRun::describe() const {
    std::string text = " its threads wait for each other for ever;";
    uint32_t live = 0, at_barrier[16] = {};
    for (uint32_t i = 0; i < threads_; i++) {
        if (state_.next[i] == phase_exit) continue;
        live++;
        if (is_barrier(cut_of(i))) at_barrier[cut_of(i).argument & 15]++;
    }
    for (uint32_t id = 0; id < 16; id++)
        if (at_barrier[id]) text += fmt::format(" barrier {} has {} of {} threads;", id, at_barrier[id], live);
    for (uint32_t warp = 0; warp < warps(); warp++) {
        uint32_t there = 0, mask = 0;
        for (uint32_t i = 32 * warp; i < std::min(threads_, 32 * warp + 32); i++) {
            if (state_.next[i] == phase_exit || is_barrier(cut_of(i))) continue;
            there |= 1u << i % 32;
            mask = mask_of(i);
        }
        if (there)
            text += fmt::format(" warp {} waits at a warp operation with mask {:#x}, of which {:#x} are there;", warp,
                                mask, there);
    }
    return text + fmt::format(" {} of {} threads have exited", threads_ - live, threads_);
}

} // namespace rt::backend::cpu
