#include "driver_fixture.h"

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace shim;

// Many threads that use one context at once, and processes that fork. Meant for ThreadSanitizer, too.
// CUTTLE_TEST_SECONDS says how long the threads work.
namespace {

constexpr const char* kernels = R"(
.version 7.0
.target sm_70
.address_size 64
.visible .entry count(.param .u64 out)
{
    .reg .b64 %rd1;
    ld.param.u64 %rd1, [out];
    red.global.add.u32 [%rd1], 1;
    ret;
}
)";

constexpr unsigned threads = 64, lanes = 32;

class Threads : public Driver {
  protected:
    void SetUp() override {
        Driver::SetUp();
        ASSERT_OK(cuModuleLoadData(&module, kernels));
        ASSERT_OK(cuModuleGetFunction(&function, module, "count"));
        ASSERT_OK(cuMemAlloc_v2(&total, 4));
        ASSERT_OK(cuMemsetD32_v2(total, 0, 1));
    }
    void TearDown() override {
        EXPECT_OK(cuMemFree_v2(total));
        EXPECT_OK(cuModuleUnload(module));
        Driver::TearDown();
    }
    CUresult launch(CUstream stream, CUdeviceptr counter, CUfunction which = nullptr) {
        void* arguments[] = {&counter};
        return cuLaunchKernel(which ? which : function, 1, 1, 1, lanes, 1, 1, 0, stream, arguments, nullptr);
    }
    uint32_t value(CUdeviceptr word) {
        uint32_t seen = 0;
        EXPECT_OK(cuMemcpyDtoH_v2(&seen, word, 4));
        return seen;
    }

    /// One stream's life: allocate, launch, record, wait elsewhere, and let go of things that are still in use.
    void round(unsigned number) {
        CUstream stream = nullptr, second = nullptr;
        CUevent first = nullptr, last = nullptr;
        CUdeviceptr own = 0, pooled = 0;
        uint32_t seen = 0;
        ASSERT_OK(cuStreamCreate(&stream, number % 2 ? CU_STREAM_NON_BLOCKING : 0));
        ASSERT_OK(cuStreamCreate(&second, CU_STREAM_NON_BLOCKING));
        ASSERT_OK(cuEventCreate(&first, 0));
        ASSERT_OK(cuEventCreate(&last, 0));
        ASSERT_OK(cuMemAlloc_v2(&own, 4096));
        ASSERT_OK(cuMemAllocAsync(&pooled, 256, stream));
        ASSERT_OK(cuMemsetD32Async(pooled, 0, 64, stream));
        ASSERT_OK(cuEventRecord(first, stream));
        ASSERT_OK(launch(stream, total));
        ASSERT_OK(launch(stream, pooled));
        ASSERT_OK(cuEventRecord(last, stream));
        ASSERT_OK(cuStreamWaitEvent(second, last, 0));
        ASSERT_OK(launch(second, pooled));
        ASSERT_OK(launch(second, total));
        ASSERT_OK(cuMemcpyDtoHAsync_v2(&seen, pooled, 4, second));
        ASSERT_OK(cuStreamSynchronize(second));
        EXPECT_EQ(seen, 2 * lanes);
        float milliseconds = -1;
        ASSERT_OK(cuEventElapsedTime(&milliseconds, first, last));
        EXPECT_GE(milliseconds, 0.0f);
        ASSERT_OK(cuMemFreeAsync(pooled, second));
        if (number % 8 == 0) load_and_capture(stream);
        ASSERT_OK(launch(stream, total));
        ASSERT_OK(cuEventRecord(first, stream));
        EXPECT_OK(cuEventDestroy_v2(first)); // and the stream, before its last launch has ended, perhaps
        EXPECT_OK(cuStreamDestroy_v2(stream));
        EXPECT_OK(cuStreamDestroy_v2(second));
        EXPECT_OK(cuEventDestroy_v2(last));
        EXPECT_OK(cuMemFree_v2(own));
        launches += 3;
    }

    void load_and_capture(CUstream stream) {
        CUmodule loaded = nullptr;
        CUfunction found = nullptr;
        CUgraph graph = nullptr;
        CUgraphExec exec = nullptr;
        ASSERT_OK(cuModuleLoadData(&loaded, kernels));
        ASSERT_OK(cuModuleGetFunction(&found, loaded, "count"));
        ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_RELAXED));
        ASSERT_OK(launch(stream, total, found));
        ASSERT_OK(cuStreamEndCapture(stream, &graph));
        ASSERT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
        ASSERT_OK(cuGraphLaunch(exec, stream));
        ASSERT_OK(cuGraphLaunch(exec, stream));
        ASSERT_OK(cuStreamSynchronize(stream));
        EXPECT_OK(cuGraphExecDestroy(exec));
        EXPECT_OK(cuGraphDestroy(graph));
        EXPECT_OK(cuModuleUnload(loaded));
        launches += 2;
    }

    CUmodule module = nullptr;
    CUfunction function = nullptr;
    CUdeviceptr total = 0;
    std::atomic<uint32_t> launches{0}; ///< that count in `total`
};

TEST_F(Threads, LaunchAllocateRecordDestroy) {
    const char* given = std::getenv("CUTTLE_TEST_SECONDS");
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(given ? std::atoi(given) : 3);
    std::vector<std::thread> all;
    for (unsigned i = 0; i < threads; i++)
        all.emplace_back([&, i] {
            ASSERT_OK(cuCtxSetCurrent(context));
            unsigned number = i;
            do round(number++);
            while (std::chrono::steady_clock::now() < end && !HasFailure());
        });
    for (std::thread& one : all) one.join();
    ASSERT_OK(cuCtxSynchronize());
    EXPECT_GE(launches, threads * 3);
    EXPECT_EQ(value(total), launches * lanes);
    RecordProperty("launches", std::to_string(launches));
}

// The parent goes on with its work; CUDA does not work in the child, which every call says.
TEST_F(Threads, ForkLeavesTheParentWorkingAndTellsTheChild) {
    CUstream stream = nullptr;
    ASSERT_OK(cuStreamCreate(&stream, 0));
    for (int i = 0; i < 20; i++) {
        ASSERT_OK(launch(stream, total));
        const pid_t child = fork();
        if (child == 0) {
            const int expected = int(rt::Status::not_initialized);
            CUdeviceptr memory = 0;
            CUcontext current = nullptr;
            int count = 0, wrong = 0;
            wrong |= (cuInit(0) != expected) << 0;
            wrong |= (cuDeviceGetCount(&count) != expected) << 1;
            wrong |= (cuMemAlloc_v2(&memory, 4) != expected) << 2;
            wrong |= (launch(stream, total) == 0) << 3;
            wrong |= (cuCtxSynchronize() != expected) << 4;
            wrong |= (cuCtxGetCurrent(&current) != expected) << 5;
            _exit(wrong);
        }
        ASSERT_GT(child, 0);
        ASSERT_OK(launch(stream, total));
        int status = 0;
        ASSERT_EQ(waitpid(child, &status, 0), child);
        ASSERT_TRUE(WIFEXITED(status)) << "the child died of signal " << WTERMSIG(status);
        EXPECT_EQ(WEXITSTATUS(status), 0) << "calls of the child, as bits, that answered otherwise";
    }
    ASSERT_OK(cuStreamSynchronize(stream));
    EXPECT_EQ(value(total), 40 * lanes);
    EXPECT_OK(cuStreamDestroy_v2(stream));
}

} // namespace
