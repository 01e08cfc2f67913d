#include "driver_fixture.h"

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
