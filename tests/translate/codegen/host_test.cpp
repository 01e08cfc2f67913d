#include "fixture.h"

#include "ast/position.h"

#include <gtest/gtest.h>

#include <array>

using namespace codegen_test;

namespace {

const ptx::Target baseline = ptx::Target::parse("host:x86-64-v2");

// out[ctaid * ntid + tid] += a * in[...], n threads of it.
constexpr const char* saxpy = R"(
define void @saxpy() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %p1 = getelementptr i8, ptr addrspace(4) %p, i64 8
  %p2 = getelementptr i8, ptr addrspace(4) %p, i64 16
  %p3 = getelementptr i8, ptr addrspace(4) %p, i64 20
  %x = load i64, ptr addrspace(4) %p
  %y = load i64, ptr addrspace(4) %p1
  %a.bits = load i32, ptr addrspace(4) %p2
  %n = load i32, ptr addrspace(4) %p3
  %tid = call i32 @cuttle.sreg.tid.x()
  %ntid = call i32 @cuttle.sreg.ntid.x()
  %cta = call i32 @cuttle.sreg.ctaid.x()
  %m = mul i32 %cta, %ntid
  %i = add i32 %m, %tid
  %in = icmp ult i32 %i, %n
  br i1 %in, label %work, label %done
work:
  %wide = zext i32 %i to i64
  %scaled = shl i64 %wide, 2
  %xa = add i64 %x, %scaled
  %ya = add i64 %y, %scaled
  %xp = inttoptr i64 %xa to ptr addrspace(1)
  %yp = inttoptr i64 %ya to ptr addrspace(1)
  %xv = load i32, ptr addrspace(1) %xp
  %yv = load i32, ptr addrspace(1) %yp
  %xf = bitcast i32 %xv to float
  %yf = bitcast i32 %yv to float
  %af = bitcast i32 %a.bits to float
  %r = call float @llvm.fma.f32(float %af, float %xf, float %yf)
  %rb = bitcast float %r to i32
  store i32 %rb, ptr addrspace(1) %yp
  br label %done
done:
  ret void
}
)";

class Saxpy : public testing::TestWithParam<std::tuple<const char*, int>> {};

TEST_P(Saxpy, RunsABlock) {
    const auto [target, level] = GetParam();
    const Code code(saxpy, ptx::Target::parse(target), {.optimization_level = static_cast<uint8_t>(level)});
    EXPECT_FALSE(code.kernel("saxpy").uses_barrier);
    EXPECT_TRUE(code.kernel("saxpy").translated);
    std::vector<float> x(100), y(100);
    for (int i = 0; i < 100; ++i) x[i] = static_cast<float>(i), y[i] = 1;
    Surroundings around;
    around.grid.block_dim[0] = 32;
    around.set_parameters(x.data(), y.data(), 2.0f, 90u);
    for (uint32_t block = 0; block < 4; ++block) {
        around.lane.block[0] = block;
        code.run_block("saxpy", around.lane);
    }
    for (int i = 0; i < 100; ++i) EXPECT_EQ(y[i], i < 90 ? 1 + 2.0f * static_cast<float>(i) : 1) << i;
    // The single thread that the Lane names.
    around.lane.block[0] = 1;
    around.lane.thread[0] = 5;
    code.run_thread("saxpy", around.lane);
    EXPECT_EQ(y[37], 1 + 4 * 37.0f);
    EXPECT_EQ(y[36], 1 + 2 * 36.0f);
}

INSTANTIATE_TEST_SUITE_P(Targets, Saxpy,
                         testing::Combine(testing::Values("host", "host:x86-64-v2", "host:x86-64-v3"),
                                          testing::Values(0, 1, 2, 3)));

TEST(Host, BlockNumbersThreadsInThreeDimensions) {
    const Code code(R"(
define void @ids() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %out = load i64, ptr addrspace(4) %p
  %x = call i32 @cuttle.sreg.tid.x()
  %y = call i32 @cuttle.sreg.tid.y()
  %z = call i32 @cuttle.sreg.tid.z()
  %lane = call i32 @cuttle.sreg.laneid()
  %warp = call i32 @cuttle.sreg.warpid()
  %zy = mul i32 %z, 3
  %row = add i32 %zy, %y
  %rowx = mul i32 %row, 5
  %n = add i32 %rowx, %x
  %w = shl i32 %warp, 5
  %v = or i32 %w, %lane
  %n64 = zext i32 %n to i64
  %o = shl i64 %n64, 2
  %a = add i64 %out, %o
  %ptr = inttoptr i64 %a to ptr addrspace(1)
  store i32 %v, ptr addrspace(1) %ptr
  ret void
})");
    std::array<uint32_t, 5 * 3 * 4> out{};
    Surroundings around;
    around.grid.block_dim[0] = 5;
    around.grid.block_dim[1] = 3;
    around.grid.block_dim[2] = 4;
    around.set_parameters(out.data());
    code.run_block("ids", around.lane);
    for (uint32_t i = 0; i < out.size(); ++i) EXPECT_EQ(out[i], i);
    EXPECT_EQ(around.lane.thread[0], 0u) << "the caller's Lane is left alone";
}

TEST(Host, SharedGlobalsAndConversions) {
    const Code code(R"(
define void @k() #1 {
  store i32 11, ptr addrspace(3) null                                   ; shared offset 0
  store i32 12, ptr addrspace(3) inttoptr (i32 4 to ptr addrspace(3))
  %dyn = call i32 @cuttle.shared.dynamic()
  %dynp = inttoptr i32 %dyn to ptr addrspace(3)
  %dyn4 = getelementptr i8, ptr addrspace(3) %dynp, i64 4
  store i32 13, ptr addrspace(3) %dyn4
  %g = call i64 @cuttle.global.address(i64 8)
  %gp = inttoptr i64 %g to ptr addrspace(1)
  %sg = call i64 @cuttle.cvta.shared(i64 4)
  %sgp = inttoptr i64 %sg to ptr
  %v = load i32, ptr %sgp                                               ; 12, through the generic address
  store i32 %v, ptr addrspace(1) %gp
  %back = call i64 @cuttle.cvta.to.shared(i64 %sg)
  %g16 = add i64 %g, 8
  %g16p = inttoptr i64 %g16 to ptr addrspace(1)
  store i64 %back, ptr addrspace(1) %g16p
  ret void
}
declare i64 @cuttle.cvta.to.shared(i64) #0
)");
    Surroundings around;
    around.grid.static_shared_bytes = 20;
    around.grid.dynamic_shared_bytes = 64;
    code.run_thread("k", around.lane);
    const auto* shared = reinterpret_cast<const uint32_t*>(around.shared.data());
    EXPECT_EQ(shared[0], 11u);
    EXPECT_EQ(shared[1], 12u);
    EXPECT_EQ(shared[(32 + 4) / 4], 13u);
    EXPECT_EQ(*reinterpret_cast<const uint32_t*>(around.globals.data() + 8), 12u);
    EXPECT_EQ(*reinterpret_cast<const uint64_t*>(around.globals.data() + 16), 4u);
}

TEST(Host, AsksWhichSpaceAnAddressIsIn) {
    const char* text = R"(
define internal i32 @which(i64 %a) noinline nounwind convergent {
  %s = call i1 @cuttle.isspacep.shared(i64 %a)
  %l = call i1 @cuttle.isspacep.local(i64 %a)
  %g = call i1 @cuttle.isspacep.global(i64 %a)
  %s1 = zext i1 %s to i32
  %l1 = zext i1 %l to i32
  %l2 = shl i32 %l1, 1
  %g1 = zext i1 %g to i32
  %g2 = shl i32 %g1, 2
  %sl = or i32 %s1, %l2
  %r = or i32 %sl, %g2
  ret i32 %r
}
define void @k() #1 {
  %x = alloca [64 x i8], align 8
  %xa = ptrtoint ptr %x to i64
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %out = load i64, ptr addrspace(4) %p
  %outp = inttoptr i64 %out to ptr addrspace(1)
  %sa = call i64 @cuttle.cvta.shared(i64 16)
  %la = call i64 @cuttle.cvta.local(i64 %xa)
  %send = call i64 @cuttle.cvta.shared(i64 96)
  %r0 = call i32 @which(i64 %sa)
  store volatile i32 %r0, ptr addrspace(1) %outp
  %o1 = getelementptr i8, ptr addrspace(1) %outp, i64 4
  %r1 = call i32 @which(i64 %la)
  store volatile i32 %r1, ptr addrspace(1) %o1
  %o2 = getelementptr i8, ptr addrspace(1) %outp, i64 8
  %r2 = call i32 @which(i64 %out)
  store volatile i32 %r2, ptr addrspace(1) %o2
  %o3 = getelementptr i8, ptr addrspace(1) %outp, i64 12
  %r3 = call i32 @which(i64 %send)
  store volatile i32 %r3, ptr addrspace(1) %o3
  ret void
})";
    for (uint8_t level : {0, 3}) {
        const Code code(text, {}, {.optimization_level = level});
        std::vector<uint32_t> out(4);
        Surroundings around;
        around.grid.static_shared_bytes = 32;
        around.grid.dynamic_shared_bytes = 64;
        around.set_parameters(out.data());
        code.run_thread("k", around.lane);
        EXPECT_EQ(out, (std::vector<uint32_t>{1, 2, 4, 4}));
    }
}

TEST(Host, CallsFunctionsDirectlyByPointerAndRecursively) {
    const Code code(R"(
define internal i32 @twice(i32 %v) #2 {
  %t = call i32 @cuttle.sreg.tid.x()
  %d = mul i32 %v, 2
  %r = add i32 %d, %t
  ret i32 %r
}
define internal i32 @negative(i32 %v) nounwind convergent {
  %r = sub i32 0, %v
  ret i32 %r
}
define internal i32 @factorial(i32 %n) noinline nounwind convergent {
  %z = icmp eq i32 %n, 0
  br i1 %z, label %one, label %more
one:
  ret i32 1
more:
  %m = sub i32 %n, 1
  %f = call i32 @factorial(i32 %m)
  %r = mul i32 %n, %f
  ret i32 %r
}
define internal void @fill(ptr addrspace(5) %slot, ptr addrspace(5) %copy) noinline nounwind convergent {
  %v = load i32, ptr addrspace(5) %copy
  %p = getelementptr i8, ptr addrspace(5) %slot, i64 4
  store i32 %v, ptr addrspace(5) %p
  ret void
}
define void @k() #1 {
  %slot = alloca [2 x i32]
  %copy = alloca i32
  store i32 99, ptr %copy
  %slot5 = addrspacecast ptr %slot to ptr addrspace(5)
  %copy5 = addrspacecast ptr %copy to ptr addrspace(5)
  call void @fill(ptr addrspace(5) %slot5, ptr addrspace(5) %copy5)
  %slota = ptrtoint ptr %slot to i64
  %slot1 = add i64 %slota, 4
  %slotp = inttoptr i64 %slot1 to ptr addrspace(5)
  %s = load i32, ptr addrspace(5) %slotp
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %out = load i64, ptr addrspace(4) %p
  %o0 = inttoptr i64 %out to ptr addrspace(1)
  %p1 = getelementptr i8, ptr addrspace(4) %p, i64 8
  %choice = load i32, ptr addrspace(4) %p1
  %c = icmp eq i32 %choice, 0
  %fa = ptrtoint ptr @twice to i64
  %fb = ptrtoint ptr @negative to i64
  %f = select i1 %c, i64 %fa, i64 %fb
  %fp = inttoptr i64 %f to ptr
  %r = call i32 %fp(i32 21)
  store i32 %r, ptr addrspace(1) %o0
  %n = call i32 @factorial(i32 6)
  %o1 = getelementptr i8, ptr addrspace(1) %o0, i64 4
  store i32 %n, ptr addrspace(1) %o1
  %o2 = getelementptr i8, ptr addrspace(1) %o0, i64 8
  store i32 %s, ptr addrspace(1) %o2
  %ext = getelementptr i8, ptr addrspace(4) %p, i64 16
  %e = load i64, ptr addrspace(4) %ext
  %ep = inttoptr i64 %e to ptr
  %er = call i32 %ep(i32 4)
  %o3 = getelementptr i8, ptr addrspace(1) %o0, i64 12
  store i32 %er, ptr addrspace(1) %o3
  ret void
})");
    ASSERT_EQ(code.image().functions.size(), 1u);
    EXPECT_EQ(code.image().functions[0].name, "twice");
    void* twice = code.symbol(code.image().functions[0].symbol);
    ASSERT_NE(twice, nullptr);
    EXPECT_FALSE(code.kernel("k").uses_barrier);
    std::vector<int32_t> out(4);
    Surroundings around;
    around.lane.thread[0] = 3;
    around.set_parameters(out.data(), 0, 0, twice);
    code.run_thread("k", around.lane);
    EXPECT_EQ(out, (std::vector<int32_t>{45, 720, 99, 11}));
    around.set_parameters(out.data(), 1, 0, twice);
    code.run_thread("k", around.lane);
    EXPECT_EQ(out[0], -21);
}

TEST(Host, ExitEndsTheThreadAlone) {
    const char* text = R"(
define internal void @leave(i32 %t) nounwind convergent {
  %odd = trunc i32 %t to i1
  br i1 %odd, label %out, label %stay
out:
  call void @cuttle.exit()
  unreachable
stay:
  ret void
}
define void @k() #1 {
  %t = call i32 @cuttle.sreg.tid.x()
  call void @leave(i32 %t)
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %out = load i64, ptr addrspace(4) %p
  %w = zext i32 %t to i64
  %a = add i64 %out, %w
  %q = inttoptr i64 %a to ptr addrspace(1)
  store i8 1, ptr addrspace(1) %q
  ret void
})";
    for (uint8_t level : {0, 3}) {
        const Code code(text, baseline, {.optimization_level = level});
        EXPECT_FALSE(code.kernel("k").uses_barrier);
        std::array<uint8_t, 8> out{};
        Surroundings around;
        around.grid.block_dim[0] = 8;
        around.set_parameters(out.data());
        code.run_block("k", around.lane);
        EXPECT_EQ(out, (std::array<uint8_t, 8>{1, 0, 1, 0, 1, 0, 1, 0}));
    }
}

TEST(Host, AtomicsOfOneBlockNeedNoLock) {
    const char* text = R"(
define void @k() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %out = load i64, ptr addrspace(4) %p
  %o = inttoptr i64 %out to ptr addrspace(1)
  %s = inttoptr i32 8 to ptr addrspace(3)
  %old = atomicrmw add ptr addrspace(3) %s, i32 5 syncscope("device") monotonic
  %pair = cmpxchg ptr addrspace(3) %s, i32 5, i32 40 syncscope("device") monotonic monotonic
  %was = extractvalue {i32, i1} %pair, 0
  %b = atomicrmw fadd ptr addrspace(1) %o, float 1.5 syncscope("block") monotonic
  %o1 = getelementptr i8, ptr addrspace(1) %o, i64 4
  %c = atomicrmw uinc_wrap ptr addrspace(1) %o1, i32 2 syncscope("device") monotonic
  fence syncscope("device") seq_cst
  fence syncscope("block") seq_cst
  %o2 = getelementptr i8, ptr addrspace(1) %o, i64 8
  store i32 %was, ptr addrspace(1) %o2
  ret void
})";
    const Code code(text, baseline);
    uint32_t out[3] = {0x3f800000, 2, 0};
    Surroundings around;
    around.set_parameters(&out[0]);
    code.run_thread("k", around.lane);
    EXPECT_EQ(*reinterpret_cast<const uint32_t*>(around.shared.data() + 8), 40u);
    EXPECT_EQ(out[0], 0x40200000u);
    EXPECT_EQ(out[1], 0u);
    EXPECT_EQ(out[2], 5u);
}

TEST(Host, SymbolsCannotMeetLibcs) {
    const Code code(R"(
define internal i32 @memset(i32 %v) noinline nounwind convergent {
  ret i32 %v
}
define void @exp() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %out = load i64, ptr addrspace(4) %p
  %o = inttoptr i64 %out to ptr addrspace(1)
  call void @llvm.memset.p1.i64(ptr addrspace(1) %o, i8 7, i64 64, i1 false)
  %v = call i32 @memset(i32 3)
  store i32 %v, ptr addrspace(1) %o
  ret void
})");
    EXPECT_EQ(code.kernel("exp").symbol, "exp.kernel");
    std::vector<uint8_t> out(64);
    Surroundings around;
    around.set_parameters(out.data());
    code.run_thread("exp", around.lane);
    EXPECT_EQ(out[0], 3);
    EXPECT_EQ(out[63], 7);
}

TEST(Host, LocalMemoryAndBigFramesAreMeasured) {
    const Code code(R"(
define void @k() #1 {
  %big = alloca [100000 x i8]
  %a = ptrtoint ptr %big to i64
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %i = load i64, ptr addrspace(4) %p
  %x = add i64 %a, %i
  %xp = inttoptr i64 %x to ptr addrspace(5)
  store volatile i8 1, ptr addrspace(5) %xp
  ret void
})");
    EXPECT_GE(code.kernel("k").local_bytes, 100000u);
    EXPECT_LT(code.kernel("k").local_bytes, 101000u);
    Surroundings around;
    code.run_thread("k", around.lane);
}

TEST(Host, SaysWhatItCannotDo) {
    auto message = [](const char* text) -> std::string {
        try {
            compile(text);
        } catch (const ptx::Error& error) {
            return error.what();
        }
        return "";
    };
    EXPECT_NE(
        message("declare void @cuttle.frobnicate()\n define void @k() #1 { call void @cuttle.frobnicate() ret void }")
            .find("cuttle.frobnicate"),
        std::string::npos);
    EXPECT_NE(message("declare i32 @cuttle.sreg.mystery()\n define void @k() #1 { %x = call i32 @cuttle.sreg.mystery() "
                      "ret void }")
                  .find("cuttle.sreg.mystery"),
              std::string::npos);
    EXPECT_NE(message("declare void @gone()\n define void @k() #1 { call void @gone() ret void }").find("'gone'"),
              std::string::npos);
    EXPECT_THROW(compile("define void @k() #1 { ret void }", ptx::Target::parse("host:no-such-cpu")), ptx::Error);
}

} // namespace
