#include "driver_fixture.h"

#include <cstring>
#include <unistd.h>
#include <vector>

using namespace shim;

namespace {

class VirtualMemory : public Driver {
  protected:
    void SetUp() override {
        Driver::SetUp();
        ASSERT_OK(cuMemGetAllocationGranularity(&unit, &properties(), CU_MEM_ALLOC_GRANULARITY_MINIMUM));
        ASSERT_GT(unit, 0u);
    }

    static CUmemAllocationProp& properties(int handles = CU_MEM_HANDLE_TYPE_NONE) {
        static CUmemAllocationProp made;
        made = {};
        made.type = CU_MEM_ALLOCATION_TYPE_PINNED;
        made.requestedHandleTypes = handles;
        made.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
        return made;
    }
    void allow(CUdeviceptr address, size_t size, CUmemAccess_flags flags = CU_MEM_ACCESS_FLAGS_PROT_READWRITE) {
        const CUmemAccessDesc access{{CU_MEM_LOCATION_TYPE_DEVICE, 0}, flags};
        EXPECT_OK(cuMemSetAccess(address, size, &access, 1));
    }

    size_t unit = 0;
};

} // namespace

TEST_F(VirtualMemory, OneRangeOfTwoPieces) {
    CUdeviceptr range = 0;
    CUmemGenericAllocationHandle a = 0, b = 0;
    ASSERT_OK(cuMemAddressReserve(&range, 2 * unit, 0, 0, 0));
    EXPECT_EQ(range % unit, 0u);
    ASSERT_OK(cuMemCreate(&a, unit, &properties(), 0));
    ASSERT_OK(cuMemCreate(&b, unit, &properties(), 0));
    EXPECT_NE(a, b);
    ASSERT_OK(cuMemMap(range, unit, 0, a, 0));
    ASSERT_OK(cuMemMap(range + unit, unit, 0, b, 0));
    allow(range, 2 * unit);
    std::vector<unsigned> out(2 * unit / 4), in(2 * unit / 4);
    for (size_t i = 0; i < out.size(); i++) out[i] = unsigned(i * 7);
    ASSERT_OK(cuMemcpyHtoD_v2(range, out.data(), 2 * unit));
    ASSERT_OK(cuMemcpyDtoH_v2(in.data(), range, 2 * unit));
    EXPECT_EQ(in, out);
    ASSERT_OK(cuMemsetD32_v2(range + unit - 8, 5, 4)); // across the border
    ASSERT_OK(cuMemcpyDtoH_v2(in.data(), range + unit - 8, 16));
    EXPECT_EQ(in[0], 5u);
    EXPECT_EQ(in[3], 5u);
    unsigned kind = 0;
    ASSERT_OK(cuPointerGetAttribute(&kind, CU_POINTER_ATTRIBUTE_MEMORY_TYPE, range + unit));
    EXPECT_EQ(kind, unsigned(CU_MEMORYTYPE_DEVICE));
    // The memory lives as long as it is mapped.
    ASSERT_OK(cuMemRelease(a));
    ASSERT_OK(cuMemRelease(b));
    ASSERT_OK(cuMemcpyDtoH_v2(in.data(), range, unit));
    EXPECT_EQ(in[1], 7u);
    EXPECT_STATUS(invalid_value, cuMemFree_v2(range));
    ASSERT_OK(cuMemUnmap(range, 2 * unit));
    ASSERT_OK(cuMemAddressFree(range, 2 * unit));
}

TEST_F(VirtualMemory, OneMemoryAtTwoAddresses) {
    CUdeviceptr range = 0;
    CUmemGenericAllocationHandle memory = 0, again = 0;
    ASSERT_OK(cuMemAddressReserve(&range, 3 * unit, 0, 0, 0));
    ASSERT_OK(cuMemCreate(&memory, unit, &properties(), 0));
    ASSERT_OK(cuMemMap(range, unit, 0, memory, 0));
    ASSERT_OK(cuMemMap(range + 2 * unit, unit, 0, memory, 0));
    allow(range, unit);
    allow(range + 2 * unit, unit);
    ASSERT_OK(cuMemsetD32_v2(range, 123, 16));
    ASSERT_OK(cuCtxSynchronize());
    unsigned seen = 0;
    ASSERT_OK(cuMemcpyDtoH_v2(&seen, range + 2 * unit, 4));
    EXPECT_EQ(seen, 123u);
    ASSERT_OK(cuMemRetainAllocationHandle(&again, reinterpret_cast<void*>(range + 2 * unit)));
    EXPECT_EQ(again, memory);
    ASSERT_OK(cuMemRelease(again));
    ASSERT_OK(cuMemUnmap(range, unit));
    ASSERT_OK(cuMemcpyDtoH_v2(&seen, range + 2 * unit, 4));
    ASSERT_OK(cuMemUnmap(range + 2 * unit, unit));
    ASSERT_OK(cuMemRelease(memory));
    ASSERT_OK(cuMemAddressFree(range, 3 * unit));
}

TEST_F(VirtualMemory, SharedByDescriptor) {
    CUdeviceptr range = 0;
    CUmemGenericAllocationHandle memory = 0, imported = 0;
    int descriptor = -1;
    ASSERT_OK(cuMemCreate(&memory, unit, &properties(CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR), 0));
    ASSERT_OK(cuMemExportToShareableHandle(&descriptor, memory, CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR, 0));
    ASSERT_OK(cuMemImportFromShareableHandle(&imported, reinterpret_cast<void*>(intptr_t(descriptor)),
                                             CU_MEM_HANDLE_TYPE_POSIX_FILE_DESCRIPTOR));
    close(descriptor);
    ASSERT_OK(cuMemAddressReserve(&range, 2 * unit, 0, 0, 0));
    ASSERT_OK(cuMemMap(range, unit, 0, memory, 0));
    ASSERT_OK(cuMemMap(range + unit, unit, 0, imported, 0));
    allow(range, 2 * unit);
    ASSERT_OK(cuMemsetD32_v2(range, 77, 16));
    ASSERT_OK(cuCtxSynchronize());
    unsigned seen = 0;
    ASSERT_OK(cuMemcpyDtoH_v2(&seen, range + unit, 4));
    EXPECT_EQ(seen, 77u);
    ASSERT_OK(cuMemUnmap(range, 2 * unit));
    ASSERT_OK(cuMemRelease(memory));
    ASSERT_OK(cuMemRelease(imported));
    ASSERT_OK(cuMemAddressFree(range, 2 * unit));
}

TEST_F(VirtualMemory, BadRangesAreRefused) {
    CUdeviceptr range = 0, other = 0;
    CUmemGenericAllocationHandle memory = 0;
    EXPECT_STATUS(invalid_value, cuMemCreate(&memory, unit - 1, &properties(), 0));
    EXPECT_STATUS(invalid_value, cuMemAddressReserve(&range, unit - 1, 0, 0, 0));
    ASSERT_OK(cuMemAddressReserve(&range, 2 * unit, 0, 0, 0));
    ASSERT_OK(cuMemCreate(&memory, unit, &properties(), 0));
    EXPECT_STATUS(not_supported, cuMemMap(range, 2 * unit, 0, memory, 0)) << "more than there is";
    ASSERT_OK(cuMemMap(range, unit, 0, memory, 0));
    EXPECT_STATUS(invalid_value, cuMemMap(range, unit, 0, memory, 0)) << "mapped already";
    // Mapped, but nobody may use it; beside it there is nothing.
    unsigned word = 0;
    EXPECT_STATUS(invalid_value, cuMemcpyDtoH_v2(&word, range, 4));
    EXPECT_STATUS(invalid_value, cuMemcpyDtoH_v2(&word, range + unit, 4));
    const CUmemAccessDesc access{{CU_MEM_LOCATION_TYPE_DEVICE, 0}, CU_MEM_ACCESS_FLAGS_PROT_READWRITE};
    EXPECT_STATUS(invalid_value, cuMemSetAccess(range, 2 * unit, &access, 1)) << "half of it is not mapped";
    EXPECT_STATUS(invalid_value, cuMemAddressFree(range + unit, unit)) << "not what was reserved";
    ASSERT_OK(cuMemUnmap(range, unit));
    ASSERT_OK(cuMemUnmap(range, unit)) << "nothing is mapped there";
    ASSERT_OK(cuMemRelease(memory));
    ASSERT_OK(cuMemAddressFree(range, 2 * unit));
    other = range;
    EXPECT_STATUS(invalid_value, cuMemAddressFree(other, 2 * unit));
}
