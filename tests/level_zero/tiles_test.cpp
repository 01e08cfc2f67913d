// A card of two tiles, as an application sees it: two devices (Tiles), or one where the user wants that (Card).
#include "../api/driver_fixture.h"
#include "kernels.h"

#include <cstdlib>
#include <string>
#include <vector>

using namespace shim;

namespace {

int attribute(CUdevice_attribute which, CUdevice device) {
    int value = -1;
    EXPECT_OK(cuDeviceGetAttribute(&value, which, device));
    return value;
}

size_t memory_of(CUdevice device) {
    size_t bytes = 0;
    EXPECT_OK(cuDeviceTotalMem_v2(&bytes, device));
    return bytes;
}

/// The primary contexts of both tiles, and some memory and a stream on each.
class Tiles : public testing::Test {
  protected:
    static constexpr uint32_t count = 5000;

    void SetUp() override {
        ASSERT_OK(cuInit(0));
        for (int tile = 0; tile < 2; tile++) {
            ASSERT_OK(cuDevicePrimaryCtxRetain(&context[tile], tile));
            ASSERT_OK(cuCtxSetCurrent(context[tile]));
            ASSERT_OK(cuStreamCreate(&stream[tile], 0));
            ASSERT_OK(cuMemAlloc_v2(&memory[tile], count * sizeof(float)));
        }
    }
    void TearDown() override {
        for (int tile = 0; tile < 2; tile++) {
            EXPECT_OK(cuCtxSetCurrent(context[tile]));
            EXPECT_OK(cuMemFree_v2(memory[tile]));
            EXPECT_OK(cuStreamDestroy_v2(stream[tile]));
            EXPECT_OK(cuDevicePrimaryCtxRelease_v2(tile));
        }
    }

    CUcontext context[2] = {};
    CUstream stream[2] = {};
    CUdeviceptr memory[2] = {};
};

} // namespace

TEST_F(Tiles, AreDevicesOfOneBoard) {
    int devices = 0;
    ASSERT_OK(cuDeviceGetCount(&devices));
    ASSERT_EQ(devices, 2);
    CUuuid uuid[2];
    for (int tile = 0; tile < 2; tile++) {
        EXPECT_EQ(memory_of(tile), size_t{1} << 30);
        EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, tile), 2);
        EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_PCI_BUS_ID, tile), 0x42);
        EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID, tile), 0x17);
        EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MULTI_GPU_BOARD, tile), 1);
        ASSERT_OK(cuDeviceGetUuid(&uuid[tile], tile));
        int can = 0;
        ASSERT_OK(cuDeviceCanAccessPeer(&can, tile, 1 - tile));
        EXPECT_EQ(can, 1);
    }
    EXPECT_NE(std::string(uuid[0].bytes, sizeof uuid[0].bytes), std::string(uuid[1].bytes, sizeof uuid[1].bytes));
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MULTI_GPU_BOARD_GROUP_ID, 0),
              attribute(CU_DEVICE_ATTRIBUTE_MULTI_GPU_BOARD_GROUP_ID, 1));
}

TEST_F(Tiles, CountTheirOwnMemory) {
    size_t before = 0, after = 0, total = 0;
    ASSERT_OK(cuMemGetInfo_v2(&before, &total)); // of the second
    ASSERT_OK(cuCtxSetCurrent(context[0]));
    CUdeviceptr more = 0;
    ASSERT_OK(cuMemAlloc_v2(&more, size_t{64} << 20));
    ASSERT_OK(cuCtxSetCurrent(context[1]));
    ASSERT_OK(cuMemGetInfo_v2(&after, &total));
    EXPECT_EQ(before, after);
    EXPECT_OK(cuMemFree_v2(more));
}

/// The second tile waits for the first's event and reads its memory.
TEST_F(Tiles, WorkTogether) {
    ASSERT_OK(cuCtxEnablePeerAccess(context[0], 0));
    std::vector<float> x(count), y(count), result(count);
    for (uint32_t i = 0; i < count; i++) x[i] = float(i), y[i] = float(count - i);
    CUmodule module[2];
    CUfunction saxpy[2];
    CUevent done[2];
    for (int tile = 0; tile < 2; tile++) {
        ASSERT_OK(cuCtxSetCurrent(context[tile]));
        ASSERT_OK(cuModuleLoadData(&module[tile], kernels::level_zero));
        ASSERT_OK(cuModuleGetFunction(&saxpy[tile], module[tile], "saxpy"));
        ASSERT_OK(cuEventCreate(&done[tile], 0));
        ASSERT_OK(cuMemcpyHtoD_v2(memory[tile], tile ? y.data() : x.data(), count * sizeof(float)));
    }
    float a = 1;
    uint32_t n = count;
    for (int round = 0; round < 8; round++) {
        // x = 2 x on the first, y = y + x on the second.
        void* doubled[] = {&a, &memory[0], &memory[0], &n};
        ASSERT_OK(cuCtxSetCurrent(context[0]));
        ASSERT_OK(cuStreamWaitEvent(stream[0], done[1], 0));
        ASSERT_OK(cuLaunchKernel(saxpy[0], (count + 255) / 256, 1, 1, 256, 1, 1, 0, stream[0], doubled, nullptr));
        ASSERT_OK(cuEventRecord(done[0], stream[0]));
        void* added[] = {&a, &memory[0], &memory[1], &n};
        ASSERT_OK(cuCtxSetCurrent(context[1]));
        ASSERT_OK(cuStreamWaitEvent(stream[1], done[0], 0));
        ASSERT_OK(cuLaunchKernel(saxpy[1], (count + 255) / 256, 1, 1, 256, 1, 1, 0, stream[1], added, nullptr));
        ASSERT_OK(cuEventRecord(done[1], stream[1]));
    }
    ASSERT_OK(cuStreamSynchronize(stream[1]));
    ASSERT_OK(cuMemcpyDtoH_v2(result.data(), memory[1], count * sizeof(float)));
    for (uint32_t i = 0; i < count; i++) ASSERT_EQ(result[i], y[i] + 510 * x[i]) << i; // 2 + 4 + ... + 256
    ASSERT_OK(cuMemcpyPeer(memory[0], context[0], memory[1], context[1], count * sizeof(float)));
    ASSERT_OK(cuMemcpyDtoH_v2(x.data(), memory[0], count * sizeof(float)));
    EXPECT_EQ(x, result);
    for (int tile = 0; tile < 2; tile++) {
        ASSERT_OK(cuCtxSetCurrent(context[tile]));
        EXPECT_OK(cuEventDestroy_v2(done[tile]));
        EXPECT_OK(cuModuleUnload(module[tile]));
    }
    EXPECT_OK(cuCtxDisablePeerAccess(context[0]));
}

TEST(Card, IsOneDevice) {
    ASSERT_OK(cuInit(0));
    int devices = 0;
    ASSERT_OK(cuDeviceGetCount(&devices));
    ASSERT_EQ(devices, 1);
    EXPECT_EQ(memory_of(0), size_t{2} << 30);
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 0), 4);
    EXPECT_EQ(attribute(CU_DEVICE_ATTRIBUTE_MULTI_GPU_BOARD, 0), 0);
}
