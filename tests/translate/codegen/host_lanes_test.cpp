#include "fixture.h"

#include <gtest/gtest.h>

using namespace codegen_test;

namespace {

TEST(HostLanes, SpecialRegisters) {
    const char* const narrow[] = {"tid.x",
                                  "tid.y",
                                  "tid.z",
                                  "ntid.x",
                                  "ntid.y",
                                  "ntid.z",
                                  "ctaid.x",
                                  "ctaid.y",
                                  "ctaid.z",
                                  "nctaid.x",
                                  "nctaid.y",
                                  "nctaid.z",
                                  "laneid",
                                  "warpid",
                                  "nwarpid",
                                  "smid",
                                  "nsmid",
                                  "lanemask_eq",
                                  "lanemask_le",
                                  "lanemask_lt",
                                  "lanemask_ge",
                                  "lanemask_gt",
                                  "clock",
                                  "clock_hi",
                                  "globaltimer_lo",
                                  "globaltimer_hi",
                                  "dynamic_smem_size",
                                  "total_smem_size",
                                  "clusterid.x",
                                  "nclusterid.y",
                                  "cluster_ctaid.x",
                                  "cluster_nctaid.y",
                                  "cluster_ctarank",
                                  "cluster_nctarank",
                                  "envreg1",
                                  "envreg2",
                                  "envreg7",
                                  "pm3",
                                  "tid.w"};
    const uint32_t expected[] = {
        1,  2,  3,  21, 4,       12,   4,    5,      6,          20,         21,         22,         7,
        9,  32, 13, 4,  1u << 7, 0xff, 0x7f, ~0x7fu, ~0xffu,     0x55667788, 0x11223344, 0xddeeff00, 0x99aabbcc,
        64, 96, 2,  7,  0,       3,    4,    6,      0x12345678, 0x9abcdef0, 0,          0,          0};
    static_assert(std::size(narrow) == std::size(expected));
    std::string declared, body;
    for (size_t i = 0; i < std::size(narrow); ++i) {
        const std::string n = std::to_string(i), name = std::string("@cuttle.sreg.") + narrow[i] + "()";
        if (declarations().find(name) == std::string_view::npos) declared += "declare i32 " + name + " #0\n";
        body += "%v" + n + " = call i32 " + name + "\n%p" + n + " = getelementptr i32, ptr addrspace(1) %o, i64 " + n +
                "\nstore i32 %v" + n + ", ptr addrspace(1) %p" + n + "\n";
    }
    const Code code(declared + R"(
declare i64 @cuttle.sreg.clock64()
declare i64 @cuttle.sreg.globaltimer()
declare i64 @cuttle.sreg.gridid() #0
declare i1 @cuttle.sreg.is_explicit_cluster() #0
define void @k() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %out = load i64, ptr addrspace(4) %p
  %o = inttoptr i64 %out to ptr addrspace(1)
)" + body + R"(
  %c = call i64 @cuttle.sreg.clock64()
  %t = call i64 @cuttle.sreg.globaltimer()
  %g = call i64 @cuttle.sreg.gridid()
  %e = call i1 @cuttle.sreg.is_explicit_cluster()
  %x = xor i64 %c, %t
  %y = xor i64 %x, %g
  %w = zext i1 %e to i64
  %z = add i64 %y, %w
  %last = getelementptr i64, ptr addrspace(1) %o, i64 100
  store i64 %z, ptr addrspace(1) %last
  ret void
})");
    EXPECT_FALSE(code.kernel("k").uses_barrier);
    EXPECT_TRUE(code.kernel("k").uses_cooperative);
    Surroundings around;
    for (uint32_t axis = 0; axis < 3; ++axis) {
        around.lane.thread[axis] = 1 + axis;
        around.lane.block[axis] = 4 + axis;
        around.grid.grid_dim[axis] = 20 + axis;
    }
    // Thread 1 + 21 * (2 + 4 * 3) = 295 = 9 * 32 + 7.
    around.grid.block_dim[0] = 21;
    around.grid.block_dim[1] = 4;
    around.grid.block_dim[2] = 12;
    around.lane.lane = 7;
    around.lane.warp = 9;
    around.lane.multiprocessor = 13;
    around.grid.static_shared_bytes = 32;
    around.grid.dynamic_shared_bytes = 64;
    around.grid.cluster_dim[0] = 2;
    around.grid.cluster_dim[1] = 3;
    around.grid.workspace = 0x123456789abcdef0;
    around.grid.grid_id = 1;
    std::vector<uint64_t> out(101);
    around.set_parameters(out.data());
    code.run_thread("k", around.lane);
    for (size_t i = 0; i < std::size(narrow); ++i)
        EXPECT_EQ(reinterpret_cast<const uint32_t*>(out.data())[i], expected[i]) << narrow[i];
    EXPECT_EQ(out[100], (0x1122334455667788ull ^ 0x99aabbccddeeff00ull ^ 1ull) + 1);
}

TEST(HostLanes, ServicesGetTheirArguments) {
    const Code code(R"(
declare void @cuttle.barrier.arrive(i32, i32) convergent
declare i32 @cuttle.barrier.reduce(i32, i32, i32, i1) convergent
declare void @cuttle.warp.sync(i32) convergent
declare i32 @cuttle.vote(i32, i1, i32) convergent
declare i32 @cuttle.match.any(i64, i32) convergent
declare {i32, i1} @cuttle.match.all(i64, i32) convergent
declare i32 @cuttle.reduce(i32, i32, i32) convergent
declare i32 @cuttle.active.mask() convergent
declare void @cuttle.spin()
declare void @cuttle.nanosleep(i32)
declare i32 @cuttle.vprintf(i64, i64)
define void @k() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %format = load i64, ptr addrspace(4) %p
  call void @cuttle.barrier.sync(i32 1, i32 64)
  call void @cuttle.barrier.arrive(i32 2, i32 96)
  %r = call i32 @cuttle.barrier.reduce(i32 1, i32 3, i32 128, i1 true)
  call void @cuttle.warp.sync(i32 255)
  %s = call {i32, i1} @cuttle.shuffle(i32 3, i32 %r, i32 4, i32 31, i32 -1)
  %sv = extractvalue {i32, i1} %s, 0
  %sp = extractvalue {i32, i1} %s, 1
  %v = call i32 @cuttle.vote(i32 2, i1 %sp, i32 -1)
  %w = zext i32 %sv to i64
  %m = call i32 @cuttle.match.any(i64 %w, i32 15)
  %a = call {i32, i1} @cuttle.match.all(i64 9, i32 %m)
  %am = extractvalue {i32, i1} %a, 0
  %d = call i32 @cuttle.reduce(i32 6, i32 %am, i32 %v)
  %x = call i32 @cuttle.active.mask()
  call void @cuttle.spin()
  %t = add i32 %d, %x
  call void @cuttle.nanosleep(i32 %t)
  %n = call i32 @cuttle.vprintf(i64 %format, i64 0)
  call void @cuttle.nanosleep(i32 %n)
  ret void
})");
    EXPECT_TRUE(code.kernel("k").uses_barrier);
    EXPECT_EQ(code.symbol("k.kernel.block"), nullptr);
    Surroundings around;
    around.set_parameters("hello");
    code.run_thread("k", around.lane);
    const std::vector<std::string> expected{"barrier_sync(1, 64)",
                                            "barrier_arrive(2, 96)",
                                            "barrier_reduce(3, 128, 1, 1)",
                                            "warp_sync(255)",
                                            "shuffle(3, 77, 4, 31, 4294967295)",
                                            "vote(2, 1, 4294967295)",
                                            "match_any(78, 15)",
                                            "match_all(9, 5)",
                                            "reduce(6, 5, 1)",
                                            "spin()",
                                            "nanosleep(25)",
                                            "vprintf hello",
                                            "nanosleep(3)"};
    EXPECT_EQ(service_log(), expected);
}

/// True if the kernel `k` of this text needs fibers.
bool fibers(const char* text) { return compile(text).kernels.at(0).uses_barrier; }

TEST(HostLanes, FibersAreAskedForWhereLanesMeet) {
    EXPECT_FALSE(fibers("define void @k() #1 { ret void }"));
    EXPECT_TRUE(fibers("define void @k() #1 { call void @cuttle.barrier.sync(i32 0, i32 0) ret void }"));
    // Dead code does not count.
    EXPECT_FALSE(fibers("define void @k() #1 { br i1 false, label %a, label %b\n a: call void "
                        "@cuttle.barrier.sync(i32 0, i32 0) br label %b\n b: ret void }"));
    // Through a call, and through any function whose address somebody takes.
    EXPECT_TRUE(fibers("define internal void @f() noinline { call void @cuttle.barrier.sync(i32 0, i32 0) ret void }\n"
                       "define void @k() #1 { call void @f() ret void }"));
    const char* const indirect =
        "define void @k() #1 { %p = call ptr addrspace(4) @cuttle.kernel.parameters() %a = load "
        "i64, ptr addrspace(4) %p %f = inttoptr i64 %a to ptr call void %f() ret void }";
    EXPECT_FALSE(fibers(indirect));
    EXPECT_TRUE(fibers((std::string("define internal void @f() #2 { call void @cuttle.barrier.sync(i32 0, i32 0) ret "
                                    "void }\n") +
                        indirect)
                           .c_str()));
    // exit out of a recursive function has to unwind frames.
    EXPECT_TRUE(
        fibers("define internal void @f(i32 %n) { %z = icmp eq i32 %n, 0 br i1 %z, label %a, label %b\n a: call "
               "void @cuttle.exit() unreachable\n b: %m = sub i32 %n, 1 call void @f(i32 %m) ret void }\n"
               "define void @k() #1 { call void @f(i32 3) ret void }"));
}

TEST(HostLanes, OnlyKernelsAskedForAreCompiled) {
    const ptx::Image image = compile("define void @a() #1 { ret void }\n define void @b() #1 { ret void }");
    EXPECT_EQ(image.kernels.size(), 2u);
}

TEST(HostLanes, ImagesNeedNothingButLibcAndLibm) {
    const Code code(R"(
define void @k() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %out = load i64, ptr addrspace(4) %p
  %o = inttoptr i64 %out to ptr addrspace(1)
  %v = load i32, ptr addrspace(1) %o
  %f = bitcast i32 %v to float
  %u = call float @llvm.fma.f32(float %f, float %f, float %f)
  %s = call float @llvm.sin.f32(float %u)
  %h = fptrunc float %s to half
  %w = fpext half %h to double
  %b = bitcast double %w to i64
  store i64 %b, ptr addrspace(1) %o
  ret void
})",
                    ptx::Target::parse("host:x86-64-v2"));
    const TemporaryFile file(code.image().code);
    const Ran needed = run_program(CODEGEN_READELF " -d --dyn-symbols " + file.path());
    if (needed.status != 0) GTEST_SKIP() << "no llvm-readelf: " << needed.output;
    EXPECT_NE(needed.output.find("libm.so.6"), std::string::npos);
    EXPECT_NE(needed.output.find("UND fmaf"), std::string::npos) << needed.output;
    EXPECT_EQ(needed.output.find("UND __"), std::string::npos) << needed.output;
    EXPECT_EQ(needed.output.find("libc.so.6"), std::string::npos) << needed.output;
    EXPECT_LT(code.image().code.size(), 8192u);
    uint64_t data = 0x3f800000;
    Surroundings around;
    around.set_parameters(&data);
    code.run_thread("k", around.lane);
    double result;
    std::memcpy(&result, &data, 8);
    EXPECT_EQ(result, 0.9091796875); // sin 2
}

/// The PTX has been unrolled, and each further loop for the rounds that remain ends where nobody guesses it.
TEST(HostLanes, LoopsAreNotUnrolledForRoundsThatRemain) {
    const std::string code = optimized(R"(
define void @k() #1 {
start:
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %text = load ptr addrspace(1), ptr addrspace(4) %p
  %q = getelementptr i8, ptr addrspace(4) %p, i64 8
  %n = load i32, ptr addrspace(4) %q
  %x = call i32 @cuttle.sreg.tid.x()
  %xw = zext i32 %x to i64
  br label %loop
loop:
  %at = phi ptr addrspace(1) [ %text, %start ], [ %at.next, %loop ]
  %hash = phi i64 [ %xw, %start ], [ %hash.next, %loop ]
  %k = phi i32 [ 0, %start ], [ %k.next, %loop ]
  %byte = load i8, ptr addrspace(1) %at
  %byte.w = zext i8 %byte to i64
  %mixed = xor i64 %hash, %byte.w
  %hash.next = mul i64 %mixed, 1099511628211
  %at.next = getelementptr i8, ptr addrspace(1) %at, i64 1
  %k.next = add i32 %k, 1
  %more = icmp ult i32 %k.next, %n
  br i1 %more, label %loop, label %end
end:
  %own = getelementptr i64, ptr addrspace(1) %text, i64 %xw
  store i64 %hash.next, ptr addrspace(1) %own
  ret void
}
)",
                                       ptx::Target::parse("host:haswell"), {.phases = true});
    const size_t first = code.find("1099511628211");
    ASSERT_NE(first, std::string::npos);
    EXPECT_EQ(code.find("1099511628211", first + 1), std::string::npos) << code;
}

} // namespace
