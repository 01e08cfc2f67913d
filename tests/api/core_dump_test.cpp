#include "driver_fixture.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>

// Attributes of core dumps as an H100's driver takes them, and what is written when a kernel faults.
using namespace shim;

namespace {

constexpr const char* trapping = R"(
.version 7.0
.target sm_70
.address_size 64
.visible .entry trapping()
{
    trap;
}
)";

/// A context of its own, which may be lost, and a folder for what is written.
class CoreDumps : public Driver {
  protected:
    void SetUp() override {
        Driver::SetUp();
        ASSERT_OK(cuCtxCreate_v2(&doomed, 0, 0));
        char name[] = "/tmp/cuttle_core_dump_test_XXXXXX";
        ASSERT_NE(mkdtemp(name), nullptr);
        folder = name;
    }
    void TearDown() override {
        EXPECT_OK(cuCtxDestroy_v2(doomed));
        std::filesystem::remove_all(folder);
        EXPECT_OK(cuCtxSetCurrent(context));
        Driver::TearDown();
    }
    CUcontext doomed = nullptr;
    std::filesystem::path folder;
};

int set_flag(CUcoredumpSettings attribute, bool value) {
    size_t size = 1;
    return cuCoredumpSetAttribute(attribute, &value, &size);
}

bool flag(CUcoredumpSettings attribute) {
    bool value = false;
    size_t size = 1;
    EXPECT_OK(cuCoredumpGetAttribute(attribute, &value, &size));
    return value;
}

int set_file(std::string name) {
    size_t size = name.size() + 1;
    return cuCoredumpSetAttribute(CU_COREDUMP_FILE, name.data(), &size);
}

TEST_F(CoreDumps, Attributes) {
    EXPECT_FALSE(flag(CU_COREDUMP_ENABLE_ON_EXCEPTION));
    EXPECT_TRUE(flag(CU_COREDUMP_TRIGGER_HOST));
    EXPECT_FALSE(flag(CU_COREDUMP_LIGHTWEIGHT));
    EXPECT_OK(set_flag(CU_COREDUMP_LIGHTWEIGHT, true));
    unsigned flags = 0;
    size_t size = sizeof flags;
    EXPECT_OK(cuCoredumpGetAttribute(CU_COREDUMP_GENERATION_FLAGS, &flags, &size));
    EXPECT_EQ(flags, 0x2fu); // as on an H100
    flags = 16;
    EXPECT_OK(cuCoredumpSetAttribute(CU_COREDUMP_GENERATION_FLAGS, &flags, &size));
    EXPECT_FALSE(flag(CU_COREDUMP_TRIGGER_HOST));
    EXPECT_FALSE(flag(CU_COREDUMP_LIGHTWEIGHT));
    flags = 1 << 20;
    EXPECT_STATUS(invalid_value, cuCoredumpSetAttribute(CU_COREDUMP_GENERATION_FLAGS, &flags, &size));

    char buffer[2048];
    for (const size_t wrong : {0, 2, 4, 2048}) {
        size = wrong;
        EXPECT_STATUS(invalid_value, cuCoredumpGetAttribute(CU_COREDUMP_ENABLE_ON_EXCEPTION, buffer, &size));
    }
    for (const int number : {0, int(CU_COREDUMP_ENABLE_USER_TRIGGER), int(CU_COREDUMP_PIPE), 8})
        EXPECT_STATUS(invalid_value, cuCoredumpGetAttribute(number, nullptr, &size)); // none of contexts
    EXPECT_OK(cuCoredumpGetAttributeGlobal(CU_COREDUMP_PIPE, nullptr, &size));
    EXPECT_STATUS(invalid_value, cuCoredumpGetAttributeGlobal(CU_COREDUMP_PIPE, nullptr, nullptr));
    EXPECT_OK(cuCoredumpSetAttribute(CU_COREDUMP_FILE, nullptr, &size));
    EXPECT_STATUS(invalid_value, set_file(std::string(1024, 'x')));
    EXPECT_OK(set_file("name"));
    size = 3;
    std::memset(buffer, 'x', sizeof buffer);
    EXPECT_OK(cuCoredumpGetAttribute(CU_COREDUMP_FILE, buffer, &size));
    EXPECT_STREQ(buffer, "na");
    EXPECT_EQ(buffer[3], 'x');
}

TEST_F(CoreDumps, ContextsBeginWithTheProcesss) {
    bool value = true;
    size_t size = 1;
    ASSERT_OK(cuCoredumpSetAttributeGlobal(CU_COREDUMP_ENABLE_ON_EXCEPTION, &value, &size));
    EXPECT_FALSE(flag(CU_COREDUMP_ENABLE_ON_EXCEPTION));
    CUcontext later = nullptr;
    ASSERT_OK(cuCtxCreate_v2(&later, 0, 0));
    EXPECT_TRUE(flag(CU_COREDUMP_ENABLE_ON_EXCEPTION));
    EXPECT_OK(cuCtxDestroy_v2(later));
    value = false;
    ASSERT_OK(cuCoredumpSetAttributeGlobal(CU_COREDUMP_ENABLE_ON_EXCEPTION, &value, &size));
    ASSERT_OK(cuCtxCreate_v2(&later, CU_CTX_COREDUMP_ENABLE, 0));
    EXPECT_TRUE(flag(CU_COREDUMP_ENABLE_ON_EXCEPTION));
    EXPECT_OK(cuCtxDestroy_v2(later));
    value = true;
    EXPECT_STATUS(not_supported, cuCoredumpSetAttributeGlobal(CU_COREDUMP_ENABLE_USER_TRIGGER, &value, &size));
}

TEST_F(CoreDumps, AFaultIsWrittenDown) {
    ASSERT_OK(set_file((folder / "dump_%p_100%%").string()));
    ASSERT_OK(set_flag(CU_COREDUMP_ENABLE_ON_EXCEPTION, true));
    CUmodule module = nullptr;
    CUfunction kernel = nullptr;
    CUdeviceptr memory = 0;
    ASSERT_OK(cuMemAlloc_v2(&memory, 4711));
    ASSERT_OK(cuModuleLoadData(&module, trapping));
    ASSERT_OK(cuModuleGetFunction(&kernel, module, "trapping"));
    ASSERT_OK(cuLaunchKernel(kernel, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr));
    EXPECT_STATUS(launch_failed, cuCtxSynchronize());
    const auto path = folder / ("dump_" + std::to_string(getpid()) + "_100%");
    std::ifstream file(path);
    ASSERT_TRUE(file) << path;
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    for (const char* part :
         {"719", "kernel trapping, block [0,0,0], thread [0,0,0]", "kernel: trapping\n", "4711 bytes"})
        EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
}

TEST_F(CoreDumps, NothingIsWrittenUnlessEnabled) {
    ASSERT_OK(set_file((folder / "dump").string()));
    CUmodule module = nullptr;
    CUfunction kernel = nullptr;
    ASSERT_OK(cuModuleLoadData(&module, trapping));
    ASSERT_OK(cuModuleGetFunction(&kernel, module, "trapping"));
    ASSERT_OK(cuLaunchKernel(kernel, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr));
    EXPECT_STATUS(launch_failed, cuCtxSynchronize());
    EXPECT_TRUE(std::filesystem::is_empty(folder));
}

} // namespace
