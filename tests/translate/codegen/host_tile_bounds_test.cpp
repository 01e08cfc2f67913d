// Indices that are kept within bounds, loads where the data ends, and what later blocks load, against threads one after
// another.
#include "tiles_and_threads.h"

using namespace codegen_test;
using namespace codegen_test::blocks;

namespace {

void expect_same(const std::string& text) { expect_same_memory(text, {{64, 1}, {16, 16}, {8, 8}}); }

/// Of its tiles of 32 threads, as LLVM leaves it.
std::string in_tiles(const std::string& text) {
    ptx::Target target = ptx::Target::parse("host:haswell");
    target.divide(64, 1);
    return optimized(text, target, {.phases = true, .warp = 1});
}

/// Loads the input's word number %which.
const std::string load_which = R"(
  %which.w = sext i32 %which to i64
  %which.b = shl i64 %which.w, 2
  %which.a = add i64 %in, %which.b
  %which.p = inttoptr i64 %which.a to ptr addrspace(1)
  %near = load i32, ptr addrspace(1) %which.p
)";

TEST(HostTileBounds, IndicesWithinBounds) {
    for (const std::string bound : {"smax.i32(i32 %before, i32 0)", "smin.i32(i32 %behind, i32 %last)",
                                    "umin.i32(i32 %last, i32 %behind)", "umax.i32(i32 7, i32 %i)"}) {
        const std::string text = kernel(R"(
  %before = sub i32 %i, 8
  %behind = add i32 %i, 3
  %last = sub i32 %n, 1
  %which = call i32 @llvm.)" + bound + load_which + R"(
  store i32 %near, ptr addrspace(1) %o
  call void @cuttle.barrier.sync(i32 0, i32 0)
  store i32 %which, ptr addrspace(1) %o4
  ret void
)");
        expect_same(text);
        // Besides %v, in the tiles where no bound is met.
        EXPECT_GE(count(in_tiles(text), "load <32 x i32>"), 2u) << bound;
    }
}

/// One bound within another, of which the inner one may be the only one that is met.
TEST(HostTileBounds, BoundsOnBothSides) {
    for (const char* way : {"  br label %go\n", "  %some = icmp ult i32 %x, 7\n  br i1 %some, label %go, label %end\n"})
        expect_same(kernel(R"(
  %before = sub i32 %i, 8
  %low = call i32 @llvm.smax.i32(i32 %before, i32 1)
  %which = call i32 @llvm.smin.i32(i32 %low, i32 %n)
)" + std::string(way) + "go:\n" + load_which + R"(
  store i32 %near, ptr addrspace(1) %o
  br label %end
end:
  call void @cuttle.barrier.sync(i32 0, i32 0)
  store i32 %which, ptr addrspace(1) %o4
  ret void
)"));
}

/// Numbers of all sizes, forwards and backwards, of some lanes.
TEST(HostTileBounds, LoadsOfSomeLanes) {
    for (const char* type : {"i8", "i16", "i32", "i64"})
        for (const char* which : {"%iw", "%back"})
            expect_same(kernel(R"(
  %back = sub i64 191, %iw
  %inside = icmp ult i32 %i, %n
  %odd = trunc i32 %v to i1
  %stays = and i1 %inside, %odd
  br i1 %stays, label %work, label %end
work:
  %in.p = inttoptr i64 %in to ptr addrspace(1)
  %half = lshr i64 )" + std::string(which) + R"(, 1
  %own = sub i64 )" + which + R"(, %half
  %p.n = getelementptr )" + type + ", ptr addrspace(1) %in.p, i64 " + (type == std::string_view("i64") ? "%own" : which) + R"(
  %e = load )" + type + R"(, ptr addrspace(1) %p.n
  %f = sext )" + type + R"( %e to i128
  %g = trunc i128 %f to i32
  store i32 %g, ptr addrspace(1) %o
  br label %end
end:
  call void @cuttle.barrier.sync(i32 0, i32 0)
  ret void
)"));
}

TEST(HostTileBounds, WhatLaterBlocksLoad) {
    const auto text = [](const char* factor) {
        return kernel("  %c = call i32 @cuttle.sreg.ctaid.x()\n  %begin = mul i32 %c, " + std::string(factor) + R"(
  %which = add i32 %begin, %i
)" + load_which + R"(
  store i32 %near, ptr addrspace(1) %o
  call void @cuttle.barrier.sync(i32 0, i32 0)
  store i32 %which, ptr addrspace(1) %o4
  ret void
)");
    };
    expect_same(text("%n"));
    // Two lines of memory in 32 words.
    EXPECT_GE(count(in_tiles(text("%n")), "call void @llvm.prefetch"), 2u);
    EXPECT_EQ(count(in_tiles(text("0")), "call void @llvm.prefetch"), 0u);
}

/// Thread c of the grid, by %bx and %x, does something if it is less than n. `index` has %c.
std::string with_an_end(const std::string& index) {
    return kernel("  %bx = call i32 @cuttle.sreg.ctaid.x()\n" + index + R"(
  %behind = icmp sge i32 %c, %n
  br i1 %behind, label %end, label %before
before:
  %c.w = sext i32 %c to i64
  %c.b = shl i64 %c.w, 2
  %c.in = add i64 %in, %c.b
  %c.ip = inttoptr i64 %c.in to ptr addrspace(1)
  %c.v = load i32, ptr addrspace(1) %c.ip
  %product = mul i32 %c.v, 5
  %sum = add i32 %product, %c
  %c.out = add i64 %out, %c.b
  %c.op = inttoptr i64 %c.out to ptr addrspace(1)
  store i32 %sum, ptr addrspace(1) %c.op
  br label %end
end:
  ret void
)");
}

const std::string by_number = "  %first = mul i32 %bx, %w\n  %c = add i32 %first, %x\n";

/// Where a tile or two of a grid are the only ones with an end in them, there is no code with masks for them.
TEST(HostTileBounds, NoMasksForTheEndOfAGrid) {
    const auto has_masks = [](const std::string& text, bool counts = false) {
        ptx::Target target = ptx::Target::parse("host:haswell");
        target.divide(64, 1);
        const std::string code = optimized(text, target, {.phases = true, .warp = 2, .counts = counts});
        EXPECT_NE(code.find("store <32 x i32>"), std::string::npos);
        return code.find("llvm.masked.store") != std::string::npos;
    };
    EXPECT_FALSE(has_masks(with_an_end(by_number)));
    EXPECT_FALSE(has_masks(with_an_end(by_number + "  %n.0 = add i32 %c, 1\n")));
    EXPECT_TRUE(has_masks(with_an_end(by_number), true)) << "what is counted stays the same";
    // Each block, or each row of them, has an end.
    EXPECT_TRUE(has_masks(with_an_end("  %first = mul i32 %bx, 2048\n  %c = add i32 %x, 77\n")));
    EXPECT_TRUE(has_masks(with_an_end("  %both = add i32 %x, %y\n  %first = mul i32 %bx, %w\n"
                                      "  %c = add i32 %first, %both\n")));
}

TEST(HostTileBounds, TilesBehindTheEnd) {
    std::vector<uint32_t> in(8 * 128);
    for (uint32_t i = 0; i < in.size(); i++) in[i] = i * 2654435761u;
    const auto memory_after = [&](const Code& code, uint32_t n, uint32_t x) {
        std::vector<uint32_t> out(in.size(), 7);
        for (uint32_t block = 0; block < 8; block++) {
            Surroundings around;
            around.set_parameters(in.data(), out.data(), n);
            around.grid.grid_dim[0] = 8;
            around.grid.grid_dim[1] = around.grid.grid_dim[2] = 1;
            around.grid.block_dim[0] = x;
            around.grid.block_dim[1] = around.grid.block_dim[2] = 1;
            around.lane.block[0] = block;
            code.run_block("k", around.lane);
        }
        return out;
    };
    for (const char* cpu : {"host", "host:x86-64-v2"})
        for (uint8_t warp : {1, 2}) {
            ptx::Target target = ptx::Target::parse(cpu);
            target.divide(64, 1);
            const Code threads(with_an_end(by_number), target, {.phases = true});
            const Code tiles(with_an_end(by_number), target, {.phases = true, .warp = warp});
            // Under 2 the translator chooses, and threads are as fast with AVX-512.
            if (warp == 1) {
                EXPECT_EQ(tiles.symbol("k.kernel.why_threads"), nullptr);
            }
            for (uint32_t x : {128u, 64u, 100u, 20u})
                for (uint32_t n : {0u, 1u, 31u, 32u, 33u, 128u, 191u, 200u, 500u, 8 * 128u, 0x80000000u})
                    EXPECT_TRUE(memory_after(tiles, n, x) == memory_after(threads, n, x)) << cpu << " " << x << " " << n;
        }
}

} // namespace
