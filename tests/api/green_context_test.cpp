#include "driver_fixture.h"
#include "kernels.h"

#include <atomic>
#include <cstring>
#include <thread>
#include <vector>

// Green contexts, on devices of two multiprocessors (CUTTLE_NUM_THREADS). What is refused, and the relations of handles
// to each other, are an H100's.
using namespace shim;

namespace {

class GreenContexts : public Driver {
  protected:
    CUdevResource of_device() {
        CUdevResource all{};
        EXPECT_OK(cuDeviceGetDevResource(0, &all, CU_DEV_RESOURCE_TYPE_SM));
        return all;
    }
    CUgreenCtx make(unsigned multiprocessors) {
        CUdevResource all = of_device(), part{};
        unsigned groups = 1;
        EXPECT_OK(cuDevSmResourceSplitByCount(&part, &groups, &all, nullptr, 0, multiprocessors));
        CUdevResourceDesc descriptor = nullptr;
        EXPECT_OK(cuDevResourceGenerateDesc(&descriptor, &part, 1));
        CUgreenCtx green = nullptr;
        EXPECT_OK(cuGreenCtxCreate(&green, descriptor, 0, CU_GREEN_CTX_DEFAULT_STREAM));
        return green;
    }
    CUcontext as_context(CUgreenCtx green) {
        CUcontext converted = nullptr;
        EXPECT_OK(cuCtxFromGreenCtx(&converted, green));
        return converted;
    }
};

TEST_F(GreenContexts, ResourcesAreSplit) {
    CUdevResource all = of_device(), parts[4] = {}, rest{};
    int count = 0;
    ASSERT_OK(cuDeviceGetAttribute(&count, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 0));
    ASSERT_EQ(count, 2);
    EXPECT_EQ(all.sm.smCount, 2u);
    EXPECT_EQ(all.sm.minSmPartitionSize, 1u);
    unsigned groups = 0;
    EXPECT_OK(cuDevSmResourceSplitByCount(nullptr, &groups, &all, nullptr, 0, 0));
    EXPECT_EQ(groups, 2u);
    groups = 4;
    EXPECT_OK(cuDevSmResourceSplitByCount(parts, &groups, &all, &rest, 0, 1));
    EXPECT_EQ(groups, 2u);
    EXPECT_EQ(parts[1].type, CU_DEV_RESOURCE_TYPE_SM);
    EXPECT_EQ(parts[1].sm.smCount, 1u);
    EXPECT_EQ(rest.type, CU_DEV_RESOURCE_TYPE_INVALID);
    groups = 1;
    EXPECT_OK(cuDevSmResourceSplitByCount(parts, &groups, &all, &rest, 0, 1));
    EXPECT_EQ(rest.sm.smCount, 1u);
    // Neither parts nor the remainder are split again, nor what the application has changed.
    EXPECT_STATUS(invalid_resource_configuration,
                  cuDevSmResourceSplitByCount(parts + 1, &groups, &parts[0], nullptr, 0, 1));
    EXPECT_STATUS(invalid_resource_configuration,
                  cuDevSmResourceSplitByCount(parts + 1, &groups, &rest, nullptr, 0, 1));
    EXPECT_STATUS(invalid_resource_configuration, cuDevSmResourceSplitByCount(parts, &groups, &all, nullptr, 0, 3));
    EXPECT_STATUS(invalid_value, cuDevSmResourceSplitByCount(parts, &groups, &all, nullptr, 3, 1));
    CUdevResource changed = all;
    changed.sm.smCount = 1;
    EXPECT_STATUS(invalid_resource_configuration, cuDevSmResourceSplitByCount(parts, &groups, &changed, nullptr, 0, 1));
    changed.type = CU_DEV_RESOURCE_TYPE_INVALID;
    EXPECT_STATUS(invalid_resource_type, cuDevSmResourceSplitByCount(parts, &groups, &changed, nullptr, 0, 1));

    groups = 2;
    ASSERT_OK(cuDevSmResourceSplitByCount(parts, &groups, &all, nullptr, 0, 1));
    CUdevResourceDesc descriptor = nullptr;
    CUgreenCtx green = nullptr;
    ASSERT_OK(cuDevResourceGenerateDesc(&descriptor, parts, 2));
    EXPECT_STATUS(invalid_value, cuGreenCtxCreate(&green, descriptor, 0, 0));
    EXPECT_STATUS(invalid_value, cuGreenCtxCreate(&green, descriptor, 1, CU_GREEN_CTX_DEFAULT_STREAM));
    ASSERT_OK(cuGreenCtxCreate(&green, descriptor, 0, CU_GREEN_CTX_DEFAULT_STREAM));
    CUdevResource both{};
    EXPECT_OK(cuGreenCtxGetDevResource(green, &both, CU_DEV_RESOURCE_TYPE_SM));
    EXPECT_EQ(both.sm.smCount, 2u);
    EXPECT_OK(cuDevSmResourceSplitByCount(parts, &groups, &both, nullptr, 0, 1)); // a green context's can be split
    EXPECT_OK(cuCtxGetDevResource(context, &both, CU_DEV_RESOURCE_TYPE_SM));
    EXPECT_EQ(both.sm.smCount, 2u);
    EXPECT_OK(cuGreenCtxDestroy(green));
    CUdevResource other_device{};
    ASSERT_OK(cuDeviceGetDevResource(1, &other_device, CU_DEV_RESOURCE_TYPE_SM));
    CUdevResource two[] = {all, other_device};
    EXPECT_STATUS(invalid_resource_configuration, cuDevResourceGenerateDesc(&descriptor, two, 2));
}

TEST_F(GreenContexts, AreContextsToOtherFunctions) {
    const CUgreenCtx green = make(1);
    const CUcontext converted = as_context(green);
    unsigned long long primary_id = 0, id = 0, green_id = 0;
    EXPECT_OK(cuCtxGetId(context, &primary_id));
    EXPECT_OK(cuCtxGetId(converted, &id));
    EXPECT_OK(cuGreenCtxGetId(green, &green_id));
    EXPECT_EQ(id, green_id);
    EXPECT_NE(id, primary_id);
    EXPECT_STATUS(invalid_context, cuGreenCtxGetId(nullptr, &green_id));

    ASSERT_OK(cuCtxPushCurrent_v2(converted));
    CUcontext current = nullptr;
    EXPECT_OK(cuCtxGetCurrent(&current));
    EXPECT_EQ(current, converted);
    EXPECT_OK(cuGreenCtxGetId(nullptr, &green_id));
    EXPECT_EQ(id, green_id);
    CUdevResource resource{};
    EXPECT_OK(cuCtxGetDevResource(converted, &resource, CU_DEV_RESOURCE_TYPE_SM));
    EXPECT_EQ(resource.sm.smCount, 1u);
    CUexecAffinityParam affinity{};
    EXPECT_STATUS(invalid_context, cuCtxGetExecAffinity(&affinity, CU_EXEC_AFFINITY_TYPE_SM_COUNT));
    // Memory is the primary context's.
    CUdeviceptr memory = 0;
    CUcontext owner = nullptr;
    ASSERT_OK(cuMemAlloc_v2(&memory, 16));
    EXPECT_OK(cuPointerGetAttribute(&owner, CU_POINTER_ATTRIBUTE_CONTEXT, memory));
    EXPECT_EQ(owner, context);
    EXPECT_OK(cuMemFree_v2(memory));

    CUstream plain = nullptr, own = nullptr;
    ASSERT_OK(cuStreamCreate(&plain, 0));
    EXPECT_STATUS(invalid_value, cuGreenCtxStreamCreate(&own, green, 0, 0));
    ASSERT_OK(cuGreenCtxStreamCreate(&own, green, CU_STREAM_NON_BLOCKING, -100));
    int priority = 0;
    EXPECT_OK(cuStreamGetPriority(own, &priority));
    EXPECT_EQ(priority, -5);
    for (const CUstream stream : {plain, own, CUstream(nullptr), CUstream(1)}) {
        CUcontext as_primary = nullptr;
        CUgreenCtx found = nullptr, again = nullptr;
        EXPECT_OK(cuStreamGetCtx(stream, &current));
        EXPECT_EQ(current, converted);
        EXPECT_OK(cuStreamGetCtx_v2(stream, &as_primary, &found));
        EXPECT_EQ(as_primary, context);
        EXPECT_EQ(found, green);
        EXPECT_OK(cuStreamGetGreenCtx(stream, &again));
        EXPECT_EQ(again, green);
        EXPECT_OK(cuStreamGetDevResource(stream, &resource, CU_DEV_RESOURCE_TYPE_SM));
        EXPECT_EQ(resource.sm.smCount, 1u);
    }
    unsigned long long stream_id = 0;
    EXPECT_STATUS(invalid_handle, cuStreamGetId(CUstream(2), &stream_id)); // a thread has no stream there
    EXPECT_OK(cuCtxPopCurrent_v2(&current));
    EXPECT_EQ(current, converted);
    CUgreenCtx none = green;
    EXPECT_OK(cuStreamGetGreenCtx(nullptr, &none));
    EXPECT_EQ(none, nullptr);

    EXPECT_STATUS(invalid_context, cuCtxDestroy_v2(converted));
    EXPECT_STATUS(not_permitted, cuDevicePrimaryCtxReset_v2(0));
    // The green context keeps the primary one.
    EXPECT_OK(cuDevicePrimaryCtxRelease_v2(0));
    unsigned flags = 0;
    int active = 0;
    EXPECT_OK(cuDevicePrimaryCtxGetState(0, &flags, &active));
    EXPECT_EQ(active, 1);
    EXPECT_OK(cuDevicePrimaryCtxRetain(&current, 0));

    EXPECT_OK(cuStreamDestroy_v2(plain));
    ASSERT_OK(cuCtxSetCurrent(converted));
    EXPECT_OK(cuGreenCtxDestroy(green));
    EXPECT_STATUS(context_is_destroyed, cuGreenCtxDestroy(green));
    EXPECT_OK(cuCtxGetCurrent(&current));
    EXPECT_EQ(current, converted);
    EXPECT_STATUS(context_is_destroyed, cuCtxSynchronize());
    EXPECT_STATUS(context_is_destroyed, cuStreamQuery(own));
    EXPECT_STATUS(context_is_destroyed, cuStreamDestroy_v2(own));
    EXPECT_OK(cuCtxSetCurrent(context));
    EXPECT_OK(cuCtxSynchronize());
}

/// counters[0]: blocks at work; counters[1]: the most at once; counters[2]: all. A block works for some time; the last
/// word keeps that from being optimised away.
constexpr const char* crowd = R"(
.version 7.0
.target sm_70
.address_size 64
.visible .entry crowd(.param .u64 counters)
{
    .reg .pred %p;
    .reg .b32 %r<6>;
    .reg .b64 %rd<2>;
    ld.param.u64 %rd1, [counters];
    atom.global.add.u32 %r1, [%rd1], 1;
    add.u32 %r1, %r1, 1;
    atom.global.max.u32 %r2, [%rd1+4], %r1;
    mov.u32 %r3, 0;
    mov.u32 %r4, %r1;
loop:
    mad.lo.u32 %r4, %r4, 1664525, 1013904223;
    add.u32 %r3, %r3, 1;
    setp.lt.u32 %p, %r3, 20000;
    @%p bra loop;
    st.global.u32 [%rd1+12], %r4;
    atom.global.add.u32 %r5, [%rd1+8], 1;
    atom.global.add.u32 %r5, [%rd1], -1;
    ret;
}
)";

TEST_F(GreenContexts, KernelsKeepToTheirMultiprocessors) {
    CUmodule module = nullptr;
    CUfunction kernel = nullptr;
    ASSERT_OK(cuModuleLoadData(&module, crowd));
    ASSERT_OK(cuModuleGetFunction(&kernel, module, "crowd"));
    CUdeviceptr counters = 0;
    ASSERT_OK(cuMemAlloc_v2(&counters, 16));
    ASSERT_OK(cuMemsetD32_v2(counters, 0, 3));
    ASSERT_OK(cuCtxSynchronize()); // the streams below do not wait for the default one
    void* arguments[] = {&counters};
    const CUgreenCtx green = make(1);
    CUstream streams[2] = {};
    for (CUstream& stream : streams) ASSERT_OK(cuGreenCtxStreamCreate(&stream, green, CU_STREAM_NON_BLOCKING, 0));
    for (int i = 0; i < 8; i++)
        for (const CUstream stream : streams)
            ASSERT_OK(cuLaunchKernel(kernel, 32, 1, 1, 1, 1, 1, 0, stream, arguments, nullptr));
    for (const CUstream stream : streams) EXPECT_OK(cuStreamSynchronize(stream));
    unsigned seen[3] = {};
    ASSERT_OK(cuMemcpyDtoH_v2(seen, counters, 12));
    EXPECT_EQ(seen[0], 0u);
    EXPECT_EQ(seen[1], 1u); // of two threads
    EXPECT_EQ(seen[2], 512u);
    // What must be resident must fit on them.
    int fit = 0;
    ASSERT_OK(cuOccupancyMaxActiveBlocksPerMultiprocessor(&fit, kernel, 512, 0));
    const auto blocks = unsigned(fit);
    ASSERT_OK(cuMemsetD32_v2(counters, 0, 3));
    ASSERT_OK(cuCtxSynchronize()); // the streams below do not wait for the default one
    EXPECT_OK(cuLaunchCooperativeKernel(kernel, blocks, 1, 1, 512, 1, 1, 0, streams[0], arguments));
    EXPECT_STATUS(cooperative_launch_too_large,
                  cuLaunchCooperativeKernel(kernel, blocks + 1, 1, 1, 512, 1, 1, 0, streams[0], arguments));
    for (const CUstream stream : streams) EXPECT_OK(cuStreamDestroy_v2(stream));
    EXPECT_OK(cuGreenCtxDestroy(green));
    EXPECT_OK(cuMemFree_v2(counters));
    EXPECT_OK(cuModuleUnload(module));
}

void wait_until_set(void* flag) {
    while (!static_cast<std::atomic<bool>*>(flag)->load()) std::this_thread::yield();
}

TEST_F(GreenContexts, EventsAreOfAllStreams) {
    const CUgreenCtx green = make(1);
    CUstream one = nullptr, other = nullptr, outside = nullptr;
    ASSERT_OK(cuGreenCtxStreamCreate(&one, green, CU_STREAM_NON_BLOCKING, 0));
    ASSERT_OK(cuStreamCreate(&outside, CU_STREAM_NON_BLOCKING));
    CUevent of_green = nullptr, of_all = nullptr, later = nullptr;
    for (CUevent* event : {&of_green, &of_all, &later}) ASSERT_OK(cuEventCreate(event, 0));
    std::atomic<bool> first = false, second = false;
    ASSERT_OK(cuLaunchHostFunc(one, wait_until_set, &first));
    ASSERT_OK(cuGreenCtxRecordEvent(green, of_green));
    ASSERT_OK(cuLaunchHostFunc(outside, wait_until_set, &second));
    ASSERT_OK(cuCtxRecordEvent(context, of_all));
    EXPECT_STATUS(not_ready, cuEventQuery(of_green));
    // Streams made later wait, too; those of the primary context need not.
    ASSERT_OK(cuGreenCtxWaitEvent(green, of_green));
    ASSERT_OK(cuGreenCtxStreamCreate(&other, green, CU_STREAM_NON_BLOCKING, 0));
    ASSERT_OK(cuEventRecord(later, other));
    EXPECT_STATUS(not_ready, cuEventQuery(later));
    first = true;
    EXPECT_OK(cuEventSynchronize(of_green));
    EXPECT_OK(cuEventSynchronize(later));
    EXPECT_STATUS(not_ready, cuEventQuery(of_all));
    ASSERT_OK(cuCtxWaitEvent(context, of_all));
    ASSERT_OK(cuEventRecord(later, one));
    EXPECT_STATUS(not_ready, cuEventQuery(later));
    second = true;
    EXPECT_OK(cuEventSynchronize(of_all));
    EXPECT_OK(cuEventSynchronize(later));

    EXPECT_STATUS(invalid_handle, cuGreenCtxRecordEvent(green, nullptr));
    EXPECT_STATUS(invalid_context, cuGreenCtxRecordEvent(nullptr, of_green));
    CUcontext foreign = nullptr;
    ASSERT_OK(cuCtxCreate_v2(&foreign, 0, 0));
    EXPECT_STATUS(invalid_handle, cuCtxRecordEvent(foreign, of_all));
    EXPECT_OK(cuCtxWaitEvent(foreign, of_all));
    EXPECT_OK(cuCtxDestroy_v2(foreign));
    ASSERT_OK(cuStreamBeginCapture_v2(one, CU_STREAM_CAPTURE_MODE_RELAXED));
    EXPECT_STATUS(stream_capture_unsupported, cuGreenCtxRecordEvent(green, of_green));
    EXPECT_STATUS(stream_capture_unsupported, cuGreenCtxWaitEvent(green, of_green));
    CUgraph graph = nullptr;
    EXPECT_STATUS(stream_capture_invalidated, cuStreamEndCapture(one, &graph));
    for (const CUstream stream : {one, other, outside}) EXPECT_OK(cuStreamDestroy_v2(stream));
    for (const CUevent event : {of_green, of_all, later}) EXPECT_OK(cuEventDestroy_v2(event));
    EXPECT_OK(cuGreenCtxDestroy(green));
}

TEST_F(GreenContexts, HaveADefaultStreamOfTheirOwn) {
    const CUgreenCtx green = make(1);
    CUstream blocking = nullptr;
    CUevent event = nullptr;
    std::atomic<bool> go = false;
    ASSERT_OK(cuLaunchHostFunc(nullptr, wait_until_set, &go)); // the primary context's default stream
    ASSERT_OK(cuCtxSetCurrent(as_context(green)));
    ASSERT_OK(cuStreamCreate(&blocking, 0));
    ASSERT_OK(cuEventCreate(&event, 0));
    ASSERT_OK(cuEventRecord(event, blocking));
    EXPECT_OK(cuEventSynchronize(event));
    EXPECT_OK(cuCtxSynchronize()); // of the green context's streams only
    std::atomic<bool> own = false;
    ASSERT_OK(cuLaunchHostFunc(nullptr, wait_until_set, &own));
    ASSERT_OK(cuEventRecord(event, blocking));
    EXPECT_STATUS(not_ready, cuEventQuery(event)); // behind that default stream
    own = true;
    EXPECT_OK(cuEventSynchronize(event));
    go = true;
    EXPECT_OK(cuStreamDestroy_v2(blocking));
    ASSERT_OK(cuCtxSetCurrent(context));
    EXPECT_OK(cuCtxSynchronize());
    EXPECT_OK(cuEventDestroy_v2(event));
    EXPECT_OK(cuGreenCtxDestroy(green));
}

} // namespace
