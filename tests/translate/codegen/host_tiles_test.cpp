// Threads side by side in vectors against threads one after another: the same memory.
#include "fixture.h"

#include <gtest/gtest.h>

#include <cstring>
#include <numeric>

using namespace codegen_test;

namespace {

constexpr unsigned most_threads = 192, words = 4;

/// A kernel whose thread i is given its number %i, its input %v = in[i] and the address %at of its words in out.
std::string kernel(const std::string& body, const std::string& more = "") {
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
  %yw = mul i32 %y, %w
  %i = add i32 %yw, %x
  %iw = sext i32 %i to i64
  %ib = shl i64 %iw, 2
  %ia = add i64 %in, %ib
  %ip = inttoptr i64 %ia to ptr addrspace(1)
  %v = load i32, ptr addrspace(1) %ip
  %ob = shl i64 %iw, 4
  %at = add i64 %out, %ob
  %o = inttoptr i64 %at to ptr addrspace(1)
  br label %body
body:
)" + body + "}\n" +
           more;
}

struct Memory {
    std::vector<uint32_t> out;
    std::array<uint8_t, 4096> shared;
    bool operator==(const Memory&) const = default;
};

Memory run(const std::string& text, const ptx::Target& target, const ptx::Options& options, uint32_t x, uint32_t y,
           bool expect_tiles) {
    const Code code(text, target, options);
    const auto* why = static_cast<const char*>(code.symbol("k.kernel.why_threads"));
    EXPECT_EQ(why != nullptr, options.warp && !expect_tiles) << (why ? why : "");
    Surroundings around;
    std::vector<uint32_t> in(most_threads);
    for (uint32_t i = 0; i < in.size(); ++i) in[i] = i * 2654435761u >> (i % 3 ? 25 : 3);
    Memory memory{std::vector<uint32_t>(most_threads * words, 0xeeeeeeee), {}};
    around.set_parameters(in.data(), memory.out.data(), 100u);
    around.grid.block_dim[0] = x;
    around.grid.block_dim[1] = y;
    around.grid.block_dim[2] = 1;
    std::memset(around.shared.data(), 0, around.shared.size());
    code.run_block("k", around.lane);
    memory.shared = around.shared;
    return memory;
}

/// `without_avx`: whether there are tiles on processors without it.
void expect_same(const std::string& text, bool expect_tiles = true, bool without_avx = true) {
    constexpr std::pair<uint32_t, uint32_t> blocks[] = {{64, 1}, {16, 5}, {8, 8}, {100, 1}, {48, 2}};
    for (const char* cpu : {"host", "host:haswell", "host:x86-64-v2"}) {
        if (std::string_view(cpu) == "host:haswell" && !__builtin_cpu_supports("avx2")) continue;
        const bool tiles = expect_tiles && (without_avx || std::string_view(cpu) != "host:x86-64-v2");
        for (const auto& [x, y] : blocks) {
            SCOPED_TRACE(std::string(cpu) + " " + std::to_string(x) + "x" + std::to_string(y));
            ptx::Target target = ptx::Target::parse(cpu);
            const Memory expected = run(text, target, {.phases = true}, x, y, false);
            // Made for these blocks, and for others.
            target.divide(x, y);
            const bool narrow = target.columns < 4;
            EXPECT_TRUE(run(text, target, {.phases = true, .warp = true}, x, y, tiles && !narrow) == expected);
            target.divide(64, 1);
            EXPECT_TRUE(run(text, target, {.phases = true, .warp = true}, x, y, tiles) == expected);
        }
    }
}

TEST(HostTiles, StraightCode) {
    expect_same(kernel(R"(
  %a = mul i32 %v, %i
  %f = uitofp i32 %a to float
  %g = fmul float %f, 0x3FF4000000000000
  %b = bitcast float %g to i32
  store i32 %b, ptr addrspace(1) %o
  ret void
)"));
}

TEST(HostTiles, ThreadsThatEndAtOnce) {
    expect_same(kernel(R"(
  %in.range = icmp slt i32 %i, %n
  br i1 %in.range, label %work, label %end
work:
  store i32 %v, ptr addrspace(1) %o
  br label %end
end:
  ret void
)"));
}

TEST(HostTiles, WaysThatPartAndMeet) {
    expect_same(kernel(R"(
  %odd = trunc i32 %v to i1
  br i1 %odd, label %a, label %b
a:
  %big = icmp ugt i32 %v, 50
  br i1 %big, label %c, label %d
b:
  %u = mul i32 %v, 3
  %few = icmp ult i32 %i, 40
  br i1 %few, label %d, label %e
c:
  %s = add i32 %v, 1000
  br label %e
d:
  %t = phi i32 [ 7, %a ], [ %u, %b ]
  store i32 %t, ptr addrspace(1) %o
  br label %e
e:
  %z = phi i32 [ %s, %c ], [ %t, %d ], [ %u, %b ]
  %o4.n = add i64 %at, 4
  %o4 = inttoptr i64 %o4.n to ptr addrspace(1)
  store i32 %z, ptr addrspace(1) %o4
  ret void
)"));
}

// In the third round all lanes that are left leave both loops at once, while others wait for the outer one's next round.
TEST(HostTiles, LoopsWithSeveralWaysOut) {
    expect_same(kernel(R"(
  %top = lshr i32 %v, 31
  %enough = add i32 %top, 2
  %rounds = and i32 %v, 3
  br label %outer
outer:
  %turn = phi i32 [ 0, %body ], [ %turns, %spent ]
  br label %loop
loop:
  %k = phi i32 [ 0, %outer ], [ %next, %more ]
  %found.now = icmp uge i32 %k, %enough
  br i1 %found.now, label %found, label %more
more:
  %next = add i32 %k, 1
  %spent.now = icmp uge i32 %next, %rounds
  br i1 %spent.now, label %spent, label %loop
spent:
  %late = add i32 %next, 100
  %old = atomicrmw add ptr addrspace(1) %o, i32 %late monotonic
  %turns = add i32 %turn, 1
  %over = icmp ugt i32 %turns, %rounds
  br i1 %over, label %end, label %outer
found:
  store i32 %k, ptr addrspace(1) %o
  br label %end
end:
  ret void
)"));
}

// The sum may wrap around from lane to lane, is the last that its block has so far, and wanted in all lanes.
TEST(HostTiles, SumsThatMayWrapAroundInLoops) {
    expect_same(kernel(R"(
  br label %loop
loop:
  %j = phi i32 [ 2147483560, %body ], [ %j.next, %loop ]
  %found = phi i32 [ 0, %body ], [ %found.next, %loop ]
  %s = add i32 %i, %j
  %wide = sext i32 %s to i64
  %u = add i64 %wide, 8
  %past = icmp ugt i64 %u, 2147483650
  %one = zext i1 %past to i32
  %shifted = shl i32 %found, 1
  %found.next = or i32 %shifted, %one
  %j.next = add i32 %j, 8
  %again = icmp slt i32 %j.next, 2147483640
  br i1 %again, label %loop, label %end
end:
  store i32 %found.next, ptr addrspace(1) %o
  ret void
)"));
}

TEST(HostTiles, LoopsThatLanesLeaveInDifferentRounds) {
    expect_same(kernel(R"(
  %m = and i32 %v, 31
  br label %loop
loop:
  %k = phi i32 [ 0, %body ], [ %k1, %next ]
  %acc = phi i32 [ %v, %body ], [ %acc1, %next ]
  %over = icmp uge i32 %k, %m
  br i1 %over, label %done, label %work
work:
  %acc0 = mul i32 %acc, 1664525
  %acc1 = add i32 %acc0, %k
  %stop = icmp ugt i32 %acc1, 4000000000
  br i1 %stop, label %found, label %next
next:
  %k1 = add i32 %k, 1
  br label %loop
found:
  store i32 %k, ptr addrspace(1) %o
  br label %done
done:
  %r1 = phi i32 [ %acc, %loop ], [ %acc1, %found ]
  %r2 = phi i32 [ %k, %loop ], [ 99, %found ]
  %o4.n = add i64 %at, 4
  %o4 = inttoptr i64 %o4.n to ptr addrspace(1)
  store i32 %r1, ptr addrspace(1) %o4
  %o8.n = add i64 %at, 8
  %o8 = inttoptr i64 %o8.n to ptr addrspace(1)
  store i32 %r2, ptr addrspace(1) %o8
  ret void
)"));
}

TEST(HostTiles, DivisionsOfLanesThatAreThere) {
    expect_same(kernel(R"(
  %d = and i32 %v, 3
  %zero = icmp eq i32 %d, 0
  br i1 %zero, label %end, label %work
work:
  %e = udiv i32 1000, %d
  %f = srem i32 %v, %d
  %g = shl i32 %f, 16
  %h = or i32 %e, %g
  store i32 %h, ptr addrspace(1) %o
  br label %end
end:
  ret void
)"));
}

TEST(HostTiles, AddressesFromMemoryAndAtomicsOnShared) {
    expect_same(kernel(R"(
  %j = and i32 %v, 63
  %jw = zext i32 %j to i64
  %jb = shl i64 %jw, 2
  %ja = add i64 %in, %jb
  %jp = inttoptr i64 %ja to ptr addrspace(1)
  %g = load i32, ptr addrspace(1) %jp
  store i32 %g, ptr addrspace(1) %o
  %bin = and i32 %g, 15
  %sa = shl i32 %bin, 2
  %sp = inttoptr i32 %sa to ptr addrspace(3)
  %old = atomicrmw add ptr addrspace(3) %sp, i32 1 monotonic
  %few = icmp ult i32 %j, 20
  br i1 %few, label %more, label %end
more:
  %s2 = atomicrmw umax ptr addrspace(3) inttoptr (i32 256 to ptr addrspace(3)), i32 %g monotonic
  br label %end
end:
  ret void
)"));
}

/// An index of 32 bits that wraps around from lane to lane: only lanes that are there may use it.
TEST(HostTiles, IndicesThatWrapAround) {
    expect_same(kernel(R"(
  %before = sub i32 %i, 5
  %b.w = zext i32 %before to i64
  %b.b = shl i64 %b.w, 2
  %b.a = add i64 %in, %b.b
  %first = icmp ult i32 %i, 5
  br i1 %first, label %end, label %work
work:
  %b.p = inttoptr i64 %b.a to ptr addrspace(1)
  %g = load i32, ptr addrspace(1) %b.p
  store i32 %g, ptr addrspace(1) %o
  br label %end
end:
  ret void
)"));
}

/// Comparisons that all lanes of most tiles agree on, but not where what is compared wraps around in between.
TEST(HostTiles, ComparisonsWithTheSizeOfTheData) {
    expect_same(kernel(R"(
  %far = add i32 %i, 2147483600
  %big = icmp sgt i32 %far, %n
  br i1 %big, label %a, label %b
a:
  store i32 %v, ptr addrspace(1) %o
  br label %b
b:
  %low = sub i32 %i, 20
  %u = icmp ult i32 %low, %n
  %back = sub i32 %n, %i
  %t = icmp sle i32 %back, %low
  %ut = or i1 %u, %t
  br i1 %ut, label %c, label %d
c:
  %o4.n = add i64 %at, 4
  %o4 = inttoptr i64 %o4.n to ptr addrspace(1)
  store i32 %low, ptr addrspace(1) %o4
  br label %d
d:
  %yn = icmp ne i32 %y, %n
  %few = icmp slt i32 %x, %n
  %both = and i1 %yn, %few
  br i1 %both, label %e, label %end
e:
  %o8.n = add i64 %at, 8
  %o8 = inttoptr i64 %o8.n to ptr addrspace(1)
  store i32 %x, ptr addrspace(1) %o8
  br label %end
end:
  ret void
)"));
}

TEST(HostTiles, BytesAndBackwards) {
    expect_same(kernel(R"(
  %ba = add i64 %in, %iw
  %bp = inttoptr i64 %ba to ptr addrspace(1)
  %byte = load i8, ptr addrspace(1) %bp
  %wide = zext i8 %byte to i32
  store i32 %wide, ptr addrspace(1) %o
  %few = icmp ult i32 %i, 90
  br i1 %few, label %work, label %end
work:
  %back = sub i64 100, %iw
  %back.b = shl i64 %back, 2
  %back.a = add i64 %in, %back.b
  %back.p = inttoptr i64 %back.a to ptr addrspace(1)
  %g = load i32, ptr addrspace(1) %back.p
  %o4.n = add i64 %at, 4
  %o4 = inttoptr i64 %o4.n to ptr addrspace(1)
  store i32 %g, ptr addrspace(1) %o4
  br label %end
end:
  ret void
)"));
}

TEST(HostTiles, LaneAndWarpNumbers) {
    expect_same(kernel(R"(
  %lane = call i32 @cuttle.sreg.laneid()
  %warp = call i32 @cuttle.sreg.warpid()
  %h = shl i32 %warp, 8
  %b = or i32 %lane, %h
  store i32 %b, ptr addrspace(1) %o
  %low = and i32 %x, 31
  %some = icmp eq i32 %low, 3
  br i1 %some, label %work, label %end
work:
  %high = lshr i32 %x, 3
  %o4.n = add i64 %at, 4
  %o4 = inttoptr i64 %o4.n to ptr addrspace(1)
  store i32 %high, ptr addrspace(1) %o4
  br label %end
end:
  ret void
)"));
}

/// Rows read an address each, under a condition that holds in some rows only.
TEST(HostTiles, OneAddressForARow) {
    expect_same(kernel(R"(
  %some = icmp ugt i32 %y, 1
  br i1 %some, label %work, label %end
work:
  %yz = sext i32 %y to i64
  %far = mul i64 %yz, 4
  %a = add i64 %in, %far
  %ap = inttoptr i64 %a to ptr addrspace(1)
  %g = load i32, ptr addrspace(1) %ap
  %h = add i32 %g, %x
  store i32 %h, ptr addrspace(1) %o
  br label %end
end:
  ret void
)"));
}

TEST(HostTiles, RoundingThatIsDirected) {
    expect_same(kernel(R"(
  %f = uitofp i32 %v to float
  %g = call float @cuttle.round.fdiv.rm.f32(float %f, float 3.0)
  %h = call float @cuttle.round.fma.rp.f32(float %g, float %f, float 0x3FB99999A0000000)
  %a = bitcast float %g to i32
  %b = bitcast float %h to i32
  store i32 %a, ptr addrspace(1) %o
  %o4.n = add i64 %at, 4
  %o4 = inttoptr i64 %o4.n to ptr addrspace(1)
  store i32 %b, ptr addrspace(1) %o4
  ret void
)",
                       R"(
declare float @cuttle.round.fdiv.rm.f32(float, float) #0
declare float @cuttle.round.fma.rp.f32(float, float, float) #0
)"),
                true, false);
}

TEST(HostTiles, SomeKernelsStayWithThreads) {
    expect_same(kernel(R"(
  %array = alloca [4 x i32]
  %j = and i32 %v, 3
  %e = getelementptr i32, ptr %array, i32 %j
  store volatile i32 %i, ptr %e
  %g = load volatile i32, ptr %e
  store i32 %g, ptr addrspace(1) %o
  ret void
)"),
                false);
}

TEST(HostTiles, FunctionsThatCallThemselvesStayCalls) {
    expect_same(kernel(R"(
  %few = and i32 %v, 7
  %g = call i32 @deep(i32 %few)
  store i32 %g, ptr addrspace(1) %o
  ret void
)",
                       R"(
define internal i32 @deep(i32 %n) {
  %last = icmp eq i32 %n, 0
  br i1 %last, label %end, label %more
more:
  %less = sub i32 %n, 1
  %half = lshr i32 %n, 1
  %a = call i32 @deep(i32 %less)
  %b = call i32 @deep.too(i32 %half)
  %c = mul i32 %a, 5
  %d = add i32 %b, %c
  br label %end
end:
  %e = phi i32 [ 1, %0 ], [ %d, %more ]
  ret i32 %e
}
define internal i32 @deep.too(i32 %n) {
  %r = call i32 @deep(i32 %n)
  %s = add i32 %r, %n
  ret i32 %s
}
)"),
                false);
}

} // namespace
