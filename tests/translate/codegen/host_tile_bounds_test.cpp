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

unsigned count(const std::string& text, std::string_view what) {
    unsigned found = 0;
    for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
    return found;
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

} // namespace
