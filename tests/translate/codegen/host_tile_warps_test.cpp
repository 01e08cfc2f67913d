// Operations of a warp in tiles that are warps, against threads one after another that stop at each of them.
#include "fixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>

using namespace codegen_test;
using namespace ptx::host;

namespace {

constexpr unsigned most_threads = 192, words = 4;

/// PTX ISA 9.7.9.6, 9.7.13.8, 9.7.13.9 and 9.7.13.11 once more, in the plainest way.
struct Given {
    uint64_t value = 0;
    uint32_t by = 0, clamp = 0, mask = 0, result = 0;
    bool predicate = false;
};

void shuffle(Shuffle mode, std::array<Given, 32>& lanes, uint32_t members) {
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

uint32_t combined(Reduce operation, uint32_t a, uint32_t b) {
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

void meet(const PhaseCut& cut, std::array<Given, 32>& lanes, uint32_t all) {
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
          cuts_(static_cast<const PhaseCut*>(code.symbol("k.kernel.cuts"))) {
        std::copy(std::begin(size_), std::end(size_), around.grid.block_dim);
        state_.next = next_.data();
        state_.slots = slots_.data() + (64 - reinterpret_cast<uintptr_t>(slots_.data()) % 64);
        around.lane.phases = &state_;
    }

    void run() {
        const PhaseBox whole{{0, 0, 0}, {size_[0], size_[1], 1}};
        for (uint32_t at = 0; at != phase_exit;) {
            whole_phases_++;
            at = phase_(&around_.lane, at, &whole);
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

  private:
    using Phase = uint32_t (*)(Lane*, uint32_t, const PhaseBox*);

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
    const PhaseCut* cuts_;
    unsigned whole_phases_ = 0, meetings_ = 0;
};

/// A kernel whose thread %i has its input %v and the address %at of its words, which `body` ends.
std::string kernel(const std::string& body) {
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

std::vector<uint32_t> run(const Code& code, uint32_t x, uint32_t y, uint32_t limit, unsigned& meetings) {
    Surroundings around;
    std::vector<uint32_t> in(most_threads), out(most_threads * words, 0xeeeeeeee);
    for (uint32_t i = 0; i < in.size(); ++i) in[i] = i * 2654435761u >> (i % 3 ? 25 : 3);
    around.set_parameters(in.data(), out.data(), limit);
    Block block(code, around, x, y);
    block.run();
    meetings = block.meetings();
    return out;
}

/// `limit` is the kernel's %n. Blocks of whole warps meet in tiles, if they do so at all, the rest of others outside.
void expect_same(const std::string& text, bool in_tiles = true, uint32_t limit = 100) {
    constexpr std::pair<uint32_t, uint32_t> blocks[] = {{64, 1}, {96, 2}, {8, 8}, {16, 5}, {100, 1}};
    for (const char* cpu : {"host", "host:haswell", "host:x86-64-v2"}) {
        if (std::string_view(cpu) == "host:haswell" && !__builtin_cpu_supports("avx2")) continue;
        ptx::Target target = ptx::Target::parse(cpu);
        const Code threads(text, target, {.phases = true});
        std::map<std::string, Code> tiles;
        const auto made_for = [&](uint32_t x, uint32_t y) -> const Code& {
            target.divide(x, y);
            return tiles.try_emplace(target.name(), text, target, ptx::Options{.phases = true, .warp = true}).first->second;
        };
        for (const auto& [x, y] : blocks) {
            SCOPED_TRACE(std::string(cpu) + " " + std::to_string(x) + "x" + std::to_string(y));
            unsigned single = 0, meetings = 0;
            const auto expected = run(threads, x, y, limit, single);
            EXPECT_EQ(run(made_for(64, 1), x, y, limit, meetings), expected);
            EXPECT_EQ(run(made_for(x, y), x, y, limit, meetings), expected);
            EXPECT_GT(single, 0u);
            const bool whole =
                x * y % 32 == 0 && target.columns * std::min<unsigned>(target.rows, 32u / target.columns) == 32;
            if (whole && in_tiles)
                EXPECT_EQ(meetings, 0u);
            else
                EXPECT_GT(meetings, 0u);
        }
    }
}

std::string shuffles(const char* by, const char* clamp) {
    std::string body;
    for (int mode = 0; mode < 4; mode++) {
        const std::string m = std::to_string(mode);
        body += "  %s" + m + " = call { i32, i1 } @cuttle.shuffle(i32 " + m + ", i32 %v, i32 " + by + ", i32 " + clamp +
                ", i32 -1)\n  %r" + m + " = extractvalue { i32, i1 } %s" + m + ", 0\n  %b" + m +
                " = extractvalue { i32, i1 } %s" + m + ", 1\n  %c" + m + " = zext i1 %b" + m + " to i32\n  %d" + m +
                " = shl i32 %c" + m + ", 31\n  %e" + m + " = xor i32 %r" + m + ", %d" + m + "\n  %a" + m +
                " = getelementptr i32, ptr addrspace(1) %o, i32 " + m + "\n  store i32 %e" + m +
                ", ptr addrspace(1) %a" + m + "\n";
    }
    return kernel(body + "  ret void\n");
}

} // namespace

TEST(HostTileWarps, ShufflesByWhatIsKnown) {
    // The clamp of shfl.up is 0: its operand has the segment mask in bits 8 to 12.
    expect_same(shuffles("3", "31"));
    expect_same(shuffles("5", "6151"));  // segments of 8
    expect_same(shuffles("1", "4096"));  // segments of 16, clamped at their beginning
}

TEST(HostTileWarps, ShufflesByWhatIsOneForAll) { expect_same(shuffles("%n", "31")); }

TEST(HostTileWarps, ShufflesByWhatEachLaneKnows) {
    expect_same(shuffles("%v", "31"));
    expect_same(shuffles("%lane", "6151"));
}

TEST(HostTileWarps, Votes) {
    for (const char* mask : {"-1", "%groups"}) {
        std::string body = R"(
  %high = and i32 %lane, 16
  %groups = shl i32 65535, %high
  %odd = trunc i32 %v to i1
)";
        for (int mode = 0; mode < 4; mode++) {
            const std::string m = std::to_string(mode);
            body += "  %r" + m + " = call i32 @cuttle.vote(i32 " + m + ", i1 %odd, i32 " + mask + ")\n  %a" + m +
                    " = getelementptr i32, ptr addrspace(1) %o, i32 " + m + "\n  store i32 %r" + m +
                    ", ptr addrspace(1) %a" + m + "\n";
        }
        expect_same(kernel(body + "  ret void\n"));
    }
}

TEST(HostTileWarps, Matches) {
    expect_same(kernel(R"(
  %k = and i32 %v, 7
  %wide = zext i32 %k to i64
  %m = call i32 @cuttle.match.any(i64 %wide, i32 -1)
  store i32 %m, ptr addrspace(1) %o
  %all = call { i32, i1 } @cuttle.match.all(i64 %wide, i32 -1)
  %all.m = extractvalue { i32, i1 } %all, 0
  store i32 %all.m, ptr addrspace(1) %o4
  %row = zext i32 %n to i64
  %same = call { i32, i1 } @cuttle.match.all(i64 %row, i32 -1)
  %same.m = extractvalue { i32, i1 } %same, 0
  store i32 %same.m, ptr addrspace(1) %o8
  ret void
)"));
}

TEST(HostTileWarps, Reductions) {
    std::string body;
    int place = 0;
    for (const Reduce operation : {Reduce::add, Reduce::min_s, Reduce::max_u, Reduce::xor_}) {
        const std::string m = std::to_string(int(operation));
        body += "  %r" + m + " = call i32 @cuttle.reduce(i32 " + m + ", i32 %v, i32 -1)\n  %a" + m +
                " = getelementptr i32, ptr addrspace(1) %o, i32 " + std::to_string(place++) + "\n  store i32 %r" + m +
                ", ptr addrspace(1) %a" + m + "\n";
    }
    expect_same(kernel(body + "  ret void\n"));
}

TEST(HostTileWarps, WhoIsThere) {
    expect_same(kernel(R"(
  %a = call i32 @cuttle.active.mask()
  store i32 %a, ptr addrspace(1) %o
  ret void
)"));
}

/// What lanes store before they meet others load behind it.
TEST(HostTileWarps, MemoryOfTheWarp) {
    expect_same(kernel(R"(
  %own.n = shl i32 %i, 2
  %own = inttoptr i32 %own.n to ptr addrspace(3)
  store i32 %v, ptr addrspace(3) %own
  call void @cuttle.warp.sync(i32 -1)
  %other.n = xor i32 %own.n, 4
  %other = inttoptr i32 %other.n to ptr addrspace(3)
  %g = load i32, ptr addrspace(3) %other
  call void @cuttle.warp.sync(i32 -1)
  store i32 7, ptr addrspace(3) %own
  store i32 %g, ptr addrspace(1) %o
  ret void
)"));
}

/// Sums of the warps by shuffles, of the block by its first warp: reduce_shfl of tests/bench.
TEST(HostTileWarps, BarriersBetween) {
    expect_same(kernel(R"(
  br label %down
down:
  %d = phi i32 [ 16, %body ], [ %d2, %down ]
  %sum = phi i32 [ %v, %body ], [ %sum2, %down ]
  %s = call { i32, i1 } @cuttle.shuffle(i32 1, i32 %sum, i32 %d, i32 31, i32 -1)
  %next = extractvalue { i32, i1 } %s, 0
  %sum2 = add i32 %sum, %next
  %d2 = lshr i32 %d, 1
  %more = icmp ne i32 %d2, 0
  br i1 %more, label %down, label %done
done:
  %warp.n = lshr i32 %i, 5
  %place = shl i32 %warp.n, 2
  %sp = inttoptr i32 %place to ptr addrspace(3)
  %first = icmp eq i32 %lane, 0
  br i1 %first, label %give, label %given
give:
  store i32 %sum2, ptr addrspace(3) %sp
  br label %given
given:
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %mine = load i32, ptr addrspace(3) %sp
  store i32 %mine, ptr addrspace(1) %o
  %x2 = call { i32, i1 } @cuttle.shuffle(i32 2, i32 %sum2, i32 7, i32 31, i32 -1)
  %x3 = extractvalue { i32, i1 } %x2, 0
  store i32 %x3, ptr addrspace(1) %o4
  ret void
)"));
}

/// Warps that are past the end of the data end at once; a warp with the end in it goes thread by thread.
TEST(HostTileWarps, ThreadsThatEndAtOnce) {
    const std::string text = kernel(R"(
  %over = icmp sge i32 %i, %n
  br i1 %over, label %end, label %work
work:
  %s = call i32 @cuttle.vote(i32 3, i1 true, i32 -1)
  store i32 %s, ptr addrspace(1) %o
  br label %end
end:
  ret void
)");
    expect_same(text, true, 192);
    expect_same(text, true, 64);
}

/// Which lanes meet is not known, so threads stay one by one.
TEST(HostTileWarps, LanesThatAreElsewhere) {
    expect_same(kernel(R"(
  %w0 = call i32 @cuttle.vote(i32 3, i1 true, i32 -1)
  %odd = icmp sgt i32 %v, -1
  br i1 %odd, label %some, label %end
some:
  %a = call i32 @cuttle.active.mask()
  store i32 %a, ptr addrspace(1) %o
  br label %end
end:
  ret void
)"),
                false);
}
