// Kernels that go wrong. Codes and messages are those of an H100 with driver 580.
#include "context.h"

#include <vector>

namespace {

struct BadKernel : WithContext {
    /// The error is the kernel's, stays with the context, and nothing else is lost.
    void expect_sticky(CUresult expected, CUresult status) {
        EXPECT_EQ(status, expected);
        CUdeviceptr p = 0;
        size_t free_bytes = 0, total = 0;
        EXPECT_EQ(cuMemAlloc_v2(&p, 4), expected);
        EXPECT_EQ(cuMemGetInfo_v2(&free_bytes, &total), expected);
        EXPECT_EQ(launch(), expected);
        EXPECT_EQ(cuCtxSynchronize(), expected);
        CUcontext current = nullptr;
        EXPECT_EQ(cuCtxGetCurrent(&current), 0);
        EXPECT_EQ(current, context);
        // A new context works.
        CUcontext other = nullptr;
        ASSERT_EQ(cuCtxCreate_v2(&other, 0, device), 0);
        EXPECT_EQ(cuMemAlloc_v2(&p, 4), 0);
        EXPECT_EQ(cuMemFree_v2(p), 0);
        EXPECT_EQ(cuCtxDestroy_v2(other), 0);
    }
};

TEST_F(BadKernel, ReadsAddressZero) {
    expect_sticky(700, run(".visible .entry k() { .reg .b64 %p; .reg .b32 %r; mov.u64 %p, 0; ld.global.u32 %r, [%p]; "
                           "st.global.u32 [%p+8], %r; ret; }"));
}

TEST_F(BadKernel, ReadsFarPastItsMemory) {
    CUdeviceptr p = 0;
    ASSERT_EQ(cuMemAlloc_v2(&p, 4), 0);
    void* arguments[] = {&p};
    expect_sticky(700, run(".visible .entry k(.param .u64 a) { .reg .b64 %p; .reg .b32 %r; ld.param.u64 %p, [a]; "
                           "ld.global.u32 %r, [%p+1073741824]; st.global.u32 [%p], %r; ret; }",
                           arguments));
}

// Most calls need no current context when a stream brings one; that one's error still counts.
TEST_F(BadKernel, ItsStreamsAreLostWithoutACurrentContext) {
    CUstream stream = nullptr;
    CUdeviceptr memory = 0;
    ASSERT_EQ(cuStreamCreate(&stream, 0), 0);
    ASSERT_EQ(cuMemAlloc_v2(&memory, 4), 0);
    EXPECT_EQ(run(".visible .entry k() { trap; ret; }", nullptr), 719);
    ASSERT_EQ(cuCtxSetCurrent(nullptr), 0);
    CUhostFn nothing = [](void*) {};
    EXPECT_EQ(cuMemsetD32Async(memory, 1, 1, stream), 719);
    EXPECT_EQ(cuLaunchHostFunc(stream, nothing, nullptr), 719);
    EXPECT_EQ(cuStreamQuery(stream), 719);
    EXPECT_EQ(cuStreamSynchronize(stream), 719);
    EXPECT_EQ(cuCtxSetCurrent(context), 0);
}

TEST_F(BadKernel, Traps) { expect_sticky(719, run(".visible .entry k() { trap; ret; }", nullptr, 8, 64)); }

TEST_F(BadKernel, TrapsInsideABarrierKernel) {
    expect_sticky(719, run(".visible .entry k() { .reg .pred %q; .reg .b32 %t; mov.u32 %t, %tid.x; setp.eq.u32 %q, %t, 40; "
                           "@%q trap; bar.sync 0; ret; }",
                           nullptr, 4, 64));
}

TEST_F(BadKernel, RunsOutOfStack) {
    CUdeviceptr p = 0;
    ASSERT_EQ(cuMemAlloc_v2(&p, 64), 0);
    void* arguments[] = {&p};
    expect_sticky(700, run(R"(
.func (.param .b32 r) f(.param .b32 x, .param .b64 q) {
  .local .align 16 .b8 buffer[512];
  .reg .b32 %r<4>; .reg .b64 %p<4>; .reg .pred %done;
  ld.param.b32 %r1, [x]; ld.param.b64 %p2, [q];
  mov.u64 %p1, buffer;
  cvta.local.u64 %p3, %p1;
  st.local.u32 [%p1+4], %r1;
  setp.eq.s32 %done, %r1, 0;
  @%done bra END;
  add.s32 %r2, %r1, -1;
  { .param .b32 pr; .param .b32 px; .param .b64 pq;
    st.param.b32 [px], %r2; st.param.b64 [pq], %p3;
    call (pr), f, (px, pq);
    ld.param.b32 %r2, [pr]; }
  ld.u32 %r3, [%p2+4];   // the caller's buffer, which must therefore exist
  add.s32 %r1, %r2, %r3;
END:
  st.param.b32 [r], %r1;
  ret;
}
.visible .entry k(.param .u64 a) {
  .reg .b64 %p; .reg .b32 %r;
  ld.param.u64 %p, [a];
  { .param .b32 pr; .param .b32 px; .param .b64 pq;
    st.param.b32 [px], 1000000; st.param.b64 [pq], %p;
    call (pr), f, (px, pq);
    ld.param.b32 %r, [pr]; }
  st.global.u32 [%p], %r;
  ret;
})",
                           arguments));
}

TEST_F(BadKernel, AssertionsAreReportedByEveryThread) {
    testing::internal::CaptureStderr();
    const CUresult status = run(R"(
.extern .func __assertfail(.param .b64 a, .param .b64 b, .param .b32 c, .param .b64 d, .param .b64 e);
.global .b8 text[6] = {104, 101, 108, 108, 111, 0};
.visible .entry k() {
  .reg .b64 %p, %one;
  mov.u64 %p, text; cvta.global.u64 %p, %p; mov.u64 %one, 1;
  { .param .b64 a; .param .b64 b; .param .b32 c; .param .b64 d; .param .b64 e;
    st.param.b64 [a], %p; st.param.b64 [b], %p; st.param.b32 [c], 33; st.param.b64 [d], %p; st.param.b64 [e], %one;
    call.uni __assertfail, (a, b, c, d, e); }
  ret;
})",
                                nullptr, 1, 2);
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_NE(text.find("hello:33: hello: block: [0,0,0], thread: [0,0,0] Assertion `hello` failed."), std::string::npos) << text;
    expect_sticky(710, status);
}

TEST_F(BadKernel, DivisionByZeroIsNoError) {
    CUdeviceptr p = 0;
    ASSERT_EQ(cuMemAlloc_v2(&p, 8), 0);
    ASSERT_EQ(cuMemsetD8_v2(p, 0, 8), 0);
    void* arguments[] = {&p};
    EXPECT_EQ(run(".visible .entry k(.param .u64 a) { .reg .b64 %p; .reg .b32 %r, %s; ld.param.u64 %p, [a]; ld.global.u32 %r, [%p]; "
                  "div.s32 %s, %r, %r; rem.u32 %r, %s, %r; st.global.u32 [%p], %s; st.global.u32 [%p+4], %r; ret; }",
                  arguments),
              0);
    unsigned result[2] = {};
    EXPECT_EQ(cuMemcpyDtoH_v2(result, p, 8), 0);
    EXPECT_EQ(result[0], 0xffffffffu);
    EXPECT_EQ(result[1], 0xffffffffu);
}

TEST_F(BadKernel, LaunchLimits) {
    const char* kernels = ".visible .entry k() { ret; }\n.visible .entry fixed() .reqntid 64, 1, 1 { ret; }\n"
                          ".visible .entry bounded() .maxntid 64, 1, 1 { ret; }\n.visible .entry needs(.param .u64 a) { ret; }";
    ASSERT_EQ(load(kernels), 0) << error_log;
    ASSERT_EQ(function("k"), 0);
    EXPECT_EQ(launch(1, 1025), 1);
    EXPECT_EQ(launch(0, 32), 1);
    EXPECT_EQ(launch(1, 0), 1);
    EXPECT_EQ(launch(1, 32, nullptr, 49153), 1);
    EXPECT_EQ(launch(1, 32, nullptr, 1 << 20), 1);
    EXPECT_EQ(launch(1, 1024, nullptr, 49152), 0);
    ASSERT_EQ(function("fixed"), 0);
    EXPECT_EQ(launch(1, 32), 1);
    EXPECT_EQ(launch(1, 64), 0);
    ASSERT_EQ(function("bounded"), 0);
    EXPECT_EQ(launch(1, 128), 1);
    ASSERT_EQ(function("needs"), 0);
    EXPECT_EQ(launch(), 1) << "parameters are missing";
    EXPECT_EQ(cuCtxSynchronize(), 0);
}

} // namespace
