#include "driver_fixture.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

using namespace shim;
using namespace std::chrono_literals;

namespace {

class Streams : public Driver {
  protected:
    CUstream create(unsigned flags = 0) {
        CUstream stream = nullptr;
        EXPECT_OK(cuStreamCreate(&stream, flags));
        return stream;
    }
};

/// Holds a stream until it is opened.
struct Gate {
    std::atomic<bool> open = false;
    static void wait(void* gate) {
        while (!static_cast<Gate*>(gate)->open) std::this_thread::sleep_for(1ms);
    }
};

CUstream special(uintptr_t handle) { return reinterpret_cast<CUstream>(handle); }

} // namespace

TEST_F(Streams, Properties) {
    CUstream stream = nullptr;
    ASSERT_OK(cuStreamCreateWithPriority(&stream, CU_STREAM_NON_BLOCKING, -100));
    unsigned flags = 9;
    int priority = 9;
    CUcontext owner = nullptr;
    CUdevice device = -1;
    unsigned long long id = 0, other = 0;
    EXPECT_OK(cuStreamGetFlags(stream, &flags));
    EXPECT_EQ(flags, unsigned(CU_STREAM_NON_BLOCKING));
    EXPECT_OK(cuStreamGetPriority(stream, &priority));
    EXPECT_EQ(priority, -5) << "brought into the range";
    EXPECT_OK(cuStreamGetCtx(stream, &owner));
    EXPECT_EQ(owner, context);
    EXPECT_OK(cuStreamGetDevice(stream, &device));
    EXPECT_EQ(device, 0);
    EXPECT_OK(cuStreamGetId(stream, &id));
    EXPECT_OK(cuStreamGetId(nullptr, &other));
    EXPECT_NE(id, other);
    CUstreamCaptureStatus status = 9;
    EXPECT_OK(cuStreamIsCapturing(stream, &status));
    EXPECT_EQ(status, CU_STREAM_CAPTURE_STATUS_NONE);
    ASSERT_OK(cuStreamDestroy_v2(stream));
    EXPECT_STATUS(invalid_handle, cuStreamDestroy_v2(stream));
    EXPECT_STATUS(invalid_handle, cuStreamQuery(stream));
    EXPECT_STATUS(invalid_handle, cuStreamDestroy_v2(special(1)));
    EXPECT_STATUS(invalid_value, cuStreamCreate(&stream, 2));
    EXPECT_STATUS(invalid_value, cuStreamCreate(nullptr, 0));
}

TEST_F(Streams, DefaultStreamByVariant) {
    unsigned long long legacy = 0, per_thread = 0, zero = 0, zero_per_thread = 0, elsewhere = 0;
    ASSERT_OK(cuStreamGetId(special(1), &legacy));
    ASSERT_OK(cuStreamGetId(special(2), &per_thread));
    ASSERT_OK(cuStreamGetId(nullptr, &zero));
    ASSERT_OK(cuStreamGetId_ptsz(nullptr, &zero_per_thread));
    EXPECT_EQ(zero, legacy);
    EXPECT_EQ(zero_per_thread, per_thread);
    EXPECT_NE(legacy, per_thread);
    std::thread([&] {
        ASSERT_OK(cuCtxSetCurrent(context));
        ASSERT_OK(cuStreamGetId(special(2), &elsewhere));
    }).join();
    EXPECT_NE(elsewhere, per_thread);
}

TEST_F(Streams, EventsOrderStreams) {
    const CUstream first = create(CU_STREAM_NON_BLOCKING), second = create(CU_STREAM_NON_BLOCKING);
    CUevent event = nullptr;
    ASSERT_OK(cuEventCreate(&event, CU_EVENT_DISABLE_TIMING));
    EXPECT_OK(cuEventQuery(event)) << "never recorded counts as done";
    Gate gate;
    std::atomic<int> order = 0;
    ASSERT_OK(cuLaunchHostFunc(first, Gate::wait, &gate));
    ASSERT_OK(cuEventRecord(event, first));
    ASSERT_OK(cuStreamWaitEvent(second, event, 0));
    ASSERT_OK(cuLaunchHostFunc(
        second, [](void* p) { *static_cast<std::atomic<int>*>(p) = 1; }, &order));
    EXPECT_STATUS(not_ready, cuEventQuery(event));
    EXPECT_STATUS(not_ready, cuStreamQuery(first));
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(order, 0) << "the second stream waits";
    gate.open = true;
    ASSERT_OK(cuStreamSynchronize(second));
    EXPECT_EQ(order, 1);
    EXPECT_OK(cuEventSynchronize(event));
    EXPECT_OK(cuStreamQuery(first));
    float ms = 0;
    EXPECT_STATUS(invalid_handle, cuEventElapsedTime(&ms, event, event)) << "no timing";
    EXPECT_OK(cuEventDestroy_v2(event));
    EXPECT_STATUS(invalid_handle, cuEventDestroy_v2(event));
    EXPECT_OK(cuStreamDestroy_v2(first));
    EXPECT_OK(cuStreamDestroy_v2(second));
}

TEST_F(Streams, LegacyStreamWaitsForBlockingOnes) {
    const CUstream blocking = create();
    Gate gate;
    std::atomic<bool> done = false;
    ASSERT_OK(cuLaunchHostFunc(blocking, Gate::wait, &gate));
    ASSERT_OK(cuLaunchHostFunc(
        nullptr, [](void* p) { *static_cast<std::atomic<bool>*>(p) = true; }, &done));
    std::this_thread::sleep_for(20ms);
    EXPECT_FALSE(done);
    gate.open = true;
    ASSERT_OK(cuCtxSynchronize());
    EXPECT_TRUE(done);
    EXPECT_OK(cuStreamDestroy_v2(blocking));
}

TEST_F(Streams, Timing) {
    CUevent start = nullptr, end = nullptr;
    ASSERT_OK(cuEventCreate(&start, 0));
    ASSERT_OK(cuEventCreate(&end, 0));
    float ms = -1;
    EXPECT_STATUS(invalid_handle, cuEventElapsedTime(&ms, start, end)) << "not recorded";
    ASSERT_OK(cuEventRecord(start, nullptr));
    ASSERT_OK(cuLaunchHostFunc(
        nullptr, [](void*) { std::this_thread::sleep_for(10ms); }, nullptr));
    ASSERT_OK(cuEventRecord(end, nullptr));
    ASSERT_OK(cuEventSynchronize(end));
    ASSERT_OK(cuEventElapsedTime_v2(&ms, start, end));
    EXPECT_GE(ms, 9.0f);
    EXPECT_LT(ms, 5000.0f);
    EXPECT_STATUS(invalid_value, cuEventElapsedTime(nullptr, start, end));
    EXPECT_OK(cuEventDestroy_v2(start));
    EXPECT_OK(cuEventDestroy_v2(end));
}

TEST_F(Streams, CallbackGetsItsStream) {
    static CUstream seen;
    seen = nullptr;
    const CUstream stream = create();
    ASSERT_OK(cuStreamAddCallback(
        stream, [](CUstream s, CUresult status, void*) { seen = status ? nullptr : s; }, nullptr, 0));
    ASSERT_OK(cuStreamSynchronize(stream));
    EXPECT_EQ(seen, stream);
    EXPECT_STATUS(invalid_value, cuStreamAddCallback(stream, nullptr, nullptr, 0));
    EXPECT_STATUS(invalid_value, cuLaunchHostFunc(stream, nullptr, nullptr));
    EXPECT_OK(cuStreamDestroy_v2(stream));
}

TEST_F(Streams, WaitAndWriteValues) {
    void* words = nullptr;
    ASSERT_OK(cuMemHostAlloc(&words, 16, 0));
    auto* word = static_cast<volatile uint32_t*>(words);
    word[0] = 0;
    word[1] = 0;
    const CUdeviceptr address = CUdeviceptr(words);
    const CUstream waiting = create(CU_STREAM_NON_BLOCKING), writing = create(CU_STREAM_NON_BLOCKING);
    ASSERT_OK(cuStreamWaitValue32_v2(waiting, address, 5, CU_STREAM_WAIT_VALUE_GEQ));
    ASSERT_OK(cuStreamWriteValue32_v2(waiting, address + 4, 7, 0));
    std::this_thread::sleep_for(10ms);
    EXPECT_EQ(word[1], 0u);
    ASSERT_OK(cuStreamWriteValue32_v2(writing, address, 6, 0));
    ASSERT_OK(cuStreamSynchronize(waiting));
    EXPECT_EQ(word[1], 7u);
    EXPECT_STATUS(invalid_value, cuStreamWaitValue32_v2(waiting, address + 1, 5, 0));
    EXPECT_STATUS(invalid_value, cuStreamWaitValue32_v2(waiting, address, 5, 4));
    EXPECT_OK(cuStreamDestroy_v2(waiting));
    EXPECT_OK(cuStreamDestroy_v2(writing));
    EXPECT_OK(cuMemFreeHost(words));
}

TEST_F(Streams, CaptureModeOfAThread) {
    CUstreamCaptureMode mode = CU_STREAM_CAPTURE_MODE_RELAXED;
    ASSERT_OK(cuThreadExchangeStreamCaptureMode(&mode));
    EXPECT_EQ(mode, CU_STREAM_CAPTURE_MODE_GLOBAL);
    ASSERT_OK(cuThreadExchangeStreamCaptureMode(&mode));
    EXPECT_EQ(mode, CU_STREAM_CAPTURE_MODE_RELAXED);
    mode = 3;
    EXPECT_STATUS(invalid_value, cuThreadExchangeStreamCaptureMode(&mode));
}

// Elsewhere an event recorded in a capture stands for a place in it, and nothing can be asked of it.
TEST_F(Streams, ExternalEventsOfACaptureAreNodes) {
    CUstream stream = create(CU_STREAM_NON_BLOCKING), other = create(CU_STREAM_NON_BLOCKING);
    CUevent before = nullptr, after = nullptr;
    ASSERT_OK(cuEventCreate(&before, 0));
    ASSERT_OK(cuEventCreate(&after, 0));
    CUdeviceptr memory = 0;
    ASSERT_OK(cuMemAlloc_v2(&memory, 4096));
    EXPECT_STATUS(illegal_state, cuEventRecordWithFlags(before, stream, CU_EVENT_RECORD_EXTERNAL));
    EXPECT_STATUS(illegal_state, cuStreamWaitEvent(stream, before, CU_EVENT_WAIT_EXTERNAL));
    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
    ASSERT_OK(cuEventRecordWithFlags(before, stream, CU_EVENT_RECORD_EXTERNAL));
    ASSERT_OK(cuMemsetD8Async(memory, 7, 4096, stream));
    ASSERT_OK(cuEventRecordWithFlags(after, stream, CU_EVENT_RECORD_EXTERNAL));
    ASSERT_OK(cuStreamWaitEvent(stream, before, CU_EVENT_WAIT_EXTERNAL));
    CUgraph graph = nullptr;
    ASSERT_OK(cuStreamEndCapture(stream, &graph));
    size_t count = 4;
    CUgraphNode nodes[4] = {};
    ASSERT_OK(cuGraphGetNodes(graph, nodes, &count));
    ASSERT_EQ(count, 4u);
    std::vector<int> types;
    for (CUgraphNode node : nodes) {
        CUgraphNodeType type{};
        EXPECT_OK(cuGraphNodeGetType(node, &type));
        types.push_back(int(type));
    }
    EXPECT_EQ(types, (std::vector<int>{7, 2, 7, 6})); // CUgraphNodeType: event record, memset, event wait
    CUgraphExec exec = nullptr;
    ASSERT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    for (int i = 0; i < 2; i++) {
        ASSERT_OK(cuGraphLaunch(exec, stream));
        ASSERT_OK(cuEventSynchronize(after));
        float milliseconds = -1;
        EXPECT_OK(cuEventElapsedTime_v2(&milliseconds, before, after));
        EXPECT_GE(milliseconds, 0);
    }
    EXPECT_OK(cuStreamWaitEvent(other, after, 0));
    EXPECT_OK(cuStreamSynchronize(other));
    EXPECT_OK(cuStreamSynchronize(stream));
    EXPECT_OK(cuGraphExecDestroy(exec));
    EXPECT_OK(cuGraphDestroy(graph));
    EXPECT_OK(cuMemFree_v2(memory));
    EXPECT_OK(cuEventDestroy_v2(before));
    EXPECT_OK(cuEventDestroy_v2(after));
    EXPECT_OK(cuStreamDestroy_v2(stream));
    EXPECT_OK(cuStreamDestroy_v2(other));
}

TEST_F(Streams, FreeingNothingIsUnsafeInACapture) {
    CUstream stream = create(CU_STREAM_NON_BLOCKING);
    CUgraph graph = nullptr;
    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_RELAXED));
    EXPECT_OK(cuMemFree_v2(0));
    EXPECT_OK(cuMemFreeHost(nullptr));
    ASSERT_OK(cuStreamEndCapture(stream, &graph));
    EXPECT_OK(cuGraphDestroy(graph));
    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
    EXPECT_STATUS(stream_capture_unsupported, cuMemFree_v2(0));
    EXPECT_STATUS(stream_capture_invalidated, cuStreamEndCapture(stream, &graph));
    EXPECT_OK(cuMemFree_v2(0));
    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
    EXPECT_STATUS(stream_capture_unsupported, cuMemFreeHost(nullptr));
    EXPECT_STATUS(stream_capture_invalidated, cuStreamEndCapture(stream, &graph));
    EXPECT_OK(cuStreamDestroy_v2(stream));
}
