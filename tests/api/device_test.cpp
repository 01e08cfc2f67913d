#include "driver_fixture.h"

#include <numeric>
#include <string>
#include <vector>

using namespace shim;

namespace {

class Devices : public Driver {};

int attribute(int which, CUdevice device = 0) {
    int value = -1;
    EXPECT_OK(cuDeviceGetAttribute(&value, which, device)) << which;
    return value;
}

} // namespace

// Each one failing makes static cudart refuse to start.
TEST_F(Devices, AttributesThatCudartAsks) {
    constexpr int ranges[][2] = {{1, 12},    {14, 14},   {16, 16},   {18, 19},   {21, 35},   {37, 43},   {45, 68},
                                 {70, 86},   {88, 91},   {95, 95},   {97, 97},   {99, 101},  {106, 106}, {108, 109},
                                 {111, 121}, {125, 125}, {129, 131}, {133, 134}, {139, 140}, {143, 143}};
    int asked = 0;
    for (const auto& [first, last] : ranges) {
        for (int which = first; which <= last; ++which, ++asked) attribute(which);
    }
    EXPECT_EQ(asked, 111);
}

TEST_F(Devices, QueriesAgree) {
    int major = 0, minor = 0;
    ASSERT_OK(cuDeviceComputeCapability(&major, &minor, 0));
    EXPECT_EQ(major, attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR));
    EXPECT_EQ(minor, attribute(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR));
    CUdevprop properties;
    ASSERT_OK(cuDeviceGetProperties(&properties, 0));
    EXPECT_EQ(properties.maxThreadsPerBlock, attribute(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK));
    EXPECT_EQ(properties.SIMDWidth, 32);
    size_t bytes = 0;
    ASSERT_OK(cuDeviceTotalMem_v2(&bytes, 0));
    EXPECT_GT(bytes, 0u);
}

TEST_F(Devices, BusIdFindsTheDevice) {
    int count = 0;
    ASSERT_OK(cuDeviceGetCount(&count));
    for (int i = 0; i < count; ++i) {
        char id[32];
        ASSERT_OK(cuDeviceGetPCIBusId(id, sizeof id, i));
        EXPECT_EQ(std::string(id).size(), 12u) << id;
        CUdevice found = -1;
        ASSERT_OK(cuDeviceGetByPCIBusId(&found, id));
        EXPECT_EQ(found, i);
    }
    CUdevice found = -1;
    EXPECT_STATUS(invalid_value, cuDeviceGetByPCIBusId(&found, "nonsense"));
    EXPECT_STATUS(invalid_device, cuDeviceGetByPCIBusId(&found, "ffff:ff:1f.0"));
}

TEST_F(Devices, WrongArguments) {
    char name[4];
    int value = 0;
    CUdevice device = 0;
    ASSERT_OK(cuDeviceGetName(name, sizeof name, 0));
    EXPECT_EQ(std::string(name).size(), 3u) << "cut off and terminated";
    EXPECT_STATUS(invalid_value, cuDeviceGetName(nullptr, 4, 0));
    EXPECT_STATUS(invalid_value, cuDeviceGetName(name, 0, 0));
    EXPECT_STATUS(invalid_device, cuDeviceGet(&device, -1));
    EXPECT_STATUS(invalid_device, cuDeviceGet(&device, 1000));
    EXPECT_STATUS(invalid_value, cuDeviceGet(nullptr, 0));
    EXPECT_STATUS(invalid_value, cuDeviceGetAttribute(&value, 100000, 0));
    EXPECT_STATUS(invalid_value, cuDeviceGetAttribute(nullptr, 1, 0));
    EXPECT_STATUS(invalid_device, cuDeviceGetAttribute(&value, 1, 1000));
}

TEST_F(Devices, PeersOnTheHost) {
    int count = 0, can = -1;
    ASSERT_OK(cuDeviceGetCount(&count));
    ASSERT_OK(cuDeviceCanAccessPeer(&can, 0, 0));
    EXPECT_EQ(can, 0) << "no peer of its own";
    EXPECT_STATUS(peer_access_unsupported, cuCtxEnablePeerAccess(context, 0));
    if (count < 2) GTEST_SKIP() << "one device";
    CUcontext other = nullptr;
    ASSERT_OK(cuDevicePrimaryCtxRetain(&other, 1));
    ASSERT_OK(cuDeviceCanAccessPeer(&can, 0, 1));
    EXPECT_EQ(can, 1);
    EXPECT_STATUS(peer_access_not_enabled, cuCtxDisablePeerAccess(other));
    EXPECT_OK(cuCtxEnablePeerAccess(other, 0));
    EXPECT_STATUS(peer_access_already_enabled, cuCtxEnablePeerAccess(other, 0));
    EXPECT_OK(cuCtxDisablePeerAccess(other));
    EXPECT_OK(cuDevicePrimaryCtxRelease_v2(1));
}

TEST_F(Devices, AtomicOperationsWithTheHost) {
    std::vector<CUatomicOperation> all(13);
    std::iota(all.begin(), all.end(), 0);
    std::vector<unsigned> found(all.size(), 99);
    ASSERT_OK(cuDeviceGetHostAtomicCapabilities(found.data(), all.data(), unsigned(all.size()), 0));
    const bool native = attribute(CU_DEVICE_ATTRIBUTE_HOST_NATIVE_ATOMIC_SUPPORTED) != 0;
    EXPECT_EQ(found[0], native ? 31u : 0u); // additions: signed, unsigned, reductions, 32 and 64 bits
    EXPECT_EQ(found[9], native ? 26u : 0u); // compare and swap: no reduction
    EXPECT_EQ(found[12], 0u);
    all[0] = 13;
    EXPECT_STATUS(invalid_value, cuDeviceGetHostAtomicCapabilities(found.data(), all.data(), 1, 0));
    EXPECT_STATUS(invalid_device, cuDeviceGetHostAtomicCapabilities(found.data(), all.data() + 1, 1, 99));
}

TEST_F(Devices, NotificationsAreKeptUntilTakenBack) {
    const auto ignore = [](CUasyncNotificationInfo*, void*, CUasyncCallbackHandle) {};
    CUasyncCallbackHandle one = nullptr, two = nullptr;
    ASSERT_OK(cuDeviceRegisterAsyncNotification(0, ignore, nullptr, &one));
    ASSERT_OK(cuDeviceRegisterAsyncNotification(0, ignore, nullptr, &two));
    EXPECT_NE(one, two);
    EXPECT_OK(cuDeviceUnregisterAsyncNotification(0, one));
    EXPECT_STATUS(invalid_value, cuDeviceUnregisterAsyncNotification(0, one));
    EXPECT_OK(cuDeviceUnregisterAsyncNotification(0, two));
}
