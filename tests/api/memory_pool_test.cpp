#include "driver_fixture.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

using namespace shim;

namespace {
class MemoryPools : public Driver {};

cuuint64_t attribute(CUmemoryPool pool, int which) {
    cuuint64_t value = ~cuuint64_t{0};
    EXPECT_OK(cuMemPoolGetAttribute(pool, which, &value));
    return value;
}
} // namespace

TEST_F(MemoryPools, DefaultPoolCounts) {
    CUmemoryPool pool = nullptr, current = nullptr, of_address = nullptr;
    ASSERT_OK(cuDeviceGetDefaultMemPool(&pool, 0));
    ASSERT_OK(cuDeviceGetMemPool(&current, 0));
    EXPECT_EQ(pool, current);
    const cuuint64_t before = attribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT);
    CUdeviceptr a = 0;
    ASSERT_OK(cuMemAllocAsync(&a, 1000, nullptr));
    EXPECT_EQ(attribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT), before + 1000);
    ASSERT_OK(cuPointerGetAttribute(&of_address, CU_POINTER_ATTRIBUTE_MEMPOOL_HANDLE, a));
    EXPECT_EQ(of_address, pool);
    ASSERT_OK(cuMemsetD8Async(a, 1, 1000, nullptr));
    ASSERT_OK(cuMemFreeAsync(a, nullptr));
    EXPECT_EQ(attribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT), before);
    EXPECT_GE(attribute(pool, CU_MEMPOOL_ATTR_USED_MEM_HIGH), before + 1000);
    ASSERT_OK(cuStreamSynchronize(nullptr));
    EXPECT_STATUS(invalid_value, cuMemPoolDestroy(pool)) << "the default pool stays";
}

TEST_F(MemoryPools, TrimGivesTheCacheBack) {
    CUmemoryPool pool = nullptr;
    ASSERT_OK(cuDeviceGetDefaultMemPool(&pool, 0));
    ASSERT_OK(cuMemPoolTrimTo(pool, 0));
    const cuuint64_t used = attribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT);
    ASSERT_EQ(attribute(pool, CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT), used);
    CUdeviceptr a = 0, b = 0;
    ASSERT_OK(cuMemAllocAsync(&a, 1 << 20, nullptr));
    ASSERT_OK(cuMemAllocAsync(&b, 1 << 20, nullptr));
    ASSERT_OK(cuMemFreeAsync(a, nullptr));
    ASSERT_OK(cuMemFreeAsync(b, nullptr));
    ASSERT_OK(cuStreamSynchronize(nullptr));
    EXPECT_EQ(attribute(pool, CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT), used + (2 << 20));
    ASSERT_OK(cuMemPoolTrimTo(pool, used + (1 << 20)));
    EXPECT_EQ(attribute(pool, CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT), used + (1 << 20));
    ASSERT_OK(cuMemPoolTrimTo(pool, 0));
    EXPECT_EQ(attribute(pool, CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT), used);
}

TEST_F(MemoryPools, OwnPool) {
    CUmemPoolProps properties{};
    properties.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
    properties.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
    properties.maxSize = 4096;
    CUmemoryPool pool = nullptr;
    ASSERT_OK(cuMemPoolCreate(&pool, &properties));
    cuuint64_t threshold = 123;
    ASSERT_OK(cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD, &threshold));
    EXPECT_EQ(attribute(pool, CU_MEMPOOL_ATTR_RELEASE_THRESHOLD), 123u);
    EXPECT_STATUS(invalid_value, cuMemPoolSetAttribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT, &threshold));
    CUdeviceptr a = 0;
    ASSERT_OK(cuMemAllocFromPoolAsync(&a, 4000, pool, nullptr));
    CUdeviceptr b = 0;
    EXPECT_STATUS(out_of_memory, cuMemAllocFromPoolAsync(&b, 4000, pool, nullptr));
    EXPECT_OK(cuMemFree_v2(a));
    EXPECT_EQ(attribute(pool, CU_MEMPOOL_ATTR_USED_MEM_CURRENT), 0u);
    ASSERT_OK(cuMemPoolDestroy(pool));
    EXPECT_STATUS(invalid_value, cuMemPoolDestroy(pool));
    properties.handleTypes = 2; // handles of another operating system
    EXPECT_STATUS(invalid_value, cuMemPoolCreate(&pool, &properties));
}

// A free in the legacy stream comes after the work of all streams that wait for it, so what is freed there is used
// again by a stream that does not wait for anybody only after that work.
TEST_F(MemoryPools, AFreeInTheLegacyStreamWaitsForOtherStreams) {
    CUstream user = nullptr, next = nullptr;
    ASSERT_OK(cuStreamCreate(&user, CU_STREAM_DEFAULT));
    ASSERT_OK(cuStreamCreate(&next, CU_STREAM_NON_BLOCKING));
    constexpr size_t bytes = 40000;
    CUdeviceptr used = 0, again = 0;
    ASSERT_OK(cuMemAllocAsync(&used, bytes, user));
    ASSERT_OK(cuStreamSynchronize(user));
    std::atomic<bool> open = false;
    ASSERT_OK(cuLaunchHostFunc(
        user, [](void* gate) { static_cast<std::atomic<bool>*>(gate)->wait(false); }, &open));
    ASSERT_OK(cuMemsetD8Async(used, 1, bytes, user));
    ASSERT_OK(cuMemFreeAsync(used, nullptr));
    ASSERT_OK(cuMemAllocAsync(&again, bytes, next));
    ASSERT_OK(cuMemsetD8Async(again, 2, bytes, next));
    std::this_thread::sleep_for(std::chrono::milliseconds(20)); // for who does not wait
    open = true;
    open.notify_all();
    ASSERT_OK(cuCtxSynchronize());
    std::vector<uint8_t> bytes_of(bytes);
    ASSERT_OK(cuMemcpyDtoH_v2(bytes_of.data(), again, bytes));
    EXPECT_EQ(bytes_of, std::vector<uint8_t>(bytes, 2));
    ASSERT_OK(cuMemFreeAsync(again, next));
    ASSERT_OK(cuStreamSynchronize(next));
    ASSERT_OK(cuStreamDestroy_v2(user));
    ASSERT_OK(cuStreamDestroy_v2(next));
}
