#include "driver_fixture.h"

#include <string>
#include <vector>

using namespace shim;

// Which threads say that their assertion failed. As on an H100: all of the warp that fail at the same one.
namespace {

// Fails where (tid & mask) != 0; with_barrier does so behind a barrier.
std::string text() {
    std::string kernels = R"(
.version 7.0
.target sm_70
.address_size 64
.extern .func __assertfail (.param .b64 message, .param .b64 file, .param .b32 line, .param .b64 function, .param .b64 size);
.global .align 1 .b8 words[5] = {119, 111, 114, 100, 0};
)";
    for (const bool barrier : {false, true}) {
        kernels += std::string(".visible .entry ") + (barrier ? "with_barrier" : "plain") + R"((.param .u32 mask)
{
    .reg .pred %p;
    .reg .b32 %r<4>;
    .reg .b64 %rd<3>;
    ld.param.u32 %r1, [mask];
    mov.u32 %r2, %tid.x;
)" + (barrier ? "    bar.sync 0;\n" : "") + R"(
    and.b32 %r3, %r1, %r2;
    setp.eq.u32 %p, %r3, 0;
    @%p bra fine;
    mov.u64 %rd1, words;
    cvta.global.u64 %rd2, %rd1;
    { .param .b64 m; .param .b64 f; .param .b32 l; .param .b64 n; .param .b64 s;
      st.param.b64 [m], %rd2; st.param.b64 [f], %rd2; st.param.b32 [l], 7; st.param.b64 [n], %rd2; st.param.b64 [s], 1;
      call.uni __assertfail, (m, f, l, n, s); }
    trap;
fine:
    ret;
}
)";
    }
    return kernels;
}

/// x of each thread that said so. The context is lost, and so is one of its own.
std::vector<int> failing_threads(const char* kernel, unsigned threads, unsigned mask) {
    CUcontext context = nullptr;
    EXPECT_OK(cuCtxCreate_v2(&context, 0, 0));
    CUmodule module = nullptr;
    CUfunction function = nullptr;
    EXPECT_OK(cuModuleLoadData(&module, text().c_str()));
    EXPECT_OK(cuModuleGetFunction(&function, module, kernel));
    testing::internal::CaptureStderr();
    void* arguments[] = {&mask};
    EXPECT_OK(cuLaunchKernel(function, 1, 1, 1, threads, 1, 1, 0, nullptr, arguments, nullptr));
    EXPECT_STATUS(assert_, cuCtxSynchronize());
    const std::string said = testing::internal::GetCapturedStderr();
    EXPECT_OK(cuCtxDestroy_v2(context));
    std::vector<int> found;
    const std::string start = "word:7: word: block: [0,0,0], thread: [";
    for (size_t at = 0; (at = said.find(start, at)) != said.npos; at += start.size())
        found.push_back(std::stoi(said.substr(at + start.size())));
    return found;
}

TEST(Assertion, EveryFailingThreadOfTheWarpIsNamed) {
    ASSERT_OK(cuInit(0));
    for (const char* kernel : {"plain", "with_barrier"}) {
        EXPECT_EQ(failing_threads(kernel, 8, 1), (std::vector<int>{1, 3, 5, 7})) << kernel;
        EXPECT_EQ(failing_threads(kernel, 62, 28 + 32), // the rest of a first warp, from its fourth lane on
                  (std::vector<int>{4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17,
                                    18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31}))
            << kernel;
        EXPECT_EQ(failing_threads(kernel, 62, 32 * 1u).size(), 30u) << kernel; // a second warp that is not full
    }
}

} // namespace
