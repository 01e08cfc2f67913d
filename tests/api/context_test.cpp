#include "driver_fixture.h"

#include <thread>

using namespace shim;

namespace {
class Contexts : public Driver {};

CUcontext current() {
    CUcontext found = nullptr;
    EXPECT_OK(cuCtxGetCurrent(&found));
    return found;
}
} // namespace

TEST_F(Contexts, Stack) {
    CUcontext a = nullptr, b = nullptr, popped = nullptr;
    ASSERT_OK(cuCtxCreate_v2(&a, 0, 0));
    EXPECT_EQ(current(), a) << "a new context is current";
    ASSERT_OK(cuCtxCreate_v4(&b, nullptr, CU_CTX_SCHED_YIELD, 0));
    EXPECT_EQ(current(), b);
    unsigned flags = 0;
    EXPECT_OK(cuCtxGetFlags(&flags));
    EXPECT_EQ(flags & CU_CTX_SCHED_MASK, unsigned(CU_CTX_SCHED_YIELD));
    ASSERT_OK(cuCtxPopCurrent_v2(&popped));
    EXPECT_EQ(popped, b);
    EXPECT_EQ(current(), a);
    ASSERT_OK(cuCtxPushCurrent_v2(context));
    EXPECT_EQ(current(), context);
    ASSERT_OK(cuCtxPopCurrent_v2(nullptr));
    ASSERT_OK(cuCtxDestroy_v2(a));
    EXPECT_EQ(current(), context) << "destroying the current context pops it";
    ASSERT_OK(cuCtxDestroy_v2(b));
    EXPECT_STATUS(invalid_context, cuCtxDestroy_v2(b));
    EXPECT_STATUS(invalid_context, cuCtxPushCurrent_v2(b));
    EXPECT_STATUS(invalid_context, cuCtxSetCurrent(b));
}

TEST_F(Contexts, PrimaryCannotBeDestroyed) { EXPECT_STATUS(invalid_context, cuCtxDestroy_v2(context)); }

TEST_F(Contexts, NoneCurrent) {
    std::thread([] {
        CUcontext found = nullptr;
        CUdeviceptr address = 0;
        CUdevice device = 0;
        EXPECT_EQ(current(), nullptr);
        EXPECT_STATUS(invalid_context, cuCtxPopCurrent_v2(&found));
        EXPECT_STATUS(invalid_context, cuMemAlloc_v2(&address, 16));
        EXPECT_STATUS(invalid_context, cuCtxGetDevice(&device));
        EXPECT_STATUS(invalid_context, cuCtxSynchronize());
        CUstream stream = nullptr;
        CUevent event = nullptr;
        CUmodule module = nullptr;
        EXPECT_STATUS(invalid_context, cuStreamCreate(&stream, 0));
        EXPECT_STATUS(invalid_context, cuEventCreate(&event, 0));
        EXPECT_STATUS(invalid_context, cuModuleLoadData(&module, ".version 8.0"));
        EXPECT_STATUS(invalid_value, cuMemFree_v2(4096));
        EXPECT_STATUS(invalid_value, cuCtxDestroy_v2(nullptr));
    }).join();
}

TEST_F(Contexts, WrongFlagsAndPointers) {
    CUcontext created = nullptr;
    EXPECT_STATUS(invalid_value, cuCtxCreate_v2(&created, 0x100, 0));
    EXPECT_STATUS(invalid_value, cuCtxCreate_v2(&created, CU_CTX_SCHED_SPIN | CU_CTX_SCHED_YIELD, 0));
    EXPECT_STATUS(invalid_value, cuCtxCreate_v2(nullptr, 0, 0));
    EXPECT_STATUS(invalid_device, cuCtxCreate_v2(&created, 0, 1000));
    EXPECT_STATUS(invalid_value, cuCtxGetCurrent(nullptr));
    EXPECT_STATUS(invalid_value, cuCtxGetDevice(nullptr));
    CUexecAffinityParam affinity{};
    EXPECT_STATUS(unsupported_exec_affinity, cuCtxCreate_v3(&created, &affinity, 1, 0, 0));
    EXPECT_STATUS(invalid_context, cuCtxPushCurrent_v2(reinterpret_cast<CUcontext>(0x1234)));
}

TEST_F(Contexts, State) {
    CUdevice device = -1;
    EXPECT_OK(cuCtxGetDevice_v2(&device, context));
    EXPECT_EQ(device, 0);
    unsigned long long id = 0, again = 0;
    EXPECT_OK(cuCtxGetId(context, &id));
    EXPECT_OK(cuCtxGetId(context, &again));
    EXPECT_EQ(id, again);
    int config = 0;
    EXPECT_OK(cuCtxSetCacheConfig(2));
    EXPECT_OK(cuCtxGetCacheConfig(&config));
    EXPECT_EQ(config, 2);
    EXPECT_STATUS(invalid_value, cuCtxSetCacheConfig(4));
    EXPECT_OK(cuCtxSetCacheConfig(0));
    int least = -1, greatest = 1;
    EXPECT_OK(cuCtxGetStreamPriorityRange(&least, &greatest));
    EXPECT_EQ(least, 0);
    EXPECT_LE(greatest, 0);
}

TEST_F(Contexts, ResetDestroysWhatIsCurrent) {
    CUdeviceptr address = 0;
    ASSERT_OK(cuMemAlloc_v2(&address, 16));
    ASSERT_OK(cuDevicePrimaryCtxReset_v2(0));
    EXPECT_EQ(current(), context);
    EXPECT_STATUS(context_is_destroyed, cuMemAlloc_v2(&address, 16));
    ASSERT_OK(cuDevicePrimaryCtxRetain(&context, 0));
    EXPECT_OK(cuMemAlloc_v2(&address, 16));
    EXPECT_OK(cuMemFree_v2(address));
}

TEST_F(Contexts, Limits) {
    size_t value = 0;
    ASSERT_OK(cuCtxSetLimit(0, 4096));
    ASSERT_OK(cuCtxGetLimit(&value, 0));
    EXPECT_GE(value, 4096u);
    ASSERT_OK(cuCtxGetLimit(&value, 2));
    EXPECT_GT(value, 0u);
    EXPECT_STATUS(unsupported_limit, cuCtxGetLimit(&value, 3));
    EXPECT_NE(cuCtxGetLimit(&value, 1000), 0);
    EXPECT_STATUS(invalid_value, cuCtxGetLimit(nullptr, 0));
}

TEST_F(Contexts, PrimaryState) {
    unsigned flags = 0;
    int active = 0;
    ASSERT_OK(cuDevicePrimaryCtxGetState(0, &flags, &active));
    EXPECT_EQ(active, 1);
    CUcontext same = nullptr;
    ASSERT_OK(cuDevicePrimaryCtxRetain(&same, 0));
    EXPECT_EQ(same, context);
    ASSERT_OK(cuDevicePrimaryCtxRelease_v2(0));
    int count = 0;
    ASSERT_OK(cuDeviceGetCount(&count));
    if (count < 2) return;
    ASSERT_OK(cuDevicePrimaryCtxGetState(1, &flags, &active));
    EXPECT_EQ(active, 0);
    EXPECT_STATUS(invalid_context, cuDevicePrimaryCtxRelease_v2(1));
}

TEST_F(Contexts, AttachedTwiceIsDetachedTwice) {
    CUcontext own = nullptr, attached = nullptr, current = nullptr;
    ASSERT_OK(cuCtxCreate_v2(&own, 0, 0));
    ASSERT_OK(cuCtxAttach(&attached, 0));
    EXPECT_EQ(attached, own);
    EXPECT_STATUS(invalid_value, cuCtxAttach(&attached, 1));
    EXPECT_OK(cuCtxDetach(own));
    EXPECT_OK(cuCtxGetCurrent(&current));
    EXPECT_EQ(current, own);
    EXPECT_OK(cuCtxDetach(own));
    EXPECT_OK(cuCtxGetCurrent(&current));
    EXPECT_NE(current, own);
}
