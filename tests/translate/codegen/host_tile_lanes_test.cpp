// What goes lane by lane in tiles, and what makes that cheaper, against threads one after another.
#include "ptx/matrix_form.h"
#include "tiles_and_threads.h"

using namespace codegen_test;
using namespace codegen_test::blocks;

namespace {

void expect_same(const std::string& text) { expect_same_memory(text, {{64, 1}, {16, 16}, {8, 8}}); }

/// Of its tiles of 32 threads, as LLVM leaves it.
std::string in_tiles(const std::string& text, const char* cpu, uint8_t warp = 1) {
    ptx::Target target = ptx::Target::parse(cpu);
    target.divide(64, 1);
    return optimized(text, target, {.phases = true, .warp = warp});
}

bool has(const std::string& text, std::string_view what) { return text.find(what) != std::string::npos; }

/// Counts in shared memory what the threads read, `type` by `type`, so many rounds of so many elements.
std::string histogram(const std::string& type, const char* step) {
    return kernel(R"(
  %in.p = inttoptr i64 %in to ptr addrspace(1)
  br label %round
round:
  %place = phi i32 [ %i, %body ], [ %next, %round ]
  %atw = sext i32 %place to i64
  %e.p = getelementptr )" +
                  type + R"(, ptr addrspace(1) %in.p, i64 %atw
  %e = load )" + type +
                  ", ptr addrspace(1) %e.p\n  %bin = zext " + type + R"( %e to i32
  %low = and i32 %bin, 255
  %sa = shl i32 %low, 2
  %sp = inttoptr i32 %sa to ptr addrspace(3)
  %old = atomicrmw add ptr addrspace(3) %sp, i32 1 monotonic
  %next = add i32 %place, )" +
                  step + R"(
  %more = icmp slt i32 %next, 190
  br i1 %more, label %round, label %end
end:
  call void @cuttle.barrier.sync(i32 0, i32 0)
  store i32 %next, ptr addrspace(1) %o
  ret void
)");
}

TEST(HostTileLanes, SmallElementsByWords) {
    for (const char* type : {"i8", "i16"}) {
        expect_same(histogram(type, "32"));
        expect_same(histogram(type, "%n"));
    }
    // Not one by one out of a vector.
    EXPECT_FALSE(has(in_tiles(histogram("i8", "32"), "host:haswell"), "extractelement <32 x i8>"));
}

/// A round ahead is asked for where it is long and begins nobody knows where.
TEST(HostTileLanes, WhatLaterRoundsLoad) {
    EXPECT_TRUE(has(in_tiles(histogram("i8", "%n"), "host:haswell"), "call void @llvm.prefetch"));
    EXPECT_FALSE(has(in_tiles(histogram("i8", "32"), "host:haswell"), "call void @llvm.prefetch"));
}

/// Some lanes store, some of them the same to one place.
TEST(HostTileLanes, StoresAnywhere) {
    for (const char* value : {"i32 %few", "i64 %fw"})
        for (const char* way :
             {"  br label %go\n", "  %odd = trunc i32 %v to i1\n  br i1 %odd, label %go, label %end\n"}) {
            const std::string text = kernel(R"(
  %few = and i32 %v, 63
  %fw = zext i32 %few to i64
  %sa = shl i32 %few, 3
  %sp = inttoptr i32 %sa to ptr addrspace(3)
)" + std::string(way) + "go:\n  store " + value +
                                            R"(, ptr addrspace(3) %sp
  br label %end
end:
  call void @cuttle.barrier.sync(i32 0, i32 0)
  ret void
)");
            expect_same(text);
            EXPECT_TRUE(has(in_tiles(text, "host:sapphirerapids"), "masked.scatter")) << value << way;
            EXPECT_FALSE(has(in_tiles(text, "host:haswell"), "masked.scatter")) << value << way;
        }
}

/// As programs do, four lanes have what follows one another in a row; %n rounds.
TEST(HostTileLanes, MatricesPay) {
    ptx::MatrixForm form;
    form.m = 16, form.n = 8, form.k = 16;
    std::string loads;
    for (const char* i : {"0", "1", "2", "3", "4", "5"})
        loads += "  %p" + std::string(i) + " = getelementptr i32, ptr addrspace(1) %row, i64 " + i + "0\n  %a" + i +
                 " = load i32, ptr addrspace(1) %p" + i + "\n";
    const std::string text =
        kernel(R"(
  %in.p = inttoptr i64 %in to ptr addrspace(1)
  %group = lshr i32 %lane, 2
  %four = and i32 %lane, 3
  br label %round
round:
  %k = phi i32 [ 0, %body ], [ %next, %round ]
  %c0 = phi i32 [ 0, %body ], [ %d0, %round ]
  %c1 = phi i32 [ 0, %body ], [ %d1, %round ]
  %c2 = phi i32 [ 0, %body ], [ %d2, %round ]
  %c3 = phi i32 [ 0, %body ], [ %d3, %round ]
  %begin = mul i32 %group, %n
  %column = add i32 %k, %four
  %place = add nsw i32 %begin, %column
  %atw = sext i32 %place to i64
  %row = getelementptr i32, ptr addrspace(1) %in.p, i64 %atw
)" + loads + "  %d = call [4 x i32] @cuttle.mma.t(i64 " +
               std::to_string(form.encode()) +
               R"(, i32 %a0, i32 %a1, i32 %a2, i32 %a3, i32 %a4, i32 %a5, i32 %c0, i32 %c1, i32 %c2, i32 %c3)
  %d0 = extractvalue [4 x i32] %d, 0
  %d1 = extractvalue [4 x i32] %d, 1
  %d2 = extractvalue [4 x i32] %d, 2
  %d3 = extractvalue [4 x i32] %d, 3
  %next = add i32 %k, 8
  %more = icmp slt i32 %next, %n
  br i1 %more, label %round, label %end
end:
  store i32 %d0, ptr addrspace(1) %o
  ret void
)") + "declare [4 x i32] @cuttle.mma.t(i64, i32, i32, i32, i32, i32, i32, i32, i32, i32, i32) convergent\n";
    for (const char* cpu : {"host:haswell", "host:sapphirerapids"})
        EXPECT_TRUE(has(in_tiles(text, cpu, 2), "cuttle_matrix_multiply_tile")) << cpu;
}

/// A number from 0 to 1, times 252, and `sum`, rounded as `mode` says: the beginning of CUDA's expf.
std::string rounded(const char* mode, const char* sum) {
    const std::string function = "@cuttle.round.fma." + std::string(mode) + ".f32";
    return kernel(R"(
  %f = sitofp i32 %v to float
  %scaled = fmul float %f, 0x3E20000000000000
  %level = fsub float %scaled, 0x3FC0000000000000
  %positive = fcmp ogt float %level, 0.0
  %z = select i1 %positive, float %level, float 0.0
  %small = fcmp olt float %z, 1.0
  %saturated = select i1 %small, float %z, float 1.0
  %sum = call float )" +
                  function + "(float %saturated, float 252.0, float " + sum + R"()
  call void @cuttle.barrier.sync(i32 0, i32 0)
  store float %sum, ptr addrspace(1) %o
  ret void
)") + "declare float " +
           function + "(float, float, float)\n";
}

/// Where all sums have steps of one size, MXCSR stays as it is.
TEST(HostTileLanes, SumsRoundedDown) {
    const auto writes_mode = [](const std::string& text) { return has(in_tiles(text, "host:haswell"), "vfmadd213ps"); };
    EXPECT_FALSE(writes_mode(rounded("rm", "12582913.0")));
    EXPECT_FALSE(writes_mode(rounded("rz", "12582913.0")));
    EXPECT_TRUE(writes_mode(rounded("rp", "12582913.0")));
    EXPECT_TRUE(writes_mode(rounded("rm", "8388500.0"))) << "steps grow";
    EXPECT_TRUE(writes_mode(rounded("rz", "-12582913.0"))) << "down is away from zero";
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return;
    for (const char* mode : {"rm", "rz", "rp"})
        for (const char* sum : {"12582913.0", "8388500.0", "-12582913.0"}) {
            SCOPED_TRACE(std::string(mode) + " " + sum);
            ptx::Target target = ptx::Target::parse("host:haswell");
            const Code threads(rounded(mode, sum), target, {.phases = true});
            target.divide(64, 1);
            const Code tiles(rounded(mode, sum), target, {.phases = true, .warp = true});
            EXPECT_TRUE(memory_after(tiles, 64, 1) == memory_after(threads, 64, 1));
            EXPECT_TRUE(memory_after(tiles, 100, 1) == memory_after(threads, 100, 1));
        }
}

} // namespace
