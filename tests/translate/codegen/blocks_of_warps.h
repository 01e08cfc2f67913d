#pragma once

#include "fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

/// Blocks of threads that meet in their warps and at barriers, taken through a kernel as a back end does.
namespace codegen_test::blocks {

using namespace ptx::host;

constexpr unsigned most_threads = 192, words = 4;

/// PTX ISA 9.7.9.6, 9.7.13.8, 9.7.13.9 and 9.7.13.11 once more, in the plainest way.
struct Given {
    uint64_t value = 0;
    uint32_t by = 0, clamp = 0, mask = 0, result = 0;
    bool predicate = false;
};

inline void shuffle(Shuffle mode, std::array<Given, 32>& lanes, uint32_t members) {
    for (int self = 0; self < 32; self++) {
        if (!(members >> self & 1)) continue;
        Given& lane = lanes[size_t(self)];
        const int segment = lane.clamp >> 8 & 31, clamp = lane.clamp & 31, by = lane.by & 31;
        const int lowest = self & segment, highest = lowest | (clamp & ~segment);
        const int from = mode == Shuffle::up     ? self - by
                         : mode == Shuffle::down ? self + by
                         : mode == Shuffle::bfly ? self ^ by
                                                 : lowest | (by & ~segment);
        lane.predicate = mode == Shuffle::up ? from >= highest : from <= highest;
        const auto source = size_t(lane.predicate ? from : self);
        lane.result = members >> source & 1 ? uint32_t(lanes[source].value) : 0;
    }
}

inline uint32_t combined(Reduce operation, uint32_t a, uint32_t b) {
    switch (operation) {
    case Reduce::add:
        return a + b;
    case Reduce::min_s:
        return uint32_t(std::min(int32_t(a), int32_t(b)));
    case Reduce::max_u:
        return std::max(a, b);
    case Reduce::xor_:
        return a ^ b;
    default:
        ADD_FAILURE() << "no such reduction here";
        return 0;
    }
}

inline void meet(const PhaseCut& cut, std::array<Given, 32>& lanes, uint32_t all) {
    if (cut.wait == Wait::shuffle) return shuffle(Shuffle(cut.operation), lanes, all);
    for (unsigned self = 0; self < 32; self++) {
        if (!(all >> self & 1)) continue;
        Given& lane = lanes[self];
        const uint32_t members = (lane.mask | 1u << self) & all;
        uint32_t set = 0, same = 0, sum = 0;
        bool first = true;
        for (unsigned other = 0; other < 32; other++) {
            if (!(members >> other & 1)) continue;
            set |= uint32_t(lanes[other].value != 0) << other;
            same |= uint32_t(lanes[other].value == lane.value) << other;
            sum = first ? uint32_t(lanes[other].value)
                        : combined(Reduce(cut.wait == Wait::reduce ? cut.operation : 0), sum, uint32_t(lanes[other].value));
            first = false;
        }
        switch (cut.wait) {
        case Wait::vote: {
            const uint32_t answers[] = {set == members, set != 0, set == members || set == 0, set};
            lane.result = answers[cut.operation];
            break;
        }
        case Wait::match_any:
            lane.result = same;
            break;
        case Wait::match_all:
            lane.predicate = same == members;
            lane.result = lane.predicate ? members : 0;
            break;
        case Wait::reduce:
            lane.result = sum;
            break;
        case Wait::active_mask:
            lane.result = all;
            break;
        default:
            break;
        }
    }
}

/// A block whose warps go on each by itself between barriers, and in which threads run one by one unless all are in one
/// phase.
class Block {
  public:
    Block(const Code& code, Surroundings& around, uint32_t x, uint32_t y)
        : around_(around), size_{x, y, 1}, threads_(x * y), rounded_((threads_ + 31) / 32 * 32), next_(rounded_),
          slots_(rounded_ * code.kernel("k").phase_bytes + 64),
          phase_(reinterpret_cast<Phase>(code.symbol("k.kernel.phase"))),
          chain_(reinterpret_cast<Chain>(code.symbol("k.kernel.chain"))),
          cuts_(static_cast<const PhaseCut*>(code.symbol("k.kernel.cuts"))) {
        std::copy(std::begin(size_), std::end(size_), around.grid.block_dim);
        state_.next = next_.data();
        state_.slots = slots_.data() + (64 - reinterpret_cast<uintptr_t>(slots_.data()) % 64);
        state_.stop = &stop_;
        around.lane.phases = &state_;
    }

    /// With `chain` phases follow each other in the kernel's code where that offers it.
    void run(bool chain = false) {
        const PhaseBox whole{{0, 0, 0}, {size_[0], size_[1], 1}};
        for (uint32_t at = 0; at != phase_exit;) {
            whole_phases_++;
            at = chain && chain_ ? chain_(&around_.lane, at) : phase_(&around_.lane, at, &whole);
            if (at != phase_mixed) std::fill_n(next_.begin(), threads_, at);
            for (uint32_t first = 0; first < threads_; first += 32) settle(first);
            at = next_[0];
            for (uint32_t i = 0; i < threads_; i++) ASSERT_EQ(next_[i], at) << "thread " << i;
            ASSERT_TRUE(at == phase_exit || cuts_[at].wait == Wait::barrier);
        }
    }
    /// How often all threads went on together, and how often a warp had to be looked at.
    unsigned whole_phases() const { return whole_phases_; }
    unsigned meetings() const { return meetings_; }
    /// Chains end early from now on.
    void stop() { stop_ = 1; }

  private:
    using Phase = uint32_t (*)(Lane*, uint32_t, const PhaseBox*);
    using Chain = uint32_t (*)(Lane*, uint32_t);

    template <class T> T& slot(uint32_t byte, uint32_t thread) const {
        return reinterpret_cast<T*>(state_.slots + size_t{byte} * rounded_)[thread];
    }

    /// All lanes of the warp are in one place.
    void settle(uint32_t first) {
        const uint32_t last = std::min(first + 32, threads_);
        for (;;) {
            uint32_t at = next_[first];
            for (uint32_t i = first; i < last; i++) ASSERT_EQ(next_[i], at);
            if (at == phase_exit || cuts_[at].wait == Wait::barrier) return;
            meetings_++;
            for (bool more = true; more; at += more) {
                complete(cuts_[at], first, last);
                more = cuts_[at].more;
            }
            for (uint32_t i = first; i < last; i++) {
                const uint32_t x = i % size_[0], y = i / size_[0];
                const PhaseBox one{{x, y, 0}, {x + 1, y + 1, 1}};
                next_[i] = phase_(&around_.lane, at, &one);
            }
        }
    }

    void complete(const PhaseCut& cut, uint32_t first, uint32_t last) {
        std::array<Given, 32> lanes;
        const auto argument = [&](const PhaseArgument& which, uint32_t i) {
            return which.slot == no_slot ? which.constant : slot<uint32_t>(which.slot, i);
        };
        for (uint32_t i = first; i < last; i++) {
            Given& lane = lanes[i - first];
            lane.mask = argument(cut.mask, i);
            if (cut.wait == Wait::shuffle) lane.by = argument(cut.by, i), lane.clamp = argument(cut.clamp, i);
            if (cut.bytes) lane.value = cut.bytes == 1 ? slot<uint8_t>(cut.value, i) : cut.bytes == 4 ? slot<uint32_t>(cut.value, i) : slot<uint64_t>(cut.value, i);
        }
        meet(cut, lanes, last - first == 32 ? ~0u : (1u << (last - first)) - 1);
        for (uint32_t i = first; i < last; i++) {
            if (cut.result != no_slot) slot<uint32_t>(cut.result, i) = lanes[i - first].result;
            if (cut.predicate != no_slot) slot<uint8_t>(cut.predicate, i) = lanes[i - first].predicate;
        }
    }

    Surroundings& around_;
    uint32_t size_[3], threads_, rounded_;
    PhaseState state_{};
    std::vector<uint32_t> next_;
    std::vector<uint8_t> slots_;
    Phase phase_;
    Chain chain_; ///< or null
    const PhaseCut* cuts_;
    uint8_t stop_ = 0;
    unsigned whole_phases_ = 0, meetings_ = 0;
};

/// A kernel whose thread %i has its input %v and the address %at of its words, which `body` ends.
inline std::string kernel(const std::string& body) {
    return R"(
define void @k() #1 {
start:
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %in = load i64, ptr addrspace(4) %p
  %q = getelementptr i8, ptr addrspace(4) %p, i64 8
  %out = load i64, ptr addrspace(4) %q
  %r = getelementptr i8, ptr addrspace(4) %p, i64 16
  %n = load i32, ptr addrspace(4) %r
  %x = call i32 @cuttle.sreg.tid.x()
  %y = call i32 @cuttle.sreg.tid.y()
  %w = call i32 @cuttle.sreg.ntid.x()
  %lane = call i32 @cuttle.sreg.laneid()
  %yw = mul i32 %y, %w
  %i = add i32 %yw, %x
  %iw = sext i32 %i to i64
  %ib = shl i64 %iw, 2
  %ia = add i64 %in, %ib
  %ip = inttoptr i64 %ia to ptr addrspace(1)
  %v = load i32, ptr addrspace(1) %ip
  %at = shl i64 %iw, 4
  %o.n = add i64 %out, %at
  %o = inttoptr i64 %o.n to ptr addrspace(1)
  %o4 = getelementptr i8, ptr addrspace(1) %o, i64 4
  %o8 = getelementptr i8, ptr addrspace(1) %o, i64 8
  br label %body
body:
)" + body + R"(}
declare i32 @cuttle.vote(i32, i1, i32) convergent
declare i32 @cuttle.match.any(i64, i32) convergent
declare { i32, i1 } @cuttle.match.all(i64, i32) convergent
declare i32 @cuttle.reduce(i32, i32, i32) convergent
declare i32 @cuttle.active.mask() convergent
declare void @cuttle.warp.sync(i32) convergent
)";
}

enum class Expect { whole, parts };

} // namespace codegen_test::blocks
