#include "nvml/driver.h"
#include "nvml/types.h"

#include <dlfcn.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <set>
#include <stdexcept>
#include <string>

extern "C" int cuDevicePrimaryCtxRetain(void** context, int device);
extern "C" int cuDevicePrimaryCtxRelease_v2(int device);
extern "C" int cuCtxGetCurrent(void** context);
extern "C" int cuDeviceTotalMem_v2(size_t* bytes, int device);

namespace {

using nvml::Device;

template <class... Arguments> int call(const char* name, Arguments... arguments) {
    static void* library = dlopen(NVML_LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!library) throw std::runtime_error(dlerror());
    auto* function = reinterpret_cast<int (*)(Arguments...)>(dlsym(library, name));
    if (!function) throw std::runtime_error(std::string("no ") + name);
    return function(arguments...);
}

class Nvml : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(call("nvmlInit_v2"), nvml::success);
        for (unsigned i = 0; i < 2; ++i)
            ASSERT_EQ(call("nvmlDeviceGetHandleByIndex_v2", i, &devices[i]), nvml::success);
    }
    void TearDown() override { EXPECT_EQ(call("nvmlShutdown"), nvml::success); }
    Device devices[2] = {};
};

TEST(NvmlStart, Counts) {
    unsigned count = 0;
    EXPECT_EQ(call("nvmlDeviceGetCount_v2", &count), nvml::uninitialized);
    EXPECT_EQ(call("nvmlDeviceGetFanSpeed"), nvml::uninitialized);
    EXPECT_EQ(call("nvmlShutdown"), nvml::uninitialized);
    EXPECT_EQ(call("nvmlInitWithFlags", 4u), nvml::invalid_argument);
    EXPECT_EQ(call("nvmlInit"), nvml::success);
    EXPECT_EQ(call("nvmlInitWithFlags", 1u), nvml::success);
    EXPECT_EQ(call("nvmlShutdown"), nvml::success);
    EXPECT_EQ(call("nvmlDeviceGetCount_v2", &count), nvml::success);
    EXPECT_EQ(count, 2u);
    EXPECT_EQ(call("nvmlShutdown"), nvml::success);
    EXPECT_EQ(call("nvmlDeviceGetCount", &count), nvml::uninitialized);
}

// Run with CUDA_VISIBLE_DEVICES=1 by a test of its own.
TEST(NvmlStart, DISABLED_HiddenDevices) {
    EXPECT_EQ(call("nvmlInit_v2"), nvml::not_supported);
    EXPECT_EQ(call("nvmlShutdown"), nvml::uninitialized);
}

TEST_F(Nvml, System) {
    int version = 0, expected = 0;
    EXPECT_EQ(call("nvmlSystemGetCudaDriverVersion_v2", &version), nvml::success);
    EXPECT_EQ(cuDriverGetVersion(&expected), 0);
    EXPECT_EQ(version, expected);
    char text[80], longer[80];
    EXPECT_EQ(call("nvmlSystemGetDriverVersion", text, 80u), nvml::success);
    EXPECT_EQ(call("nvmlSystemGetNVMLVersion", longer, 80u), nvml::success);
    EXPECT_EQ(longer, std::to_string(expected / 1000) + "." + text);
    EXPECT_EQ(call("nvmlSystemGetDriverVersion", text, unsigned(std::strlen(text))), nvml::insufficient_size);
    EXPECT_EQ(call("nvmlSystemGetProcessName", unsigned(getpid()), text, 5u), nvml::success);
    EXPECT_EQ(std::strlen(text), 4u);
    EXPECT_EQ(call("nvmlSystemGetProcessName", 0u, text, 80u), nvml::not_found);
    unsigned units = 1;
    EXPECT_EQ(call("nvmlUnitGetCount", &units), nvml::success);
    EXPECT_EQ(units, 0u);
}

TEST_F(Nvml, FindsDevices) {
    std::set<std::string> uuids;
    for (unsigned i = 0; i < 2; ++i) {
        unsigned index = 7;
        char uuid[96];
        nvml::PciInfo pci;
        Device found = nullptr;
        EXPECT_EQ(call("nvmlDeviceGetIndex", devices[i], &index), nvml::success);
        EXPECT_EQ(index, i);
        ASSERT_EQ(call("nvmlDeviceGetUUID", devices[i], uuid, 96u), nvml::success);
        EXPECT_EQ(std::strlen(uuid), 40u);
        uuids.insert(uuid);
        EXPECT_EQ(call("nvmlDeviceGetHandleByUUID", static_cast<const char*>(uuid), &found), nvml::success);
        EXPECT_EQ(found, devices[i]);
        ASSERT_EQ(call("nvmlDeviceGetPciInfo_v3", devices[i], &pci), nvml::success);
        char expected[32];
        ASSERT_EQ(cuDeviceGetPCIBusId(expected, 32, int(i)), 0);
        EXPECT_STREQ(pci.legacy_bus_id, expected);
        // What lies behind the shorter structure stays as it is.
        struct {
            nvml::PciInfoV2 info;
            char behind[16];
        } second{{}, "untouched"};
        EXPECT_EQ(call("nvmlDeviceGetPciInfo_v2", devices[i], &second.info), nvml::success);
        EXPECT_STREQ(second.info.bus_id, expected);
        EXPECT_EQ(second.info.device, pci.device);
        EXPECT_STREQ(second.behind, "untouched");
        for (const char* id : {pci.bus_id, pci.legacy_bus_id}) {
            found = nullptr;
            EXPECT_EQ(call("nvmlDeviceGetHandleByPciBusId_v2", id, &found), nvml::success) << id;
            EXPECT_EQ(found, devices[i]);
        }
    }
    EXPECT_EQ(uuids.size(), 2u);
}

TEST_F(Nvml, RefusesWrongArguments) {
    Device found = nullptr;
    char text[4];
    EXPECT_EQ(call("nvmlDeviceGetHandleByIndex_v2", 2u, &found), nvml::invalid_argument);
    EXPECT_EQ(call("nvmlDeviceGetHandleByIndex_v2", 0u, static_cast<Device*>(nullptr)), nvml::invalid_argument);
    EXPECT_EQ(call("nvmlDeviceGetHandleByUUID", "GPU-0", &found), nvml::not_found);
    EXPECT_EQ(call("nvmlDeviceGetHandleByPciBusId_v2", "nonsense", &found), nvml::invalid_argument);
    EXPECT_EQ(call("nvmlDeviceGetHandleByPciBusId_v2", "0000:ff:1f.0", &found), nvml::not_found);
    EXPECT_EQ(call("nvmlDeviceGetHandleBySerial", "1", &found), nvml::not_found);
    EXPECT_EQ(found, nullptr);
    EXPECT_EQ(call("nvmlDeviceGetName", devices[0], text, 4u), nvml::insufficient_size);
    EXPECT_EQ(call("nvmlDeviceGetName", Device(nullptr), text, 4u), nvml::invalid_argument);
    EXPECT_EQ(call("nvmlDeviceGetCount_v2", static_cast<unsigned*>(nullptr)), nvml::invalid_argument);
    EXPECT_EQ(call("nvmlDeviceGetTemperature"), nvml::not_supported);
    EXPECT_EQ(call("nvmlDeviceGetNvLinkState"), nvml::not_supported);
}

TEST_F(Nvml, SaysWhatTheDriverSays) {
    char name[96], expected[96];
    EXPECT_EQ(call("nvmlDeviceGetName", devices[1], name, 96u), nvml::success);
    EXPECT_EQ(cuDeviceGetName(expected, 96, 1), 0);
    EXPECT_STREQ(name, expected);
    int major = 0, minor = 0, value = 0;
    EXPECT_EQ(call("nvmlDeviceGetCudaComputeCapability", devices[0], &major, &minor), nvml::success);
    EXPECT_EQ(cuDeviceGetAttribute(&value, nvml::capability_major, 0), 0);
    EXPECT_EQ(major, value);
    EXPECT_EQ(cuDeviceGetAttribute(&value, nvml::capability_minor, 0), 0);
    EXPECT_EQ(minor, value);
    unsigned number = 99;
    EXPECT_EQ(call("nvmlDeviceGetComputeMode", devices[0], &number), nvml::success);
    EXPECT_EQ(number, 0u);
    EXPECT_EQ(call("nvmlDeviceGetBrand", devices[0], &number), nvml::success);
    EXPECT_EQ(number, 0u);
    EXPECT_EQ(call("nvmlDeviceGetMaxClockInfo", devices[0], 4u, &number), nvml::invalid_argument);
    EXPECT_EQ(call("nvmlDeviceGetP2PStatus", devices[0], devices[1], 0u, &number), nvml::success);
    EXPECT_EQ(cuDeviceGetP2PAttribute(&value, 2, 0, 1), 0);
    EXPECT_EQ(number, value ? 0u : 5u);
    EXPECT_EQ(call("nvmlDeviceGetP2PStatus", devices[0], devices[0], 0u, &number), nvml::invalid_argument);
}

TEST_F(Nvml, MemoryWithoutContext) {
    nvml::Memory memory{};
    nvml::MemoryV2 second{};
    size_t total = 0;
    EXPECT_EQ(cuDeviceTotalMem_v2(&total, 0), 0);
    EXPECT_EQ(call("nvmlDeviceGetMemoryInfo", devices[0], &memory), nvml::success);
    EXPECT_EQ(memory.total, total);
    EXPECT_EQ(memory.free + memory.used, memory.total);
    EXPECT_EQ(call("nvmlDeviceGetMemoryInfo_v2", devices[0], &second), nvml::argument_version_mismatch);
    second.version = nvml::memory_v2;
    EXPECT_EQ(call("nvmlDeviceGetMemoryInfo_v2", devices[0], &second), nvml::success);
    EXPECT_EQ(second.total, total);
    unsigned flags = 0;
    int active = 1;
    void* context = &total;
    EXPECT_EQ(cuDevicePrimaryCtxGetState(0, &flags, &active), 0);
    EXPECT_EQ(active, 0);
    EXPECT_EQ(cuCtxGetCurrent(&context), 0);
    EXPECT_EQ(context, nullptr);
}

TEST_F(Nvml, OwnProcess) {
    unsigned count = 0;
    nvml::Process process{};
    const auto list = "nvmlDeviceGetComputeRunningProcesses_v3";
    EXPECT_EQ(call(list, devices[1], &count, &process), nvml::success);
    EXPECT_EQ(count, 0u);
    void* context = nullptr;
    ASSERT_EQ(cuDevicePrimaryCtxRetain(&context, 1), 0);
    EXPECT_EQ(call(list, devices[1], &count, static_cast<nvml::Process*>(nullptr)), nvml::insufficient_size);
    EXPECT_EQ(count, 1u);
    EXPECT_EQ(call(list, devices[1], &count, &process), nvml::success);
    EXPECT_EQ(process.pid, unsigned(getpid()));
    EXPECT_EQ(process.memory, nvml::not_available);
    EXPECT_EQ(call("nvmlDeviceGetGraphicsRunningProcesses_v3", devices[1], &count, &process), nvml::success);
    EXPECT_EQ(count, 0u);
    EXPECT_EQ(cuDevicePrimaryCtxRelease_v2(1), 0);
}

} // namespace

// Two CPU devices, whatever the machine has.
int main(int argc, char** argv) {
    setenv("CUTTLE_DEVICES", "cpu", 1);
    setenv("CUTTLE_CPU_DEVICES", "2", 1);
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
