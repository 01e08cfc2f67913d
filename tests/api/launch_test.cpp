#include "driver_fixture.h"
#include "kernels.h"

#include <algorithm>
#include <numeric>
#include <vector>

using namespace shim;

namespace {

/// The add kernel over 1000 words, with ways to start it.
class Launches : public Driver {
  protected:
    void SetUp() override {
        Driver::SetUp();
        ASSERT_OK(cuModuleLoadData(&module, kernels::add));
        ASSERT_OK(cuModuleGetFunction(&function, module, "add"));
        ASSERT_OK(cuMemAlloc_v2(&in, count * 4));
        ASSERT_OK(cuMemAlloc_v2(&out, count * 4));
        std::vector<uint32_t> words(count);
        std::iota(words.begin(), words.end(), 0u);
        ASSERT_OK(cuMemcpyHtoD_v2(in, words.data(), count * 4));
        ASSERT_OK(cuMemsetD32_v2(out, 0, count));
    }
    void TearDown() override {
        EXPECT_OK(cuMemFree_v2(in));
        EXPECT_OK(cuMemFree_v2(out));
        EXPECT_OK(cuModuleUnload(module));
        Driver::TearDown();
    }

    /// Whether out[i] == i + 100 + added everywhere.
    void expect_added(uint32_t added) {
        std::vector<uint32_t> words(count);
        ASSERT_OK(cuMemcpyDtoH_v2(words.data(), out, count * 4));
        for (uint32_t i = 0; i < count; ++i) ASSERT_EQ(words[i], i + 100 + added) << i;
    }

    CUmodule module = nullptr;
    CUfunction function = nullptr;
    CUdeviceptr in = 0, out = 0;
    uint32_t count = 1000, addend = 7;
    void* arguments[4] = {&out, &in, &count, &addend};
};

} // namespace

TEST_F(Launches, ArgumentsByPointer) {
    ASSERT_OK(cuLaunchKernel(function, 8, 1, 1, 128, 1, 1, 0, nullptr, arguments, nullptr));
    expect_added(7);
}

TEST_F(Launches, ArgumentsPacked) {
    struct {
        CUdeviceptr out, in;
        uint32_t count, addend;
    } packed{out, in, count, 9};
    size_t size = sizeof packed;
    void* extra[] = {reinterpret_cast<void*>(CU_LAUNCH_PARAM_BUFFER_POINTER), &packed,
                     reinterpret_cast<void*>(CU_LAUNCH_PARAM_BUFFER_SIZE), &size, nullptr};
    ASSERT_OK(cuLaunchKernel(function, 8, 1, 1, 128, 1, 1, 0, nullptr, nullptr, extra));
    expect_added(9);
    EXPECT_STATUS(invalid_value, cuLaunchKernel(function, 8, 1, 1, 128, 1, 1, 0, nullptr, arguments, extra));
    size = 8;
    EXPECT_STATUS(invalid_value, cuLaunchKernel(function, 8, 1, 1, 128, 1, 1, 0, nullptr, nullptr, extra));
    EXPECT_STATUS(invalid_value, cuLaunchKernel(function, 8, 1, 1, 128, 1, 1, 0, nullptr, nullptr, nullptr));
}

TEST_F(Launches, KernelInPlaceOfFunction) {
    CUlibrary library = nullptr;
    CUkernel kernel = nullptr;
    ASSERT_OK(cuLibraryLoadData(&library, kernels::add, nullptr, nullptr, 0, nullptr, nullptr, 0));
    ASSERT_OK(cuLibraryGetKernel(&kernel, library, "add"));
    ASSERT_OK(cuLaunchKernel(reinterpret_cast<CUfunction>(kernel), 8, 1, 1, 128, 1, 1, 0, nullptr, arguments, nullptr));
    expect_added(7);
    EXPECT_OK(cuLibraryUnload(library));
}

TEST_F(Launches, WithAttributes) {
    CUstream stream = nullptr;
    CUevent event = nullptr;
    ASSERT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    ASSERT_OK(cuEventCreate(&event, CU_EVENT_DISABLE_TIMING));
    CUlaunchAttribute attributes[3] = {};
    attributes[0].id = CU_LAUNCH_ATTRIBUTE_PRIORITY;
    attributes[0].value.priority = -1;
    attributes[1].id = CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_EVENT;
    attributes[1].value.programmaticEvent.event = event;
    attributes[2].id = CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION;
    attributes[2].value.clusterDim = {1, 1, 1};
    CUlaunchConfig config{8, 1, 1, 128, 1, 1, 0, stream, attributes, 3};
    ASSERT_OK(cuCtxSynchronize());
    ASSERT_OK(cuLaunchKernelEx(&config, function, arguments, nullptr));
    ASSERT_OK(cuEventSynchronize(event));
    expect_added(7);
    attributes[0].id = 999;
    EXPECT_STATUS(invalid_value, cuLaunchKernelEx(&config, function, arguments, nullptr));
    EXPECT_STATUS(invalid_value, cuLaunchKernelEx(nullptr, function, arguments, nullptr));
    EXPECT_OK(cuEventDestroy_v2(event));
    EXPECT_OK(cuStreamDestroy_v2(stream));
}

TEST_F(Launches, OldStyle) {
    ASSERT_OK(cuFuncSetBlockShape(function, 128, 1, 1));
    ASSERT_OK(cuParamSetSize(function, 24));
    ASSERT_OK(cuParamSetv(function, 0, &out, 8));
    ASSERT_OK(cuParamSetv(function, 8, &in, 8));
    ASSERT_OK(cuParamSeti(function, 16, count));
    ASSERT_OK(cuParamSeti(function, 20, 11));
    ASSERT_OK(cuLaunchGrid(function, 8, 1));
    expect_added(11);
    EXPECT_STATUS(invalid_value, cuFuncSetBlockShape(function, 0, 1, 1));
    EXPECT_STATUS(invalid_value, cuParamSeti(function, 4096, 0));
}

TEST_F(Launches, WrongShapesAndHandles) {
    const auto launch = [&](unsigned grid, unsigned block, unsigned shared) {
        return cuLaunchKernel(function, grid, 1, 1, block, 1, 1, shared, nullptr, arguments, nullptr);
    };
    EXPECT_STATUS(invalid_value, launch(0, 1, 0));
    EXPECT_STATUS(invalid_value, launch(1, 0, 0));
    EXPECT_STATUS(invalid_value, launch(1, 1025, 0));
    EXPECT_NE(launch(1, 1, 1 << 30), 0);
    const auto wrong = reinterpret_cast<CUfunction>(&count);
    EXPECT_STATUS(invalid_handle, cuLaunchKernel(wrong, 1, 1, 1, 1, 1, 1, 0, nullptr, arguments, nullptr));
    const auto stream = reinterpret_cast<CUstream>(&count);
    EXPECT_STATUS(invalid_handle, cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, stream, arguments, nullptr));
    ASSERT_OK(launch(8, 128, 0)) << "a refused launch leaves no error behind";
    expect_added(7);
}

TEST_F(Launches, Occupancy) {
    int blocks = 0, grid = 0, block = 0;
    ASSERT_OK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function, 256, 0));
    EXPECT_GT(blocks, 0);
    ASSERT_OK(cuOccupancyMaxPotentialBlockSize(&grid, &block, function, nullptr, 0, 0));
    EXPECT_GT(grid, 0);
    EXPECT_GT(block, 0);
    EXPECT_LE(block, 1024);
    ASSERT_OK(cuOccupancyMaxPotentialBlockSize(&grid, &block, function, nullptr, 0, 100));
    EXPECT_LE(block, 100);
    size_t bytes = 0;
    ASSERT_OK(cuOccupancyAvailableDynamicSMemPerBlock(&bytes, function, 1, 128));
    EXPECT_GE(bytes, 48u << 10);
    EXPECT_STATUS(invalid_value, cuOccupancyMaxActiveBlocksPerMultiprocessor(nullptr, function, 256, 0));
    EXPECT_STATUS(invalid_value, cuOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, function, 0, 0));
}

TEST_F(Launches, FunctionAttributes) {
    int value = 0;
    ASSERT_OK(cuFuncGetAttribute(&value, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, function));
    EXPECT_EQ(value, 1024);
    ASSERT_OK(cuFuncSetAttribute(function, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, 60'000));
    ASSERT_OK(cuFuncGetAttribute(&value, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES, function));
    EXPECT_EQ(value, 60'000);
    EXPECT_STATUS(invalid_value, cuFuncGetAttribute(&value, 1000, function));
    EXPECT_STATUS(invalid_value, cuFuncGetAttribute(nullptr, 0, function));
    EXPECT_OK(cuFuncSetCacheConfig(function, 1));
    EXPECT_STATUS(invalid_value, cuFuncSetCacheConfig(function, 9));
}

// CUDA 13.2: how the stream waits for the function is a hint.
TEST_F(Launches, HostFunctionsInBothWays) {
    int calls = 0;
    const auto count = [](void* number) { ++*static_cast<int*>(number); };
    EXPECT_OK(cuLaunchHostFunc_v2(nullptr, count, &calls, 0));
    EXPECT_OK(cuLaunchHostFunc_v2(nullptr, count, &calls, 1));
    EXPECT_STATUS(invalid_value, cuLaunchHostFunc_v2(nullptr, count, &calls, 2));
    EXPECT_STATUS(invalid_value, cuLaunchHostFunc_v2(nullptr, nullptr, &calls, 0));
    ASSERT_OK(cuCtxSynchronize());
    EXPECT_EQ(calls, 2);
}
