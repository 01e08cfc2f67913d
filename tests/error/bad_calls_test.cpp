// Calls with wrong handles, wrong order, no memory. Codes are those of an H100 with driver 580.
#include "context.h"

#include <thread>

namespace {

using BadCall = WithContext;

TEST(BadCallWithoutContext, Answers) {
    ASSERT_EQ(cuInit(0), 0);
    std::thread([] {   // a fresh thread has no context
        CUdeviceptr p = 0;
        size_t a = 0, b = 0;
        CUstream stream = nullptr;
        CUevent event = nullptr;
        CUmodule module = nullptr;
        CUcontext context = nullptr;
        CUdevice device = 0;
        EXPECT_EQ(cuMemAlloc_v2(&p, 4), 201);
        EXPECT_EQ(cuMemFree_v2(4096), 1);
        EXPECT_EQ(cuMemGetInfo_v2(&a, &b), 201);
        EXPECT_EQ(cuStreamCreate(&stream, 0), 201);
        EXPECT_EQ(cuEventCreate(&event, 0), 201);
        EXPECT_EQ(cuModuleLoadData(&module, ".version 7.0\n"), 201);
        EXPECT_EQ(cuCtxSynchronize(), 201);
        EXPECT_EQ(cuCtxGetCurrent(&context), 0);
        EXPECT_EQ(context, nullptr);
        EXPECT_EQ(cuCtxGetDevice(&device), 201);
        EXPECT_EQ(cuCtxPopCurrent_v2(&context), 201);
        EXPECT_EQ(cuCtxDestroy_v2(nullptr), 1);
    }).join();
}

TEST_F(BadCall, Memory) {
    CUdeviceptr p = 0;
    ASSERT_EQ(cuMemAlloc_v2(&p, 100), 0);
    EXPECT_EQ(cuMemFree_v2(p + 4), 1);
    EXPECT_EQ(cuMemFree_v2(p), 0);
    EXPECT_EQ(cuMemFree_v2(p), 1);
    EXPECT_EQ(cuMemFree_v2(0), 0);
    EXPECT_EQ(cuMemAlloc_v2(&p, 0), 1);
    EXPECT_EQ(cuMemAlloc_v2(nullptr, 4), 1);
}

TEST_F(BadCall, OutOfMemory) {
    CUdeviceptr p = 0;
    EXPECT_EQ(cuMemAlloc_v2(&p, size_t(1) << 50), 2);
    size_t free_bytes = 0, total = 0, after = 0;
    ASSERT_EQ(cuMemGetInfo_v2(&free_bytes, &total), 0);
    EXPECT_EQ(cuMemAlloc_v2(&p, free_bytes + (size_t(64) << 20)), 2);
    ASSERT_EQ(cuMemAlloc_v2(&p, free_bytes / 2), 0);
    ASSERT_EQ(cuMemGetInfo_v2(&after, &total), 0);
    EXPECT_LE(after, free_bytes - free_bytes / 2);
    CUdeviceptr second = 0;
    EXPECT_EQ(cuMemAlloc_v2(&second, free_bytes / 2 + (size_t(64) << 20)), 2);
    EXPECT_EQ(cuMemFree_v2(p), 0);
    ASSERT_EQ(cuMemGetInfo_v2(&after, &total), 0);
    EXPECT_EQ(after, free_bytes);
}

TEST_F(BadCall, Copies) {
    CUdeviceptr p = 0;
    char host[64] = {};
    ASSERT_EQ(cuMemAlloc_v2(&p, 1 << 20), 0);
    EXPECT_EQ(cuMemcpyDtoH_v2(host, p + (1 << 20) - 10, 64), 1);
    EXPECT_EQ(cuMemcpyDtoH_v2(host, p, 0), 0);
    EXPECT_EQ(cuMemcpyDtoH_v2(host, 0x1000, 64), 1);
    EXPECT_EQ(cuMemsetD8_v2(p + (1 << 20) - 10, 0, 64), 1);
    EXPECT_EQ(cuMemsetD32_v2(p + 2, 0, 1), 1);
    EXPECT_EQ(cuMemcpyHtoD_v2(p, nullptr, 64), 1);
    EXPECT_EQ(cuCtxSynchronize(), 0);
}

TEST_F(BadCall, Handles) {
    EXPECT_EQ(cuEventSynchronize(nullptr), 400);
    EXPECT_EQ(cuModuleUnload(nullptr), 400);
    EXPECT_EQ(cuEventDestroy_v2(nullptr), 400);
    EXPECT_EQ(cuStreamDestroy_v2(nullptr), 400);
    EXPECT_EQ(cuLaunchKernel(nullptr, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr), 400);
    // The driver reads through these and crashes; we say what they are not.
    EXPECT_EQ(cuStreamSynchronize(CUstream(0x123450)), 400);
    EXPECT_EQ(cuCtxSetCurrent(CUcontext(0x123450)), 201);
    EXPECT_EQ(cuLaunchKernel(CUfunction(context), 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr), 400);
    CUstream stream = nullptr;
    ASSERT_EQ(cuStreamCreate(&stream, 0), 0);
    EXPECT_EQ(cuEventSynchronize(CUevent(stream)), 400);
    ASSERT_EQ(cuStreamDestroy_v2(stream), 0);
    EXPECT_EQ(cuStreamSynchronize(stream), 400);
}

TEST_F(BadCall, Devices) {
    CUdevice d = 0;
    int value = 0;
    EXPECT_EQ(cuDeviceGet(&d, 99), 101);
    EXPECT_EQ(cuDeviceGet(&d, -1), 101);
    EXPECT_EQ(cuInit(1), 1);
    EXPECT_EQ(cuDeviceGetAttribute(&value, CUdevice_attribute(100000), device), 1);
}

TEST_F(BadCall, Events) {
    CUevent timed = nullptr, untimed = nullptr;
    ASSERT_EQ(cuEventCreate(&timed, 0), 0);
    ASSERT_EQ(cuEventCreate(&untimed, 2), 0);
    float ms = 0;
    EXPECT_EQ(cuEventElapsedTime(&ms, timed, timed), 400);
    EXPECT_EQ(cuEventQuery(timed), 0);
    EXPECT_EQ(cuEventRecord(timed, nullptr), 0);
    EXPECT_EQ(cuEventRecord(untimed, nullptr), 0);
    EXPECT_EQ(cuCtxSynchronize(), 0);
    EXPECT_EQ(cuEventElapsedTime(&ms, timed, untimed), 400);
    EXPECT_EQ(cuEventElapsedTime(&ms, timed, timed), 0);
    EXPECT_EQ(ms, 0);
    EXPECT_EQ(cuEventDestroy_v2(timed), 0);
    EXPECT_EQ(cuEventDestroy_v2(untimed), 0);
}

} // namespace
