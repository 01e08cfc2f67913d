// Kernels from PTX on a Level Zero device, as an application sees it.
#include "../api/driver_fixture.h"
#include "kernels.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

using namespace shim;

namespace {

class LevelZeroKernels : public Driver {
  protected:
    void SetUp() override {
        Driver::SetUp();
        ASSERT_OK(cuModuleLoadData(&module, kernels::level_zero));
    }
    void TearDown() override {
        EXPECT_OK(cuModuleUnload(module));
        for (CUdeviceptr address : allocations) EXPECT_OK(cuMemFree_v2(address));
        Driver::TearDown();
    }

    CUfunction function(const char* name) {
        CUfunction result = nullptr;
        EXPECT_OK(cuModuleGetFunction(&result, module, name)) << name;
        return result;
    }
    template <class T> CUdeviceptr upload(const std::vector<T>& data) {
        CUdeviceptr address = 0;
        EXPECT_OK(cuMemAlloc_v2(&address, data.size() * sizeof(T)));
        EXPECT_OK(cuMemcpyHtoD_v2(address, data.data(), data.size() * sizeof(T)));
        allocations.push_back(address);
        return address;
    }
    template <class T> std::vector<T> download(CUdeviceptr address, size_t count) {
        std::vector<T> data(count);
        EXPECT_OK(cuMemcpyDtoH_v2(data.data(), address, count * sizeof(T)));
        return data;
    }

    CUmodule module = nullptr;
    std::vector<CUdeviceptr> allocations;
};

} // namespace

TEST_F(LevelZeroKernels, IsTheLevelZeroDevice) {
    char name[256] = {};
    ASSERT_OK(cuDeviceGetName(name, sizeof name, 0));
    EXPECT_STREQ(name, "Cuttle's Level Zero test device");
}

TEST_F(LevelZeroKernels, Saxpy) {
    constexpr uint32_t count = 10'000;
    std::vector<float> x(count), y(count);
    for (uint32_t i = 0; i < count; i++) x[i] = float(i) * 0.37f, y[i] = 1.0f / float(i + 1);
    CUdeviceptr dx = upload(x), dy = upload(y);
    float a = 1.7f;
    uint32_t n = count - 3; // the last threads have nothing to do
    void* arguments[] = {&a, &dx, &dy, &n};
    ASSERT_OK(cuLaunchKernel(function("saxpy"), (count + 127) / 128, 1, 1, 128, 1, 1, 0, nullptr, arguments, nullptr));
    const auto result = download<float>(dy, count);
    for (uint32_t i = 0; i < count; i++) ASSERT_EQ(result[i], i < n ? std::fma(a, x[i], y[i]) : y[i]) << i;
}

/// Sums of blocks by a tree in static and dynamic shared memory, added to a variable of the module.
TEST_F(LevelZeroKernels, ReductionInSharedMemory) {
    constexpr uint32_t block = 256, blocks = 37, count = block * blocks - 100;
    std::vector<float> in(count);
    for (uint32_t i = 0; i < count; i++) in[i] = float(i % 17) + 0.5f;
    CUdeviceptr din = upload(in), dout = upload(std::vector<float>(blocks, -1.0f));
    uint32_t n = count;
    void* arguments[] = {&din, &dout, &n};
    ASSERT_OK(cuLaunchKernel(function("block_sum"), blocks, 1, 1, block, 1, 1, block * 4, nullptr, arguments, nullptr));
    const auto result = download<float>(dout, blocks);
    for (uint32_t b = 0; b < blocks; b++) {
        double sum = 0; // exact, as is the kernel's: few bits
        for (uint32_t i = b * block; i < std::min(count, (b + 1) * block); i++) sum += double(in[i]);
        ASSERT_EQ(double(result[b]), sum) << b;
    }
}

TEST_F(LevelZeroKernels, DivisionAndRootAreExact) {
    std::vector<float> in;
    for (uint32_t i = 0; i < 4096; i++) in.push_back(std::bit_cast<float>(0x3f800000u + i * 4099u));
    CUdeviceptr din = upload(in), dout = upload(std::vector<float>(in.size() * 2));
    void* arguments[] = {&din, &dout};
    ASSERT_OK(cuLaunchKernel(function("divide"), 16, 1, 1, 256, 1, 1, 0, nullptr, arguments, nullptr));
    const auto result = download<float>(dout, in.size() * 2);
    for (size_t i = 0; i < in.size(); i++) {
        ASSERT_EQ(result[2 * i], 1.0f / in[i]) << i;
        ASSERT_EQ(result[2 * i + 1], std::sqrt(in[i])) << i;
    }
}

TEST_F(LevelZeroKernels, DirectedRoundingBesideAConstant) {
    std::vector<float> in{0.0f, -0.0f, 1.0f, 0x1p-149f, 0x1p-126f, 2.0f, -1.0f, NAN, INFINITY, 0x1.fffffep-1f};
    for (float whole = 1; whole < 252; whole++) // on both sides of where the result changes
        for (int step : {-1, 0, 1}) in.push_back(std::bit_cast<float>(std::bit_cast<int>(whole / 252) + step));
    for (uint32_t i = 0; in.size() < 16384; i++) in.push_back(std::bit_cast<float>(i * 65521u & 0x3fffffffu));
    CUdeviceptr din = upload(in), dout = upload(std::vector<float>(in.size() * 3));
    void* arguments[] = {&din, &dout};
    ASSERT_OK(cuLaunchKernel(function("whole_parts"), 64, 1, 1, 256, 1, 1, 0, nullptr, arguments, nullptr));
    const auto result = download<float>(dout, in.size() * 3);
    for (size_t i = 0; i < in.size(); i++) {
        const double saturated = in[i] > 0 ? std::min(double{in[i]}, 1.0) : 0;
        const double exact = saturated * 252; // of 32 bits
        const double below = 0x1.8p23 + 1 + std::floor(exact);
        ASSERT_EQ(double{result[3 * i]}, below) << in[i];
        ASSERT_EQ(double{result[3 * i + 1]}, below) << in[i];
        ASSERT_EQ(double{result[3 * i + 2]}, 0x1.8p23 + 1 + std::ceil(exact)) << in[i];
    }
}

/// Of all sizes, read whole, in parts, and at places that are computed.
TEST_F(LevelZeroKernels, Parameters) {
    CUdeviceptr out = upload(std::vector<uint64_t>(32 * 8));
    uint8_t byte = 0xfe;
    int16_t half = -1234;
    double number = 0.1;
    std::array<uint64_t, 32> table;
    for (uint64_t i = 0; i < table.size(); i++) table[i] = i * 0x123456789abcdefull;
    uint64_t pair = 0x8877665544332211;
    void* arguments[] = {&out, &byte, &half, &number, &table, &pair};
    ASSERT_OK(cuLaunchKernel(function("parameters"), 1, 1, 1, 32, 1, 1, 0, nullptr, arguments, nullptr));
    const auto result = download<uint64_t>(out, 32 * 8);
    for (size_t i = 0; i < 32; i++) {
        const uint64_t expected[8] = {0xfe, uint64_t(-1234), std::bit_cast<uint64_t>(0.1), table[i],
                                      0x88776655, pair, 0x44, table[1]};
        for (size_t k = 0; k < 8; k++) ASSERT_EQ(result[8 * i + k], expected[k]) << i << " " << k;
    }
}

TEST_F(LevelZeroKernels, VariablesAndAtomics) {
    CUdeviceptr counter = 0, factor = 0;
    size_t bytes = 0;
    ASSERT_OK(cuModuleGetGlobal_v2(&counter, &bytes, module, "counter"));
    EXPECT_EQ(bytes, 4u);
    ASSERT_OK(cuModuleGetGlobal_v2(&factor, &bytes, module, "factor"));
    EXPECT_EQ(download<uint32_t>(counter, 1)[0], 1000u) << "as initialised";
    const uint32_t three = 3;
    ASSERT_OK(cuMemcpyHtoD_v2(factor, &three, 4));
    CUdeviceptr out = upload(std::vector<uint32_t>(128));
    void* arguments[] = {&out};
    ASSERT_OK(cuLaunchKernel(function("count"), 2, 1, 1, 64, 1, 1, 0, nullptr, arguments, nullptr));
    const auto result = download<uint32_t>(out, 128);
    for (uint32_t i = 0; i < 128; i++) ASSERT_EQ(result[i], 3 * i) << i;
    EXPECT_EQ(download<uint32_t>(counter, 1)[0], 1128u);
}

TEST_F(LevelZeroKernels, StreamsAndEvents) {
    constexpr uint32_t count = 1 << 14;
    const std::vector<float> ones(count, 1.0f);
    CUdeviceptr dx = upload(ones), dy = upload(std::vector<float>(count));
    CUstream first = nullptr, second = nullptr;
    CUevent start = nullptr, middle = nullptr, end = nullptr;
    ASSERT_OK(cuStreamCreate(&first, CU_STREAM_NON_BLOCKING));
    ASSERT_OK(cuStreamCreate(&second, CU_STREAM_NON_BLOCKING));
    for (CUevent* event : {&start, &middle, &end}) ASSERT_OK(cuEventCreate(event, CU_EVENT_DEFAULT));
    float a = 1.0f;
    uint32_t n = count;
    void* arguments[] = {&a, &dx, &dy, &n};
    CUfunction saxpy = function("saxpy");
    ASSERT_OK(cuEventRecord(start, first));
    for (int i = 0; i < 20; i++)
        ASSERT_OK(cuLaunchKernel(saxpy, count / 256, 1, 1, 256, 1, 1, 0, first, arguments, nullptr));
    ASSERT_OK(cuEventRecord(middle, first));
    ASSERT_OK(cuStreamWaitEvent(second, middle, 0));
    a = 0.5f; // arguments are taken when the kernel is launched
    for (int i = 0; i < 20; i++)
        ASSERT_OK(cuLaunchKernel(saxpy, count / 256, 1, 1, 256, 1, 1, 0, second, arguments, nullptr));
    ASSERT_OK(cuEventRecord(end, second));
    ASSERT_OK(cuEventSynchronize(end));
    const auto result = download<float>(dy, count);
    for (uint32_t i = 0; i < count; i++) ASSERT_EQ(result[i], 30.0f) << i;
    float milliseconds = -1;
    ASSERT_OK(cuEventElapsedTime(&milliseconds, start, end));
    EXPECT_GT(milliseconds, 0.0f);
    for (CUevent event : {start, middle, end}) EXPECT_OK(cuEventDestroy_v2(event));
    EXPECT_OK(cuStreamDestroy_v2(first));
    EXPECT_OK(cuStreamDestroy_v2(second));
}

TEST_F(LevelZeroKernels, ManagedMemory) {
    CUdeviceptr x = 0, y = 0;
    ASSERT_OK(cuMemAllocManaged(&x, 4 * 64, CU_MEM_ATTACH_GLOBAL));
    ASSERT_OK(cuMemAllocManaged(&y, 4 * 64, CU_MEM_ATTACH_GLOBAL));
    auto *hx = reinterpret_cast<float*>(x), *hy = reinterpret_cast<float*>(y);
    for (int i = 0; i < 64; i++) hx[i] = float(i), hy[i] = 1.0f;
    float a = 2.0f;
    uint32_t n = 64;
    void* arguments[] = {&a, &x, &y, &n};
    ASSERT_OK(cuLaunchKernel(function("saxpy"), 1, 1, 1, 64, 1, 1, 0, nullptr, arguments, nullptr));
    ASSERT_OK(cuCtxSynchronize());
    for (int i = 0; i < 64; i++) ASSERT_EQ(hy[i], 2.0f * float(i) + 1.0f);
    EXPECT_OK(cuMemFree_v2(x));
    EXPECT_OK(cuMemFree_v2(y));
}

/// Each lane to a depth of its own.
TEST_F(LevelZeroKernels, Recursion) {
    CUdeviceptr out = upload(std::vector<uint32_t>(64));
    void* arguments[] = {&out};
    ASSERT_OK(cuLaunchKernel(function("recursion"), 1, 1, 1, 64, 1, 1, 0, nullptr, arguments, nullptr));
    ASSERT_OK(cuCtxSynchronize());
    const auto results = download<uint32_t>(out, 64);
    uint32_t expected = 0;
    for (uint32_t depth = 0; depth < 64; depth++) {
        if (depth > 0) expected = expected * 3 + depth - 1;
        EXPECT_EQ(results[depth], expected) << depth;
    }
}

/// Shuffles among lanes of which each has called another number of times: all meet, as on NVIDIA's processors.
TEST_F(LevelZeroKernels, LanesMeetInRecursion) {
    const char* engine = std::getenv("CUTTLE_ZE_TEST_ENGINE");
    if (engine && std::string(engine) == "pocl") GTEST_SKIP() << "PoCL does not keep warps together";
    CUdeviceptr out = upload(std::vector<uint32_t>(32));
    void* arguments[] = {&out};
    ASSERT_OK(cuLaunchKernel(function("meet_in_recursion"), 1, 1, 1, 32, 1, 1, 0, nullptr, arguments, nullptr));
    ASSERT_OK(cuCtxSynchronize());
    const auto results = download<uint32_t>(out, 32);
    for (uint32_t lane = 0; lane < 32; lane++) EXPECT_EQ(results[lane], 31 - lane) << lane;
}

/// The module loads, its other kernels run, and the context goes on.
TEST_F(LevelZeroKernels, ARefusedKernelCostsItselfOnly) {
    CUdeviceptr at = upload(std::vector<uint32_t>(8));
    void* arguments[] = {&at};
    CUmodule mixed = nullptr;
    CUfunction exchange = nullptr, add = nullptr;
    ASSERT_OK(cuModuleLoadData(&mixed, kernels::one_refused));
    CUlogIterator log = 0;
    EXPECT_OK(cuLogsCurrent(&log, 0));
    ASSERT_OK(cuModuleGetFunction(&exchange, mixed, "exchange"));
    EXPECT_STATUS(invalid_ptx, cuLaunchKernel(exchange, 1, 1, 1, 1, 1, 1, 0, nullptr, arguments, nullptr));
    std::string text(4096, '\0');
    size_t bytes = text.size();
    EXPECT_OK(cuLogsDumpToMemory(&log, text.data(), &bytes, 0));
    text.resize(bytes);
    EXPECT_EQ(std::ranges::count(text, '\n'), 1) << text;
    EXPECT_NE(text.find("exchange"), std::string::npos) << text;
    EXPECT_NE(text.find("no atomic operations on 128 bits"), std::string::npos) << text;
    ASSERT_OK(cuModuleGetFunction(&add, mixed, "add"));
    EXPECT_OK(cuLaunchKernel(add, 1, 1, 1, 64, 1, 1, 0, nullptr, arguments, nullptr));
    EXPECT_OK(cuCtxSynchronize());
    EXPECT_EQ(download<uint32_t>(at, 8), (std::vector<uint32_t>{64, 0, 0, 0, 0, 0, 0, 0}));
    EXPECT_OK(cuModuleUnload(mixed));
}

TEST_F(LevelZeroKernels, LimitsAreTheDevices) {
    float a = 0;
    CUdeviceptr x = 0, y = 0;
    uint32_t n = 0;
    void* arguments[] = {&a, &x, &y, &n};
    CUfunction saxpy = function("saxpy");
    EXPECT_STATUS(invalid_value, cuLaunchKernel(saxpy, 1, 1, 1, 1025, 1, 1, 0, nullptr, arguments, nullptr));
    EXPECT_STATUS(invalid_value, cuLaunchKernel(saxpy, 1, 1, 1, 32, 1, 1, 100 << 10, nullptr, arguments, nullptr));
    // All blocks must be on the device at once: the machine's has registers for 2048 threads. PoCL promises nothing.
    int cooperative = 0;
    ASSERT_OK(cuDeviceGetAttribute(&cooperative, CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH, 0));
    if (cooperative) {
        EXPECT_OK(cuLaunchCooperativeKernel(saxpy, 2, 1, 1, 1024, 1, 1, 0, nullptr, arguments));
        EXPECT_STATUS(cooperative_launch_too_large,
                      cuLaunchCooperativeKernel(saxpy, 3, 1, 1, 1024, 1, 1, 0, nullptr, arguments));
    } else {
        EXPECT_STATUS(not_supported, cuLaunchCooperativeKernel(saxpy, 1, 1, 1, 32, 1, 1, 0, nullptr, arguments));
    }
    CUdeviceptr too_much = 0;
    EXPECT_STATUS(out_of_memory, cuMemAlloc_v2(&too_much, size_t{2} << 30));
}
