#include "driver_fixture.h"
#include "kernels.h"

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

using namespace shim;
using namespace std::chrono_literals;

// Launches of one kernel on several devices at once. What is refused, and with what, is an H100's (driver 580).
namespace {

/// The add kernel over `count` words of pinned host memory, on a device.
struct OnDevice {
    explicit OnDevice(CUdevice device) : device(device) {
        EXPECT_OK(cuDevicePrimaryCtxRetain(&context, device));
        EXPECT_OK(cuCtxSetCurrent(context));
        EXPECT_OK(cuModuleLoadData(&module, kernels::add));
        EXPECT_OK(cuModuleGetFunction(&function, module, "add"));
        EXPECT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    }
    ~OnDevice() {
        EXPECT_OK(cuCtxSetCurrent(context));
        EXPECT_OK(cuStreamDestroy_v2(stream));
        EXPECT_OK(cuModuleUnload(module));
        EXPECT_OK(cuCtxSetCurrent(nullptr));
        EXPECT_OK(cuDevicePrimaryCtxRelease_v2(device));
    }
    CUDA_LAUNCH_PARAMS launch(void** arguments) const { return {function, 1, 1, 1, 32, 1, 1, 0, stream, arguments}; }

    CUdevice device;
    CUcontext context = nullptr;
    CUmodule module = nullptr;
    CUfunction function = nullptr;
    CUstream stream = nullptr;
};

class SeveralDevices : public Driver {
  protected:
    void SetUp() override {
        Driver::SetUp();
        int devices = 0;
        ASSERT_OK(cuDeviceGetCount(&devices));
        if (devices < 2) GTEST_SKIP() << "one device only";
        void* memory = nullptr;
        ASSERT_OK(cuMemHostAlloc(&memory, sizeof(uint32_t) * 2 * 32, CU_MEMHOSTALLOC_PORTABLE));
        words = static_cast<uint32_t*>(memory);
        std::fill_n(words, 64, 0u);
        from = CUdeviceptr(words);
        to = CUdeviceptr(words + 32);
        first = std::make_unique<OnDevice>(0);
        second = std::make_unique<OnDevice>(1);
    }
    void TearDown() override {
        first.reset();
        second.reset();
        EXPECT_OK(cuCtxSetCurrent(context));
        if (words) {
            EXPECT_OK(cuMemFreeHost(words));
        }
        Driver::TearDown();
    }

    uint32_t* words = nullptr;
    CUdeviceptr from = 0, to = 0;
    uint32_t count = 32, addend = 7;
    void* forward[4] = {&to, &from, &count, &addend};
    void* onto_itself[4] = {&to, &to, &count, &addend};
    std::unique_ptr<OnDevice> first, second;
};

/// Writes what the kernels read, late.
void write_late(void* words) {
    std::this_thread::sleep_for(20ms);
    std::fill_n(static_cast<uint32_t*>(words), 32, 1000u);
}

TEST_F(SeveralDevices, NoLaunchBeginsBeforeAllStreamsAreThere) {
    // Device 0's stream is late with what device 1's kernel reads; what comes behind on device 1 waits for both.
    ASSERT_OK(cuLaunchHostFunc(first->stream, write_late, words));
    uint32_t none = 0;
    void* nothing[4] = {&to, &from, &none, &addend};
    std::array<CUDA_LAUNCH_PARAMS, 2> list{first->launch(nothing), second->launch(forward)};
    ASSERT_OK(cuLaunchCooperativeKernelMultiDevice(list.data(), 2, 0));
    ASSERT_OK(cuStreamSynchronize(first->stream)); // behind the meeting: so is the other device's kernel
    for (int i = 0; i < 32; ++i) EXPECT_EQ(words[32 + i], 1107u) << i;
}

TEST_F(SeveralDevices, TheFlagsLeaveTheMeetingsOut) {
    std::atomic<bool> go = false;
    const auto wait = [](void* flag) {
        while (!*static_cast<std::atomic<bool>*>(flag)) std::this_thread::sleep_for(1ms);
    };
    ASSERT_OK(cuLaunchHostFunc(first->stream, wait, &go));
    std::array<CUDA_LAUNCH_PARAMS, 2> list{first->launch(onto_itself), second->launch(forward)};
    ASSERT_OK(cuLaunchCooperativeKernelMultiDevice(list.data(), 2, 3));
    ASSERT_OK(cuStreamSynchronize(second->stream)); // although the other stream still waits
    EXPECT_EQ(words[32], 107u);
    go = true;
    ASSERT_OK(cuStreamSynchronize(first->stream));
    EXPECT_EQ(words[32], 214u);
}

TEST_F(SeveralDevices, WrongListsAreRefused) {
    std::array<CUDA_LAUNCH_PARAMS, 2> list{first->launch(forward), first->launch(forward)};
    EXPECT_STATUS(invalid_value, cuLaunchCooperativeKernelMultiDevice(list.data(), 2, 0));
    EXPECT_STATUS(invalid_value, cuLaunchCooperativeKernelMultiDevice(list.data(), 0, 0));
    EXPECT_STATUS(invalid_value, cuLaunchCooperativeKernelMultiDevice(list.data(), 1, 4));
    EXPECT_STATUS(invalid_value, cuLaunchCooperativeKernelMultiDevice(nullptr, 1, 0));
    list[0].hStream = nullptr;
    EXPECT_STATUS(invalid_handle, cuLaunchCooperativeKernelMultiDevice(list.data(), 1, 0));
}

TEST_F(SeveralDevices, AtomicOperationsOfPairs) {
    const std::array<CUatomicOperation, 2> operations{0, 10}; // additions of integers and of floating-point numbers
    std::array<unsigned, 2> found{9, 9};
    int native = 0;
    ASSERT_OK(cuDeviceGetP2PAttribute(&native, CU_DEVICE_P2P_ATTRIBUTE_NATIVE_ATOMIC_SUPPORTED, 0, 1));
    ASSERT_OK(cuDeviceGetP2PAtomicCapabilities(found.data(), operations.data(), 2, 0, 1));
    EXPECT_EQ(found[0] != 0, native != 0);
    EXPECT_EQ(found[1] != 0, native != 0);
    EXPECT_STATUS(invalid_device, cuDeviceGetP2PAtomicCapabilities(found.data(), operations.data(), 2, 0, 0));
}

} // namespace
