#include "driver_fixture.h"

#include <atomic>
#include <vector>

using namespace shim;

namespace {

class GraphMemory : public Driver {
  protected:
    static constexpr size_t bytes = 4 << 20;

    void SetUp() override {
        Driver::SetUp();
        ASSERT_OK(cuGraphCreate(&graph, 0));
        ASSERT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
        ASSERT_OK(cuDeviceGraphMemTrim(0));
    }
    void TearDown() override {
        EXPECT_OK(cuStreamDestroy_v2(stream));
        EXPECT_OK(cuGraphDestroy(graph));
        EXPECT_OK(cuDeviceGraphMemTrim(0));
        Driver::TearDown();
    }

    CUgraphNode allocate(CUdeviceptr& address, std::vector<CUgraphNode> after = {}) {
        CUDA_MEM_ALLOC_NODE_PARAMS params{};
        params.poolProps.allocType = CU_MEM_ALLOCATION_TYPE_PINNED;
        params.poolProps.location = {CU_MEM_LOCATION_TYPE_DEVICE, 0};
        params.bytesize = bytes;
        CUgraphNode node = nullptr;
        EXPECT_OK(cuGraphAddMemAllocNode(&node, graph, after.data(), after.size(), &params));
        address = params.dptr;
        return node;
    }
    CUgraphNode release(CUdeviceptr address, std::vector<CUgraphNode> after) {
        CUgraphNode node = nullptr;
        EXPECT_OK(cuGraphAddMemFreeNode(&node, graph, after.data(), after.size(), address));
        return node;
    }
    CUgraphNode fill(CUdeviceptr address, unsigned value, CUgraphNode after) {
        const CUDA_MEMSET_NODE_PARAMS params{address, 0, value, 4, 1024, 1};
        CUgraphNode node = nullptr;
        EXPECT_OK(cuGraphAddMemsetNode(&node, graph, &after, 1, &params, context));
        return node;
    }
    CUgraphExec instantiate(unsigned long long flags = 0) {
        CUgraphExec exec = nullptr;
        EXPECT_OK(cuGraphInstantiateWithFlags(&exec, graph, flags));
        return exec;
    }
    static cuuint64_t used(CUgraphMem_attribute which = CU_GRAPH_MEM_ATTR_USED_MEM_CURRENT) {
        cuuint64_t value = ~cuuint64_t{0};
        EXPECT_OK(cuDeviceGetGraphMemAttribute(0, which, &value));
        return value;
    }

    CUgraph graph = nullptr;
    CUstream stream = nullptr;
};

} // namespace

TEST_F(GraphMemory, WhatIsFreedBeforeIsUsedAgain) {
    CUdeviceptr a = 0, b = 0, c = 0;
    const CUgraphNode first = allocate(a), free_a = release(a, {first}), second = allocate(b, {free_a});
    EXPECT_EQ(a, b);
    const CUgraphNode third = allocate(c, {free_a});
    EXPECT_NE(c, b) << "in use by a node that may run at the same time";
    CUgraphNodeType type = -1;
    ASSERT_OK(cuGraphNodeGetType(first, &type));
    EXPECT_EQ(type, CU_GRAPH_NODE_TYPE_MEM_ALLOC);
    ASSERT_OK(cuGraphNodeGetType(free_a, &type));
    EXPECT_EQ(type, CU_GRAPH_NODE_TYPE_MEM_FREE);
    CUDA_MEM_ALLOC_NODE_PARAMS params{};
    ASSERT_OK(cuGraphMemAllocNodeGetParams(second, &params));
    EXPECT_EQ(params.dptr, b);
    EXPECT_EQ(params.bytesize, bytes);
    CUdeviceptr freed = 0;
    ASSERT_OK(cuGraphMemFreeNodeGetParams(free_a, &freed));
    EXPECT_EQ(freed, a);
    CUgraphNodeParams any{};
    ASSERT_OK(cuGraphNodeGetParams(second, &any));
    EXPECT_EQ(any.type, CU_GRAPH_NODE_TYPE_MEM_ALLOC);
    EXPECT_EQ(any.alloc.dptr, b);
    EXPECT_EQ(any.alloc.bytesize, bytes);
    ASSERT_OK(cuGraphNodeGetParams(free_a, &any));
    EXPECT_EQ(any.type, CU_GRAPH_NODE_TYPE_MEM_FREE);
    EXPECT_EQ(any.free.dptr, a);
    release(b, {second});
    release(c, {third});
    EXPECT_EQ(used(), 0u);
    const CUgraphExec exec = instantiate();
    ASSERT_OK(cuGraphLaunch(exec, stream));
    ASSERT_OK(cuStreamSynchronize(stream));
    EXPECT_GE(used(), bytes);
    EXPECT_GE(used(CU_GRAPH_MEM_ATTR_USED_MEM_HIGH), bytes);
    ASSERT_OK(cuGraphExecDestroy(exec));
    ASSERT_OK(cuDeviceGraphMemTrim(0));
    EXPECT_EQ(used(), 0u);
}

TEST_F(GraphMemory, OutlivesItsGraphUntilItIsFreed) {
    CUdeviceptr a = 0;
    const CUgraphNode made = allocate(a);
    fill(a, 42, made);
    CUgraphExec exec = instantiate();
    ASSERT_OK(cuGraphLaunch(exec, stream));
    EXPECT_STATUS(invalid_value, cuGraphLaunch(exec, stream)) << "not freed since";
    ASSERT_OK(cuStreamSynchronize(stream));
    unsigned word = 0;
    ASSERT_OK(cuMemcpyDtoH_v2(&word, a + 4092, 4));
    EXPECT_EQ(word, 42u);
    ASSERT_OK(cuDeviceGraphMemTrim(0));
    EXPECT_GE(used(), bytes) << "still allocated";
    ASSERT_OK(cuMemFree_v2(a));
    ASSERT_OK(cuGraphLaunch(exec, stream));
    ASSERT_OK(cuMemFreeAsync(a, stream));
    ASSERT_OK(cuStreamSynchronize(stream));
    EXPECT_STATUS(invalid_value, cuMemFree_v2(a));
    ASSERT_OK(cuGraphExecDestroy(exec));
    exec = instantiate(CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH);
    ASSERT_OK(cuGraphLaunch(exec, stream));
    ASSERT_OK(cuGraphLaunch(exec, stream));
    ASSERT_OK(cuMemFreeAsync(a, stream));
    ASSERT_OK(cuStreamSynchronize(stream));
    ASSERT_OK(cuGraphExecDestroy(exec));
}

TEST_F(GraphMemory, CapturedAllocationsAreNodes) {
    CUdeviceptr a = 0;
    CUgraph captured = nullptr;
    std::vector<unsigned> host(1024);
    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_GLOBAL));
    ASSERT_OK(cuMemAllocAsync(&a, bytes, stream));
    ASSERT_OK(cuMemsetD32Async(a, 9, 1024, stream));
    ASSERT_OK(cuMemcpyDtoHAsync_v2(host.data(), a, 4096, stream));
    ASSERT_OK(cuMemFreeAsync(a, stream));
    ASSERT_OK(cuStreamEndCapture(stream, &captured));
    size_t count = 0;
    ASSERT_OK(cuGraphGetNodes(captured, nullptr, &count));
    EXPECT_EQ(count, 4u);
    CUgraphExec exec = nullptr;
    ASSERT_OK(cuGraphInstantiateWithFlags(&exec, captured, 0));
    for (int i = 0; i < 2; i++) {
        host.assign(1024, 0);
        ASSERT_OK(cuGraphLaunch(exec, stream));
        ASSERT_OK(cuStreamSynchronize(stream));
        EXPECT_EQ(host, std::vector<unsigned>(1024, 9));
    }
    ASSERT_OK(cuGraphExecDestroy(exec));
    ASSERT_OK(cuGraphDestroy(captured));
}

TEST_F(GraphMemory, BadFreesAreRefused) {
    CUdeviceptr a = 0;
    const CUgraphNode made = allocate(a), freed = release(a, {made});
    CUgraphNode node = nullptr;
    EXPECT_STATUS(invalid_value, cuGraphAddMemFreeNode(&node, graph, &freed, 1, a)) << "twice";
    EXPECT_STATUS(invalid_value, cuGraphAddMemFreeNode(&node, graph, &made, 1, 0x1000));
}

// Work that uses a graph's memory may begin after the graph, or what was left of it, is gone.
TEST_F(GraphMemory, StaysUntilTheLaunchHasEnded) {
    CUdeviceptr kept = 0, inner = 0;
    const CUgraphNode first = allocate(kept);
    const CUgraphNode second = allocate(inner, {first});
    release(inner, {fill(inner, 1, fill(kept, 2, second))});
    CUgraphExec exec = instantiate();
    void* words = nullptr;
    ASSERT_OK(cuMemAllocHost_v2(&words, 4096));
    std::atomic<bool> open = false;
    ASSERT_OK(cuLaunchHostFunc(
        stream, [](void* gate) { static_cast<std::atomic<bool>*>(gate)->wait(false); }, &open));
    ASSERT_OK(cuGraphLaunch(exec, stream));
    ASSERT_OK(cuGraphExecDestroy(exec));
    ASSERT_OK(cuGraphDestroy(graph));
    ASSERT_OK(cuMemcpyDtoHAsync_v2(words, kept, 4096, stream));
    ASSERT_OK(cuMemFreeAsync(kept, stream));
    ASSERT_OK(cuGraphCreate(&graph, 0));
    open = true;
    open.notify_all();
    ASSERT_OK(cuStreamSynchronize(stream));
    const auto* word = static_cast<const uint32_t*>(words);
    EXPECT_EQ(std::vector<uint32_t>(word, word + 1024), std::vector<uint32_t>(1024, 2));
    ASSERT_OK(cuMemFreeHost(words));
}
