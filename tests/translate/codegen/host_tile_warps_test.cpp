// Operations of a warp in tiles that are warps, against threads one after another that stop at each of them.
#include "blocks_of_warps.h"

#include <map>

using namespace codegen_test;
using namespace codegen_test::blocks;

namespace {

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

/// Where tiles are made only if they pay, LLVM's time counts.
TEST(HostTileWarps, TooManyPhases) {
    const auto many = [](unsigned barriers) {
        std::string text = "%at0 = inttoptr i32 0 to ptr addrspace(3)\n";
        for (unsigned i = 0; i < barriers; ++i) {
            // None like another.
            for (unsigned j = 0; j <= i; ++j) text += "store volatile i32 %v, ptr addrspace(3) %at0\n";
            text += "call void @cuttle.barrier.sync(i32 0, i32 0)\n";
        }
        return kernel(text + "ret void\n");
    };
    ptx::Target target;
    target.divide(64, 1);
    const auto columns = [&](unsigned barriers, uint8_t warp) {
        return compile(many(barriers), target, {.phases = true, .warp = warp}).kernels.at(0).tile_columns;
    };
    EXPECT_EQ(columns(10, 1), 32u);
    EXPECT_EQ(columns(20, 1), 32u);
    EXPECT_EQ(columns(20, 2), 0u);
    const Code code(many(20), target, {.phases = true, .warp = 2});
    const auto* why = static_cast<const char*>(code.symbol("k.kernel.why_threads"));
    ASSERT_NE(why, nullptr);
    EXPECT_STREQ(why, "its threads meet in too many places to be worth it");
}
