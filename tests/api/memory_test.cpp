#include "driver_fixture.h"

#include <cstring>
#include <numeric>
#include <vector>

using namespace shim;

namespace {

class Memory : public Driver {
  protected:
    CUdeviceptr allocate(size_t bytes) {
        CUdeviceptr address = 0;
        EXPECT_OK(cuMemAlloc_v2(&address, bytes));
        return address;
    }
};

std::vector<uint8_t> ramp(size_t n) {
    std::vector<uint8_t> out(n);
    std::iota(out.begin(), out.end(), uint8_t{1});
    return out;
}

} // namespace

TEST_F(Memory, ThereAndBack) {
    const auto sent = ramp(100'000);
    std::vector<uint8_t> received(sent.size());
    const CUdeviceptr a = allocate(sent.size()), b = allocate(sent.size());
    ASSERT_OK(cuMemcpyHtoD_v2(a, sent.data(), sent.size()));
    ASSERT_OK(cuMemcpyDtoD_v2(b, a, sent.size()));
    ASSERT_OK(cuMemcpyDtoH_v2(received.data(), b, sent.size()));
    EXPECT_EQ(received, sent);
    EXPECT_OK(cuMemFree_v2(a));
    EXPECT_OK(cuMemFree_v2(b));
}

// The source may change as soon as the call returns, and the destination is there.
TEST_F(Memory, PageableAsync) {
    CUstream stream = nullptr;
    ASSERT_OK(cuStreamCreate(&stream, 0));
    for (size_t size : {size_t{1000}, size_t{300'000}}) {
        auto sent = ramp(size);
        const auto expected = sent;
        std::vector<uint8_t> received(size);
        const CUdeviceptr a = allocate(size);
        ASSERT_OK(cuMemcpyHtoDAsync_v2(a, sent.data(), size, stream));
        std::fill(sent.begin(), sent.end(), uint8_t{0});
        ASSERT_OK(cuMemcpyDtoHAsync_v2(received.data(), a, size, stream));
        EXPECT_EQ(received, expected);
        EXPECT_OK(cuMemFree_v2(a));
    }
    EXPECT_OK(cuStreamDestroy_v2(stream));
}

TEST_F(Memory, WrongArguments) {
    CUdeviceptr address = 0;
    EXPECT_STATUS(invalid_value, cuMemAlloc_v2(nullptr, 16));
    EXPECT_STATUS(invalid_value, cuMemAlloc_v2(&address, 0));
    EXPECT_STATUS(out_of_memory, cuMemAlloc_v2(&address, size_t{1} << 60));
    EXPECT_STATUS(invalid_value, cuMemFree_v2(0x1234));
    EXPECT_OK(cuMemFree_v2(0));
    char byte = 0;
    EXPECT_STATUS(invalid_value, cuMemcpyHtoD_v2(0x1234, &byte, 1));
    EXPECT_STATUS(invalid_value, cuMemcpyHtoD_v2(0, &byte, 1));
    EXPECT_OK(cuMemcpyHtoD_v2(0, &byte, 0));
    address = allocate(16);
    char seventeen[17];
    EXPECT_STATUS(invalid_value, cuMemcpyDtoH_v2(seventeen, address, 17));
    EXPECT_STATUS(invalid_value, cuMemsetD32_v2(address + 2, 0, 1));
    EXPECT_OK(cuMemFree_v2(address));
    EXPECT_STATUS(invalid_value, cuMemFree_v2(address));
}

TEST_F(Memory, Fills) {
    const CUdeviceptr a = allocate(64);
    uint8_t bytes[64];
    ASSERT_OK(cuMemsetD8_v2(a, 0xab, 64));
    ASSERT_OK(cuMemsetD16_v2(a + 2, 0x1234, 2));
    ASSERT_OK(cuMemsetD32_v2(a + 8, 0xdeadbeef, 1));
    ASSERT_OK(cuMemsetD8(a + 63, 1, 1)) << "the first form, with a wide address";
    ASSERT_OK(cuMemcpyDtoH_v2(bytes, a, 64));
    EXPECT_EQ(bytes[1], 0xab);
    EXPECT_EQ(bytes[2], 0x34);
    EXPECT_EQ(bytes[3], 0x12);
    EXPECT_EQ(bytes[5], 0x12);
    EXPECT_EQ(bytes[6], 0xab);
    EXPECT_EQ(bytes[11], 0xde);
    EXPECT_EQ(bytes[63], 1);
    EXPECT_OK(cuMemFree_v2(a));
}

TEST_F(Memory, PitchedFillAndCopy) {
    CUdeviceptr a = 0;
    size_t pitch = 0;
    ASSERT_OK(cuMemAllocPitch_v2(&a, &pitch, 100, 5, 4));
    EXPECT_GE(pitch, 100u);
    EXPECT_EQ(pitch % 256, 0u);
    EXPECT_STATUS(invalid_value, cuMemAllocPitch_v2(&a, &pitch, 100, 5, 3));
    ASSERT_OK(cuMemsetD8_v2(a, 0, pitch * 5));
    ASSERT_OK(cuMemsetD2D8_v2(a + pitch, pitch, 7, 3, 2));
    uint8_t host[4 * 10] = {};
    CUDA_MEMCPY2D copy{};
    copy.srcMemoryType = CU_MEMORYTYPE_DEVICE;
    copy.srcDevice = a;
    copy.srcPitch = pitch;
    copy.srcY = 1;
    copy.srcXInBytes = 1;
    copy.dstMemoryType = CU_MEMORYTYPE_HOST;
    copy.dstHost = host;
    copy.dstPitch = 10;
    copy.dstXInBytes = 2;
    copy.dstY = 1;
    copy.WidthInBytes = 4;
    copy.Height = 3;
    ASSERT_OK(cuMemcpy2D_v2(&copy));
    const std::vector<uint8_t> expected{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7, 7, 0, 0, 0, 0, 0, 0,
                                        0, 0, 7, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0};
    EXPECT_EQ(std::vector<uint8_t>(host, host + 40), expected);
    copy.dstPitch = 5;
    EXPECT_STATUS(invalid_value, cuMemcpy2D_v2(&copy));
    copy.dstPitch = 10;
    copy.srcMemoryType = CU_MEMORYTYPE_ARRAY;
    EXPECT_STATUS(invalid_value, cuMemcpy2D_v2(&copy)); // no array
    EXPECT_STATUS(invalid_value, cuMemcpy2D_v2(nullptr));
    EXPECT_OK(cuMemFree_v2(a));
}

TEST_F(Memory, Box) {
    const auto sent = ramp(2 * 3 * 4);
    uint8_t received[2 * 3 * 4] = {};
    const CUdeviceptr a = allocate(8 * 5 * 2);
    CUDA_MEMCPY3D copy{};
    copy.srcMemoryType = CU_MEMORYTYPE_HOST;
    copy.srcHost = sent.data();
    copy.srcPitch = 4;
    copy.srcHeight = 3;
    copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
    copy.dstDevice = a;
    copy.dstPitch = 8;
    copy.dstHeight = 5;
    copy.WidthInBytes = 4;
    copy.Height = 3;
    copy.Depth = 2;
    ASSERT_OK(cuMemcpy3D_v2(&copy));
    uint8_t byte = 0;
    ASSERT_OK(cuMemcpyDtoH_v2(&byte, a + 8 * 5 + 8 * 2 + 3, 1));
    EXPECT_EQ(byte, sent.back());
    std::swap(copy.srcPitch, copy.dstPitch);
    std::swap(copy.srcHeight, copy.dstHeight);
    copy.srcMemoryType = CU_MEMORYTYPE_UNIFIED;
    copy.srcDevice = a;
    copy.dstMemoryType = CU_MEMORYTYPE_HOST;
    copy.dstHost = received;
    ASSERT_OK(cuMemcpy3DAsync_v2(&copy, nullptr));
    ASSERT_OK(cuCtxSynchronize());
    EXPECT_EQ(std::memcmp(received, sent.data(), sent.size()), 0);
    EXPECT_OK(cuMemFree_v2(a));
}

TEST_F(Memory, PageLocked) {
    void* pointer = nullptr;
    unsigned flags = 0;
    CUdeviceptr address = 0;
    ASSERT_OK(cuMemHostAlloc(&pointer, 4096, CU_MEMHOSTALLOC_PORTABLE | CU_MEMHOSTALLOC_DEVICEMAP));
    ASSERT_OK(cuMemHostGetFlags(&flags, pointer));
    EXPECT_EQ(flags, 3u);
    ASSERT_OK(cuMemHostGetDevicePointer_v2(&address, pointer, 0));
    EXPECT_EQ(address, CUdeviceptr(pointer)) << "unified addressing";
    EXPECT_STATUS(invalid_value, cuMemHostAlloc(&pointer, 4096, 8));
    EXPECT_OK(cuMemFreeHost(pointer));
    EXPECT_STATUS(invalid_value, cuMemHostGetDevicePointer_v2(&address, pointer, 0));

    std::vector<char> own(10'000);
    ASSERT_OK(cuMemHostRegister_v2(own.data(), own.size(), 0));
    EXPECT_STATUS(host_memory_already_registered, cuMemHostRegister_v2(own.data(), own.size(), 0));
    EXPECT_OK(cuMemHostUnregister(own.data()));
    EXPECT_STATUS(host_memory_not_registered, cuMemHostUnregister(own.data()));
}

TEST_F(Memory, PointerAttributes) {
    const CUdeviceptr a = allocate(1000);
    unsigned type = 0, managed = 9;
    int device = -9;
    CUcontext owner = nullptr;
    CUdeviceptr start = 0;
    size_t size = 0;
    ASSERT_OK(cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, a + 10));
    EXPECT_EQ(type, unsigned(CU_MEMORYTYPE_DEVICE));
    ASSERT_OK(cuPointerGetAttribute(&owner, CU_POINTER_ATTRIBUTE_CONTEXT, a));
    EXPECT_EQ(owner, context);
    ASSERT_OK(cuPointerGetAttribute(&start, CU_POINTER_ATTRIBUTE_RANGE_START_ADDR, a + 10));
    EXPECT_EQ(start, a);
    ASSERT_OK(cuMemGetAddressRange_v2(&start, &size, a + 999));
    EXPECT_EQ(start, a);
    EXPECT_EQ(size, 1000u);
    int local = 0;
    EXPECT_STATUS(invalid_value, cuPointerGetAttribute(&type, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, CUdeviceptr(&local)));
    EXPECT_STATUS(not_found, cuMemGetAddressRange_v2(&start, &size, CUdeviceptr(&local)));

    CUpointer_attribute wanted[] = {CU_POINTER_ATTRIBUTE_MEMORY_TYPE, CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL,
                                    CU_POINTER_ATTRIBUTE_IS_MANAGED, CU_POINTER_ATTRIBUTE_HOST_POINTER};
    void* host = &local;
    void* data[] = {&type, &device, &managed, &host};
    ASSERT_OK(cuPointerGetAttributes(4, wanted, data, a));
    EXPECT_EQ(device, 0);
    EXPECT_EQ(managed, 0u);
    EXPECT_EQ(host, nullptr) << "device memory has no host address";
    ASSERT_OK(cuPointerGetAttributes(4, wanted, data, CUdeviceptr(&local))) << "unknown memory is no error here";
    EXPECT_EQ(type, 0u);
    EXPECT_EQ(device, CU_DEVICE_INVALID);
    EXPECT_OK(cuMemFree_v2(a));
}

TEST_F(Memory, ManagedAndAdvice) {
    CUdeviceptr a = 0;
    ASSERT_OK(cuMemAllocManaged(&a, 1000, CU_MEM_ATTACH_GLOBAL));
    EXPECT_STATUS(invalid_value, cuMemAllocManaged(&a, 1000, 4));
    ASSERT_OK(cuMemsetD8_v2(a, 5, 1000));
    EXPECT_EQ(reinterpret_cast<uint8_t*>(a)[999], 5) << "the host sees it at once";
    int value = 0;
    ASSERT_OK(cuMemAdvise(a, 1000, CU_MEM_ADVISE_SET_READ_MOSTLY, 0));
    ASSERT_OK(cuMemRangeGetAttribute(&value, sizeof value, CU_MEM_RANGE_ATTRIBUTE_READ_MOSTLY, a, 1000));
    EXPECT_EQ(value, 1);
    ASSERT_OK(cuMemRangeGetAttribute(&value, sizeof value, CU_MEM_RANGE_ATTRIBUTE_PREFERRED_LOCATION, a, 1000));
    EXPECT_EQ(value, CU_DEVICE_INVALID);
    ASSERT_OK(cuMemPrefetchAsync(a, 1000, CU_DEVICE_CPU, nullptr));
    ASSERT_OK(cuMemRangeGetAttribute(&value, sizeof value, CU_MEM_RANGE_ATTRIBUTE_LAST_PREFETCH_LOCATION, a, 1000));
    EXPECT_EQ(value, CU_DEVICE_CPU);
    ASSERT_OK(cuMemPrefetchAsync_v2(a, 1000, {CU_MEM_LOCATION_TYPE_DEVICE, 0}, 0, nullptr));
    EXPECT_STATUS(invalid_device, cuMemPrefetchAsync(a, 1000, 1000, nullptr));
    EXPECT_STATUS(invalid_value, cuMemPrefetchAsync(a, 1001, 0, nullptr));
    EXPECT_STATUS(invalid_value, cuMemAdvise(a, 1000, 77, 0));
    EXPECT_OK(cuMemFree_v2(a));
}

TEST_F(Memory, Info) {
    size_t free_bytes = 0, total = 0, device_total = 0;
    ASSERT_OK(cuMemGetInfo_v2(&free_bytes, &total));
    ASSERT_OK(cuDeviceTotalMem_v2(&device_total, 0));
    EXPECT_LE(free_bytes, total);
    EXPECT_EQ(total, device_total);
    total = 0;
    ASSERT_OK(cuMemGetInfo_v2(nullptr, &total)) << "either may be left out";
    EXPECT_EQ(total, device_total);
}
