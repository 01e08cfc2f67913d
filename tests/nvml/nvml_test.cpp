#include "nvml/inventory.h"
#include "nvml/types.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <set>
#include <stdexcept>
#include <string>

extern "C" int cuInit(unsigned flags);
extern "C" int cuDriverGetVersion(int* version);
extern "C" int cuDeviceGetCount(int* count);
extern "C" int cuDeviceGetName(char* name, int length, int device);
extern "C" int cuDeviceGetAttribute(int* value, int attribute, int device);
extern "C" int cuDeviceGetPCIBusId(char* id, int length, int device);
extern "C" int cuDeviceGetP2PAttribute(int* value, int attribute, int from, int to);
extern "C" int cuDevicePrimaryCtxGetState(int device, unsigned* flags, int* active);
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

// NVML's indices are the machine's.
TEST(NvmlStart, ShowsHiddenDevices) {
    setenv("CUDA_VISIBLE_DEVICES", "1", 1);
    unsigned count = 0;
    ASSERT_EQ(call("nvmlInit_v2"), nvml::success);
    EXPECT_EQ(call("nvmlDeviceGetCount_v2", &count), nvml::success);
    EXPECT_EQ(count, 2u);
    int visible = 0, active = 0;
    ASSERT_EQ(cuInit(0), 0);
    EXPECT_EQ(cuDeviceGetCount(&visible), 0);
    EXPECT_EQ(visible, 1);
    void* context = nullptr;
    ASSERT_EQ(cuDevicePrimaryCtxRetain(&context, 0), 0);
    for (unsigned i = 0; i < 2; ++i) {
        Device device = nullptr;
        nvml::Process process;
        count = 1;
        ASSERT_EQ(call("nvmlDeviceGetHandleByIndex_v2", i, &device), nvml::success);
        EXPECT_EQ(call("nvmlDeviceGetComputeRunningProcesses_v3", device, &count, &process), nvml::success);
        EXPECT_EQ(count, i) << "the visible device is NVML's second";
    }
    EXPECT_EQ(cuDevicePrimaryCtxRelease_v2(0), 0);
    EXPECT_EQ(cuDevicePrimaryCtxGetState(0, &count, &active), 0);
    EXPECT_EQ(call("nvmlShutdown"), nvml::success);
}

// PyTorch counts devices through NVML so that its workers may be forked afterwards.
TEST(NvmlStart, LeavesCudaToForkedChildren) {
    ASSERT_EQ(call("nvmlInit_v2"), nvml::success);
    Device device = nullptr;
    ASSERT_EQ(call("nvmlDeviceGetHandleByIndex_v2", 0u, &device), nvml::success);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        void* context = nullptr;
        nvml::Memory memory{};
        const bool works = cuInit(0) == 0 && cuDevicePrimaryCtxRetain(&context, 0) == 0 &&
                           call("nvmlDeviceGetMemoryInfo", device, &memory) == nvml::success && memory.total != 0;
        _exit(works ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(call("nvmlShutdown"), nvml::success);
}

TEST(NvmlStart, FailsWithoutTheProgram) {
    // Nothing of ours lies beside this copy, nor on PATH.
    const std::filesystem::path folder = std::filesystem::temp_directory_path() / fmt::format("nvml.{}", getpid());
    std::filesystem::create_directories(folder);
    std::filesystem::copy_file(NVML_LIBRARY, folder / "libnvidia-ml.so.1");
    setenv("PATH", "/nonexistent", 1);
    void* library = dlopen((folder / "libnvidia-ml.so.1").c_str(), RTLD_NOW | RTLD_LOCAL);
    ASSERT_NE(library, nullptr) << dlerror();
    const auto init = reinterpret_cast<int (*)()>(dlsym(library, "nvmlInit_v2"));
    EXPECT_EQ(init(), nvml::driver_not_loaded);
    dlclose(library);
    std::filesystem::remove_all(folder);
}

TEST(Inventory, IsParsed) {
    const std::string head = "driver=13000\n\n",
                      device = "name=A GPU = fast\nattribute 75=8\ntotal=10\nfree=4\nreaches=1\n";
    const auto none = nvml::parse_inventory(head);
    ASSERT_TRUE(none);
    EXPECT_EQ(none->devices.size(), 0u);
    const auto two = nvml::parse_inventory(head + device + "\n" + device + "uuid=000102030405060708090a0b0c0d0e0f\n\n");
    ASSERT_TRUE(two);
    ASSERT_EQ(two->devices.size(), 2u);
    const nvml::Record& record = two->devices[1];
    EXPECT_EQ(two->driver_version, 13000);
    EXPECT_EQ(record.name, "A GPU = fast");
    EXPECT_EQ(record.attribute(nvml::capability_major), 8u);
    EXPECT_EQ(record.attribute(nvml::capability_minor), std::nullopt);
    EXPECT_EQ(record.total_bytes, 10u);
    EXPECT_EQ(record.free_bytes, 4u);
    EXPECT_EQ(record.reaches, std::set<int>{1});
    EXPECT_EQ(record.uuid_text(), "GPU-00010203-0405-0607-0809-0a0b0c0d0e0f");
    EXPECT_EQ(record.pci_id(true), "");
    for (const char* bad :
         {"", "nothing", "driver=x\n", "driver=13000\n\nname\n\n", "driver=13000\n\nname=cut off\n",
          "driver=13000\n\ntotal=1x\n\n", "driver=13000\n\nuuid=12\n\n", "driver=13000\n\nother=1\n\n"})
        EXPECT_FALSE(nvml::parse_inventory(bad)) << bad;
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
    ASSERT_EQ(cuInit(0), 0);
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
    ASSERT_EQ(cuInit(0), 0);
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
    ASSERT_EQ(cuInit(0), 0);
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
    ASSERT_EQ(cuInit(0), 0);
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
