// Phases of tiles that follow each other without the runner.
#include "tiles_and_threads.h"

using namespace codegen_test;
using namespace codegen_test::blocks;

namespace {

Code in_tiles(const std::string& body, bool counts = false) {
    ptx::Target target = ptx::Target::parse("host");
    target.divide(32, 1);
    return Code(kernel(body), target, {.phases = true, .warp = 1, .counts = counts});
}

/// Threads go through their input, five words on from their own, and give each word to a neighbour.
const std::string rounds = R"(
  %own = shl i32 %i, 2
  %s = inttoptr i32 %own to ptr addrspace(3)
  %next = xor i32 %own, 4
  %t = inttoptr i32 %next to ptr addrspace(3)
  br label %loop
loop:
  %k = phi i32 [ 0, %body ], [ %k1, %again ]
  %sum = phi i32 [ 0, %body ], [ %sum1, %again ]
  %a = phi i64 [ %ia, %body ], [ %a1, %again ]
  %p1 = inttoptr i64 %a to ptr addrspace(1)
  %word = load i32, ptr addrspace(1) %p1
  store i32 %word, ptr addrspace(3) %s
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %given = load i32, ptr addrspace(3) %t
  %sum3 = mul i32 %sum, 3
  %sum1 = add i32 %sum3, %given
  call void @cuttle.barrier.sync(i32 0, i32 0)
  br label %again
again:
  %a1 = add i64 %a, 4
  %k1 = add i32 %k, 1
  %more = icmp ult i32 %k1, 5
  br i1 %more, label %loop, label %end
end:
  store i32 %sum1, ptr addrspace(1) %o
  ret void
)";

TEST(HostChains, LoopsOfPhasesStayInTheCode) {
    const Code code = in_tiles(rounds);
    ASSERT_NE(code.symbol("k.kernel.chain"), nullptr);
    for (const uint32_t threads : {64u, 100u}) {
        std::vector<uint32_t> in(most_threads + 8, 1), out(threads * words);
        for (const bool stops : {false, true}) {
            Surroundings around;
            around.set_parameters(in.data(), out.data(), threads);
            Block block(code, around, threads, 1);
            if (stops) block.stop();
            block.run(true);
            EXPECT_EQ(block.whole_phases(), stops ? 5u : 1u);
            for (uint32_t i = 0; i < threads; i++) EXPECT_EQ(out[i * words], 121u);
        }
    }
}

/// What is the same for all phases LLVM gets once.
TEST(HostChains, PhasesHaveTheWayToTheirThreadsInCommon) {
    ptx::Target target = ptx::Target::parse("host:haswell");
    target.divide(32, 1);
    const ptx::Options options{.phases = true, .warp = 1};
    const std::string text = kernel(rounds), code = optimized(text, target, options);
    const uint32_t phases = compile(text, target, options).kernels.at(0).phases;
    EXPECT_EQ(phases, 3u);
    EXPECT_EQ(count(code, "define internal { i32, i32 }"), 1u) << "threads that are left over";
    EXPECT_LE(count(code, "mul nuw i32"), 2 * phases + 7) << "numbers of rows: of the first, and of each that follows";
}

/// Threads of one phase walk through memory, each its own way, and give a neighbour what they have found.
const std::string walks = R"(
  %own = shl i32 %i, 2
  %s = inttoptr i32 %own to ptr addrspace(3)
  %next = xor i32 %own, 4
  %t = inttoptr i32 %next to ptr addrspace(3)
  %steps = and i32 %v, 7
  br label %walk
walk:
  %k = phi i32 [ 0, %body ], [ %k1, %walk ]
  %place = phi i32 [ %i, %body ], [ %place1, %walk ]
  %wide = zext i32 %place to i64
  %bytes = shl i64 %wide, 2
  %a = add i64 %in, %bytes
  %p1 = inttoptr i64 %a to ptr addrspace(1)
  %word = load i32, ptr addrspace(1) %p1
  %place1 = and i32 %word, 31
  %k1 = add i32 %k, 1
  %more = icmp ule i32 %k1, %steps
  br i1 %more, label %walk, label %met
met:
  store i32 %place1, ptr addrspace(3) %s
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %given = load i32, ptr addrspace(3) %t
  %sum = mul i32 %given, %v
  store i32 %sum, ptr addrspace(1) %o
  ret void
)";

TEST(HostChains, LlvmSeesToLoopsOfThreadsAmongTiles) {
    ptx::Target target = ptx::Target::parse("host:haswell");
    target.divide(32, 1);
    const ptx::Options options{.phases = true, .warp = 1};
    const ptx::Image image = compile(kernel(walks), target, options);
    EXPECT_EQ(image.kernels.at(0).tile_columns, 32u);
    ASSERT_EQ(image.remarks.size(), 1u);
    EXPECT_NE(image.remarks[0].find("one after another"), std::string::npos) << image.remarks[0];
    EXPECT_EQ(count(optimized(kernel(walks), target, options), "\"cuttle-loop-of-threads\""), 1u);
    ptx::Target here = ptx::Target::parse("host");
    const Code threads(kernel(walks), here, {.phases = true});
    here.divide(32, 1);
    const Code tiles(kernel(walks), here, options);
    for (const uint16_t x : {64, 100}) {
        EXPECT_TRUE(memory_after(tiles, x, 1) == memory_after(threads, x, 1));
        EXPECT_TRUE(memory_after(tiles, x, 1, Way::chain) == memory_after(threads, x, 1));
    }
}

TEST(HostChains, SlotsAreAsThreadsWouldHaveLeftThem) { expect_same_memory(kernel(rounds), {{32, 1}, {16, 2}}); }

TEST(HostChains, ATileThatIsRefusedMidwayFindsItsSlots) {
    // %x + %u wraps around in the second round, in one tile.
    expect_same_memory(kernel(R"(
  %own = shl i32 %i, 2
  %s = inttoptr i32 %own to ptr addrspace(3)
  br label %loop
loop:
  %k = phi i32 [ 0, %body ], [ %k1, %loop ]
  %u = phi i32 [ 3, %body ], [ %u1, %loop ]
  %a = phi i64 [ %ia, %body ], [ %a1, %loop ]
  %sum = phi i64 [ 0, %body ], [ %sum1, %loop ]
  %p1 = inttoptr i64 %a to ptr addrspace(1)
  %word = load i32, ptr addrspace(1) %p1
  store i32 %word, ptr addrspace(3) %s
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %xu = add i32 %x, %u
  %far = sext i32 %xu to i64
  %same = sext i32 %u to i64
  %way = sub i64 %far, %same
  %back = load i32, ptr addrspace(3) %s
  %wide = zext i32 %back to i64
  %part = add i64 %way, %wide
  %sum1 = add i64 %sum, %part
  %a1 = add i64 %a, 4
  %k1 = add i32 %k, 1
  %first = icmp eq i32 %k, 0
  %u1 = select i1 %first, i32 2147483606, i32 7
  %more = icmp ult i32 %k1, 4
  br i1 %more, label %loop, label %end
end:
  store i64 %sum1, ptr addrspace(1) %o
  ret void
)"),
                       {{32, 1}, {16, 2}});
}

TEST(HostChains, ThreadsWithNothingToDo) {
    expect_same_memory(kernel(R"(
  %own = shl i32 %i, 2
  %s = inttoptr i32 %own to ptr addrspace(3)
  store i32 %v, ptr addrspace(3) %s
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %few = icmp ult i32 %x, 40
  br i1 %few, label %add, label %added
add:
  %t = getelementptr i8, ptr addrspace(3) %s, i32 32
  %w1 = load i32, ptr addrspace(3) %s
  %w2 = load i32, ptr addrspace(3) %t
  %w3 = add i32 %w1, %w2
  %sum = getelementptr i8, ptr addrspace(3) %s, i32 2048
  store i32 %w3, ptr addrspace(3) %sum
  br label %added
added:
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %one = icmp eq i32 %x, 0
  br i1 %one, label %last, label %end
last:
  %sum.1 = getelementptr i8, ptr addrspace(3) %s, i32 2048
  %total = load i32, ptr addrspace(3) %sum.1
  store i32 %total, ptr addrspace(1) %o
  br label %end
end:
  ret void
)"),
                       {{32, 1}, {16, 2}});
}

} // namespace
