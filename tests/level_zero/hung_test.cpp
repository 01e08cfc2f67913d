// Kernels that do not end, and a device that is lost, as an application sees them. CUTTLE_LAUNCH_TIMEOUT is 1 here.
#include "../api/driver_fixture.h"

#include <chrono>
#include <thread>

using namespace shim;

namespace {

constexpr const char* kernels = R"(
.version 7.0
.target sm_80
.address_size 64

.visible .entry waits_for_ever(.param .u64 at)
{
    .reg .pred %p;
    .reg .b32 %v;
    .reg .b64 %at;
    ld.param.u64 %at, [at];
wait:
    ld.volatile.global.u32 %v, [%at];
    setp.eq.u32 %p, %v, 0;
    @%p bra wait;
    ret;
}

// Threads that come to different barriers, both for all.
.visible .entry waits_at_barriers(.param .u64 at)
{
    .reg .pred %p;
    .reg .b32 %t;
    mov.u32 %t, %tid.x;
    setp.lt.u32 %p, %t, 5;
    @%p bra other;
    bar.sync 0;
    bra done;
other:
    bar.sync 1;
done:
    ret;
}

.visible .entry runs_for_ever(.param .u64 at)
{
    .reg .b32 %v;
    .reg .b64 %at;
    ld.param.u64 %at, [at];
    mov.u32 %v, 0;
again:
    add.u32 %v, %v, 1;
    st.global.u32 [%at], %v;
    bra again;
}

.visible .entry writes_astray(.param .u64 at)
{
    .reg .b64 %at;
    mov.u64 %at, 4096;
    st.global.u64 [%at], %at;
    ret;
}

.func down(.param .b32 depth, .param .b64 at)
{
    .reg .b32 %n;
    .reg .b64 %at;
    ld.param.b32 %n, [depth];
    ld.param.b64 %at, [at];
    st.volatile.global.u32 [%at], %n;
    add.u32 %n, %n, 1;
    {
        .param .b32 next;
        .param .b64 there;
        st.param.b32 [next], %n;
        st.param.b64 [there], %at;
        call down, (next, there);
    }
    ret;
}

.visible .entry calls_for_ever(.param .u64 at)
{
    .reg .b64 %at;
    ld.param.u64 %at, [at];
    {
        .param .b32 depth;
        .param .b64 there;
        st.param.b32 [depth], 0;
        st.param.b64 [there], %at;
        call down, (depth, there);
    }
    ret;
}

.visible .entry stores(.param .u64 at)
{
    .reg .b32 %v;
    .reg .b64 %at;
    ld.param.u64 %at, [at];
    mov.u32 %v, 42;
    st.global.u32 [%at], %v;
    ret;
}
)";

/// A context of one's own, which dies.
class Dying : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_OK(cuInit(0));
        ASSERT_OK(cuDeviceGet(&device, 0));
        begin();
    }
    void begin() {
        ASSERT_OK(cuCtxCreate_v2(&context, 0, device));
        ASSERT_OK(cuModuleLoadData(&module, kernels));
        ASSERT_OK(cuMemAlloc_v2(&memory, 4));
        ASSERT_OK(cuMemsetD32_v2(memory, 0, 1));
    }
    int launch(const char* name) {
        CUfunction function = nullptr;
        EXPECT_OK(cuModuleGetFunction(&function, module, name)) << name;
        void* arguments[] = {&memory};
        return cuLaunchKernel(function, 1, 1, 1, 32, 1, 1, 0, nullptr, arguments, nullptr);
    }
    /// `status` is what the wait says, and from then on every call of the context.
    void expect_death(int status) {
        const auto start = std::chrono::steady_clock::now();
        EXPECT_EQ(cuCtxSynchronize(), status);
        EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
        CUdeviceptr more = 0;
        uint32_t word = 0;
        EXPECT_EQ(cuCtxSynchronize(), status);
        EXPECT_EQ(cuMemAlloc_v2(&more, 4), status);
        EXPECT_EQ(cuMemcpyDtoH_v2(&word, memory, 4), status);
    }

    CUdevice device = 0;
    CUcontext context = nullptr;
    CUmodule module = nullptr;
    CUdeviceptr memory = 0;
};

class Hung : public Dying {};
class Lost : public Dying {};

} // namespace

TEST_F(Hung, KernelsThatWaitAreEnded) {
    for (const char* name : {"waits_for_ever", "waits_at_barriers"}) {
        ASSERT_OK(launch(name));
        expect_death(int(rt::Status::launch_timeout));
        EXPECT_OK(cuCtxDestroy_v2(context));
        begin();
    }
    // The device is there for others.
    ASSERT_OK(launch("stores"));
    uint32_t word = 0;
    ASSERT_OK(cuMemcpyDtoH_v2(&word, memory, 4));
    EXPECT_EQ(word, 42u);
    EXPECT_OK(cuCtxDestroy_v2(context));
}

TEST_F(Hung, SlowHostCallsAreNoHang) {
    ASSERT_OK(cuLaunchHostFunc(
        nullptr, [](void*) { std::this_thread::sleep_for(std::chrono::milliseconds(2500)); }, nullptr));
    ASSERT_OK(launch("stores"));
    EXPECT_OK(cuCtxSynchronize());
    EXPECT_OK(cuCtxDestroy_v2(context));
}

TEST_F(Hung, StacksOfRecursionEnd) {
    ASSERT_OK(launch("calls_for_ever"));
    expect_death(int(rt::Status::illegal_address));
    EXPECT_OK(cuCtxDestroy_v2(context));
    begin();
    ASSERT_OK(launch("stores"));
    EXPECT_OK(cuCtxSynchronize());
    EXPECT_OK(cuCtxDestroy_v2(context));
}

// The last test of its process, which must end nevertheless.
TEST_F(Hung, TheLastKernelRunsForEver) {
    ASSERT_OK(launch("stores"));
    ASSERT_OK(launch("runs_for_ever"));
    expect_death(int(rt::Status::launch_timeout));
    cuCtxDestroy_v2(context);
    // Nobody else gets anything of it, either.
    if (cuCtxCreate_v2(&context, 0, device) == 0 && cuModuleLoadData(&module, kernels) == 0) {
        int status = cuMemAlloc_v2(&memory, 4);
        if (status == 0) status = launch("stores");
        if (status == 0) status = cuCtxSynchronize();
        EXPECT_EQ(status, int(rt::Status::launch_timeout));
    }
}

TEST_F(Lost, IsSticky) {
    ASSERT_OK(launch("writes_astray"));
    expect_death(int(rt::Status::launch_failed));
    EXPECT_OK(cuCtxDestroy_v2(context));
    ASSERT_OK(cuCtxCreate_v2(&context, 0, device));
    EXPECT_EQ(cuMemAlloc_v2(&memory, 4), 0);
    int status = cuMemsetD32_v2(memory, 0, 1);
    if (status == 0) status = cuCtxSynchronize();
    EXPECT_EQ(status, int(rt::Status::launch_failed)) << "lost for all contexts";
}
