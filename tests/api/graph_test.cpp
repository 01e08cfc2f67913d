#include "driver_fixture.h"
#include "kernels.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

using namespace shim;

namespace {

class Graphs : public Driver {
  protected:
    void SetUp() override {
        Driver::SetUp();
        ASSERT_OK(cuGraphCreate(&graph, 0));
        ASSERT_OK(cuMemAlloc_v2(&words, count * 4));
        ASSERT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
        ASSERT_OK(cuModuleLoadData(&module, kernels::add));
        ASSERT_OK(cuModuleGetFunction(&function, module, "add"));
    }
    void TearDown() override {
        EXPECT_OK(cuModuleUnload(module));
        EXPECT_OK(cuStreamDestroy_v2(stream));
        EXPECT_OK(cuMemFree_v2(words));
        EXPECT_OK(cuGraphDestroy(graph));
        Driver::TearDown();
    }

    CUgraphNode empty(std::vector<CUgraphNode> after = {}) {
        CUgraphNode node = nullptr;
        EXPECT_OK(cuGraphAddEmptyNode(&node, graph, after.data(), after.size()));
        return node;
    }
    CUDA_MEMSET_NODE_PARAMS fill(unsigned value) { return {words, 0, value, 4, count, 1}; }
    CUDA_KERNEL_NODE_PARAMS kernel() { return {function, 8, 1, 1, 128, 1, 1, 0, arguments, nullptr, nullptr, nullptr}; }
    uint32_t run(CUgraphExec exec) {
        EXPECT_OK(cuGraphLaunch(exec, stream));
        EXPECT_OK(cuStreamSynchronize(stream));
        std::vector<uint32_t> seen(count);
        EXPECT_OK(cuMemcpyDtoH_v2(seen.data(), words, count * 4));
        EXPECT_TRUE(std::ranges::all_of(seen, [&](uint32_t word) { return word == seen[0]; }));
        return seen[0];
    }

    CUgraph graph = nullptr;
    CUstream stream = nullptr;
    CUmodule module = nullptr;
    CUfunction function = nullptr;
    CUdeviceptr words = 0;
    uint32_t count = 1000, addend = 7;
    void* arguments[4] = {&words, &words, &count, &addend};
};

size_t count_of(CUresult (*list)(CUgraph, CUgraphNode*, size_t*), CUgraph graph) {
    size_t n = 0;
    EXPECT_OK(list(graph, nullptr, &n));
    return n;
}

} // namespace

TEST_F(Graphs, Structure) {
    const CUgraphNode a = empty(), b = empty({a}), c = empty({a, b});
    EXPECT_EQ(count_of(cuGraphGetNodes, graph), 3u);
    EXPECT_EQ(count_of(cuGraphGetRootNodes, graph), 1u);
    size_t n = 5;
    CUgraphNode list[5] = {a, a, a, a, a}, ends[5] = {};
    ASSERT_OK(cuGraphGetNodes(graph, list, &n));
    EXPECT_EQ(n, 3u);
    EXPECT_EQ(list[2], c);
    EXPECT_EQ(list[3], nullptr) << "room that is left is cleared";
    n = 5;
    CUgraphEdgeData data[5];
    ASSERT_OK(cuGraphGetEdges_v2(graph, list, ends, data, &n));
    EXPECT_EQ(n, 3u);
    n = 5;
    ASSERT_OK(cuGraphNodeGetDependencies(c, list, &n));
    EXPECT_EQ(n, 2u);
    ASSERT_OK(cuGraphNodeGetDependentNodes(a, nullptr, &n));
    EXPECT_EQ(n, 2u);
    ASSERT_OK(cuGraphRemoveDependencies(graph, &a, &c, 1));
    EXPECT_STATUS(invalid_value, cuGraphRemoveDependencies(graph, &a, &c, 1));
    ASSERT_OK(cuGraphAddDependencies_v2(graph, &a, &c, nullptr, 1));
    ASSERT_OK(cuGraphDestroyNode(b));
    EXPECT_EQ(count_of(cuGraphGetNodes, graph), 2u);
    EXPECT_STATUS(invalid_value, cuGraphDestroyNode(b));
    CUgraphNodeType type = -1;
    ASSERT_OK(cuGraphNodeGetType(c, &type));
    EXPECT_EQ(type, CU_GRAPH_NODE_TYPE_EMPTY);
    CUgraph clone = nullptr;
    CUgraphNode copy = nullptr;
    ASSERT_OK(cuGraphClone(&clone, graph));
    ASSERT_OK(cuGraphNodeFindInClone(&copy, c, clone));
    EXPECT_NE(copy, c);
    ASSERT_OK(cuGraphDestroy(clone));
    EXPECT_STATUS(invalid_value, cuGraphDestroy(clone));
}

TEST_F(Graphs, CyclesDoNotRun) {
    const CUgraphNode a = empty(), b = empty({a});
    ASSERT_OK(cuGraphAddDependencies(graph, &b, &a, 1));
    CUgraphExec exec = nullptr;
    EXPECT_STATUS(invalid_value, cuGraphInstantiateWithFlags(&exec, graph, 0));
    EXPECT_STATUS(invalid_value, cuGraphInstantiateWithFlags(&exec, graph, 1 << 20));
    EXPECT_STATUS(not_supported, cuGraphInstantiateWithFlags(&exec, graph, 4));
}

TEST_F(Graphs, FillThenKernel) {
    CUgraphNode first = nullptr, second = nullptr;
    const auto five = fill(5);
    const auto add = kernel();
    ASSERT_OK(cuGraphAddMemsetNode(&first, graph, nullptr, 0, &five, context));
    ASSERT_OK(cuGraphAddKernelNode_v2(&second, graph, &first, 1, &add));
    CUgraphExec exec = nullptr;
    ASSERT_OK(cuGraphInstantiate_v2(&exec, graph, nullptr, nullptr, 0));
    EXPECT_EQ(run(exec), 5u + 100 + 7);
    EXPECT_EQ(run(exec), 5u + 100 + 7) << "graphs run again";

    addend = 50; // a node keeps its own copy of the arguments ...
    EXPECT_EQ(run(exec), 5u + 100 + 7);
    ASSERT_OK(cuGraphExecKernelNodeSetParams_v2(exec, second, &add));
    EXPECT_EQ(run(exec), 5u + 100 + 50) << "... until it is given others";
    ASSERT_OK(cuGraphNodeSetEnabled(exec, second, 0));
    EXPECT_EQ(run(exec), 5u);
    const auto nine = fill(9);
    ASSERT_OK(cuGraphExecMemsetNodeSetParams(exec, first, &nine, context));
    EXPECT_EQ(run(exec), 9u);

    CUDA_KERNEL_NODE_PARAMS seen{};
    ASSERT_OK(cuGraphKernelNodeGetParams_v2(second, &seen));
    EXPECT_EQ(seen.func, function);
    EXPECT_EQ(seen.gridDimX, 8u);
    EXPECT_EQ(*static_cast<uint32_t*>(seen.kernelParams[3]), 7u);
    CUDA_MEMSET_NODE_PARAMS seen_fill{};
    ASSERT_OK(cuGraphMemsetNodeGetParams(first, &seen_fill));
    EXPECT_EQ(seen_fill.value, 5u);
    EXPECT_STATUS(invalid_value, cuGraphMemsetNodeGetParams(second, &seen_fill)) << "another type of node";
    ASSERT_OK(cuGraphExecDestroy(exec));
    EXPECT_STATUS(invalid_value, cuGraphExecDestroy(exec));
}

// Kernels that follow one another are given to the stream together; what is between them is not passed over.
TEST_F(Graphs, ChainsOfKernels) {
    CUgraphNode last = nullptr;
    const auto behind = [&](CUgraph to, auto add, const auto& params) {
        CUgraphNode node = nullptr;
        ASSERT_OK(add(&node, to, &last, last ? 1 : 0, &params));
        last = node;
    };
    const auto add_fill = [&](CUgraphNode* node, CUgraph to, const CUgraphNode* after, size_t n,
                              const CUDA_MEMSET_NODE_PARAMS* params) {
        return cuGraphAddMemsetNode(node, to, after, n, params, context);
    };
    CUgraph part = nullptr;
    ASSERT_OK(cuGraphCreate(&part, 0));
    const auto add = kernel();
    for (int i = 0; i < 10; i++) behind(part, cuGraphAddKernelNode_v2, add);
    last = nullptr;
    for (int i = 0; i < 300; i++) behind(graph, cuGraphAddKernelNode_v2, add); // lost with the fill behind them
    behind(graph, add_fill, fill(5));
    behind(graph, cuGraphAddKernelNode_v2, add);
    CUgraphNode child = nullptr;
    ASSERT_OK(cuGraphAddChildGraphNode(&child, graph, &last, 1, part));
    last = child;
    for (int i = 0; i < 600; i++) behind(graph, cuGraphAddKernelNode_v2, add);
    const CUgraphNode off = last;
    behind(graph, cuGraphAddKernelNode_v2, add);
    CUgraphExec exec = nullptr;
    ASSERT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    EXPECT_EQ(run(exec), 5 + 612 * 107u);
    ASSERT_OK(cuGraphNodeSetEnabled(exec, off, 0));
    EXPECT_EQ(run(exec), 5 + 611 * 107u);
    for (int i = 0; i < 3; i++) ASSERT_OK(cuGraphLaunch(exec, stream));
    EXPECT_EQ(run(exec), 5 + 611 * 107u);
    EXPECT_OK(cuGraphExecDestroy(exec));
    EXPECT_OK(cuGraphDestroy(part));
}

TEST_F(Graphs, Update) {
    CUgraphNode node = nullptr;
    auto value = fill(1);
    ASSERT_OK(cuGraphAddMemsetNode(&node, graph, nullptr, 0, &value, context));
    CUgraphExec exec = nullptr;
    ASSERT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    CUgraph other = nullptr;
    ASSERT_OK(cuGraphClone(&other, graph));
    size_t one = 1;
    ASSERT_OK(cuGraphGetNodes(other, &node, &one));
    value.value = 2;
    ASSERT_OK(cuGraphMemsetNodeSetParams(node, &value));
    CUgraphExecUpdateResultInfo info{};
    ASSERT_OK(cuGraphExecUpdate_v2(exec, other, &info));
    EXPECT_EQ(run(exec), 2u);
    CUgraphNode extra = nullptr;
    ASSERT_OK(cuGraphAddEmptyNode(&extra, other, nullptr, 0));
    EXPECT_STATUS(graph_exec_update_failure, cuGraphExecUpdate_v2(exec, other, &info));
    EXPECT_EQ(info.result, 2) << "the shape changed";
    EXPECT_OK(cuGraphExecDestroy(exec));
    EXPECT_OK(cuGraphDestroy(other));
}

TEST_F(Graphs, AnyNodeAndChild) {
    CUgraphNodeParams params{};
    params.type = CU_GRAPH_NODE_TYPE_MEMSET;
    params.memset = fill(3);
    CUgraphNode node = nullptr, child = nullptr;
    ASSERT_OK(cuGraphAddNode(&node, graph, nullptr, 0, &params));
    CUgraph outer = nullptr, inner = nullptr;
    ASSERT_OK(cuGraphCreate(&outer, 0));
    ASSERT_OK(cuGraphAddChildGraphNode(&child, outer, nullptr, 0, graph));
    ASSERT_OK(cuGraphChildGraphNodeGetGraph(child, &inner));
    EXPECT_NE(inner, graph);
    EXPECT_STATUS(invalid_value, cuGraphDestroy(inner)) << "it belongs to its node";
    CUgraphExec exec = nullptr;
    ASSERT_OK(cuGraphInstantiateWithFlags(&exec, outer, 0));
    EXPECT_EQ(run(exec), 3u);
    EXPECT_OK(cuGraphExecDestroy(exec));
    EXPECT_OK(cuGraphDestroy(outer));
    params.type = 13; // a conditional node, whose context must be named
    params.conditional = {};
    EXPECT_STATUS(invalid_context, cuGraphAddNode(&node, graph, nullptr, 0, &params));
}

TEST_F(Graphs, Capture) {
    CUstreamCaptureStatus status = 9;
    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_RELAXED));
    ASSERT_OK(cuStreamIsCapturing(stream, &status));
    EXPECT_EQ(status, 1);
    ASSERT_OK(cuMemsetD32Async(words, 20, count, stream));
    ASSERT_OK(cuLaunchKernel(function, 8, 1, 1, 128, 1, 1, 0, stream, arguments, nullptr));
    cuuint64_t id = 0;
    CUgraph captured = nullptr;
    const CUgraphNode* last = nullptr;
    size_t n = 0;
    ASSERT_OK(cuStreamGetCaptureInfo_v2(stream, &status, &id, &captured, &last, &n));
    EXPECT_NE(id, 0u);
    ASSERT_EQ(n, 1u);
    CUgraphNodeType type = -1;
    ASSERT_OK(cuGraphNodeGetType(last[0], &type));
    EXPECT_EQ(type, CU_GRAPH_NODE_TYPE_KERNEL);
    EXPECT_STATUS(stream_capture_unsupported, cuStreamSynchronize(stream));
    CUgraph made = reinterpret_cast<CUgraph>(1);
    EXPECT_STATUS(stream_capture_invalidated, cuStreamEndCapture(stream, &made)) << "waiting spoiled it";
    EXPECT_EQ(made, nullptr);

    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_RELAXED));
    ASSERT_OK(cuMemsetD32Async(words, 20, count, stream));
    ASSERT_OK(cuLaunchKernel(function, 8, 1, 1, 128, 1, 1, 0, stream, arguments, nullptr));
    ASSERT_OK(cuStreamEndCapture(stream, &made));
    EXPECT_EQ(count_of(cuGraphGetNodes, made), 2u);
    CUgraphExec exec = nullptr;
    ASSERT_OK(cuGraphInstantiateWithFlags(&exec, made, 0));
    EXPECT_EQ(run(exec), 20u + 100 + 7);
    EXPECT_OK(cuGraphExecDestroy(exec));
    EXPECT_OK(cuGraphDestroy(made));
    EXPECT_STATUS(illegal_state, cuStreamEndCapture(stream, &made)) << "nothing captures";
    EXPECT_STATUS(invalid_value, cuStreamBeginCapture_v2(stream, 9));
}

// A pageable source is copied when the graph runs, not when the call is captured.
TEST_F(Graphs, CaptureOfPageableCopy) {
    std::vector<uint32_t> source(count, 1);
    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_RELAXED));
    ASSERT_OK(cuMemcpyHtoDAsync_v2(words, source.data(), count * 4, stream));
    CUgraph made = nullptr;
    ASSERT_OK(cuStreamEndCapture(stream, &made));
    EXPECT_EQ(count_of(cuGraphGetNodes, made), 1u);
    CUgraphExec exec = nullptr;
    ASSERT_OK(cuGraphInstantiateWithFlags(&exec, made, 0));
    std::ranges::fill(source, 8u);
    EXPECT_EQ(run(exec), 8u);
    EXPECT_OK(cuGraphExecDestroy(exec));
    EXPECT_OK(cuGraphDestroy(made));
}

TEST_F(Graphs, DotFile) {
    const CUgraphNode a = empty();
    empty({a});
    const std::string path = testing::TempDir() + "cuttle_graph.dot";
    ASSERT_OK(cuGraphDebugDotPrint(graph, path.c_str(), 0));
    std::ifstream file(path);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    EXPECT_NE(text.find("->"), std::string::npos) << text;
    std::remove(path.c_str());
    EXPECT_STATUS(operating_system, cuGraphDebugDotPrint(graph, "/nowhere/graph.dot", 0));
}

// Copies of a node have its number in their graph; no two graphs have one number. CUDA driver API, cuGraphNodeGetLocalId.
TEST_F(Graphs, Numbers) {
    const CUgraphNode first = empty(), second = empty({first});
    unsigned graph_id = 0, clone_id = 0, exec_id = 0, local = 9, local_second = 9, local_clone = 9;
    unsigned long long tools = 0, tools_clone = 0;
    EXPECT_OK(cuGraphDestroyNode(first));
    const CUgraphNode third = empty({second});
    CUgraph clone = nullptr;
    CUgraphExec exec = nullptr;
    CUgraphNode cloned = nullptr;
    ASSERT_OK(cuGraphClone(&clone, graph));
    ASSERT_OK(cuGraphNodeFindInClone(&cloned, third, clone));
    ASSERT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    ASSERT_OK(cuGraphGetId(graph, &graph_id));
    ASSERT_OK(cuGraphGetId(clone, &clone_id));
    ASSERT_OK(cuGraphExecGetId(exec, &exec_id));
    EXPECT_NE(graph_id, clone_id);
    EXPECT_NE(graph_id, exec_id);
    EXPECT_NE(clone_id, exec_id);
    ASSERT_OK(cuGraphNodeGetLocalId(second, &local_second));
    ASSERT_OK(cuGraphNodeGetLocalId(third, &local));
    ASSERT_OK(cuGraphNodeGetLocalId(cloned, &local_clone));
    EXPECT_NE(local, local_second);
    EXPECT_EQ(local, local_clone);
    ASSERT_OK(cuGraphNodeGetToolsId(third, &tools));
    ASSERT_OK(cuGraphNodeGetToolsId(cloned, &tools_clone));
    EXPECT_NE(tools, tools_clone);
    EXPECT_STATUS(invalid_value, cuGraphGetId(nullptr, &graph_id));
    EXPECT_STATUS(invalid_value, cuGraphNodeGetLocalId(second, nullptr));
    EXPECT_OK(cuGraphExecDestroy(exec));
    EXPECT_OK(cuGraphDestroy(clone));
}

TEST_F(Graphs, ParametersOfAnyNode) {
    CUgraphNode node = nullptr;
    CUgraphNodeParams found{};
    const CUDA_MEMSET_NODE_PARAMS filling = fill(5);
    ASSERT_OK(cuGraphAddMemsetNode(&node, graph, nullptr, 0, &filling, context));
    ASSERT_OK(cuGraphNodeGetParams(node, &found));
    EXPECT_EQ(found.type, CU_GRAPH_NODE_TYPE_MEMSET);
    EXPECT_EQ(found.memset.dst, words);
    EXPECT_EQ(found.memset.value, 5u);
    const CUDA_KERNEL_NODE_PARAMS launch = kernel();
    ASSERT_OK(cuGraphAddKernelNode_v2(&node, graph, nullptr, 0, &launch));
    ASSERT_OK(cuGraphNodeGetParams(node, &found));
    EXPECT_EQ(found.type, CU_GRAPH_NODE_TYPE_KERNEL);
    EXPECT_EQ(found.kernel.func, function);
    EXPECT_EQ(found.kernel.blockDimX, 128u);
    EXPECT_EQ(*static_cast<uint32_t*>(found.kernel.kernelParams[2]), *static_cast<uint32_t*>(launch.kernelParams[2]));
    ASSERT_OK(cuGraphNodeGetParams(empty(), &found));
    EXPECT_EQ(found.type, CU_GRAPH_NODE_TYPE_EMPTY);
    CUgraphConditionalHandle handle = 0;
    ASSERT_OK(cuGraphConditionalHandleCreate(&handle, graph, context, 1, CU_GRAPH_COND_ASSIGN_DEFAULT));
    CUgraphNodeParams conditional{};
    conditional.type = CU_GRAPH_NODE_TYPE_CONDITIONAL;
    conditional.conditional = {handle, CU_GRAPH_COND_TYPE_IF, 1, nullptr, context};
    ASSERT_OK(cuGraphAddNode_v2(&node, graph, nullptr, nullptr, 0, &conditional));
    ASSERT_OK(cuGraphNodeGetParams(node, &found));
    EXPECT_EQ(found.conditional.handle, handle);
    EXPECT_EQ(found.conditional.size, 1u);
    EXPECT_EQ(found.conditional.phGraph_out[0], conditional.conditional.phGraph_out[0]);
    EXPECT_STATUS(invalid_value, cuGraphNodeGetParams(node, nullptr));

    CUDA_MEMCPY3D copy{};
    copy.srcMemoryType = copy.dstMemoryType = CU_MEMORYTYPE_DEVICE;
    copy.srcDevice = words;
    copy.dstDevice = words + 128;
    copy.WidthInBytes = 64;
    copy.Height = copy.Depth = 1;
    ASSERT_OK(cuGraphAddMemcpyNode(&node, graph, nullptr, 0, &copy, context));
    ASSERT_OK(cuGraphNodeGetParams(node, &found));
    EXPECT_EQ(found.type, CU_GRAPH_NODE_TYPE_MEMCPY);
    EXPECT_EQ(found.memcpy.copyParams.srcDevice, words);
    EXPECT_EQ(found.memcpy.copyParams.dstDevice, words + 128);
    EXPECT_EQ(found.memcpy.copyParams.WidthInBytes, 64u);
    const CUDA_HOST_NODE_PARAMS host{[](void*) {}, &count};
    ASSERT_OK(cuGraphAddHostNode(&node, graph, nullptr, 0, &host));
    ASSERT_OK(cuGraphNodeGetParams(node, &found));
    EXPECT_EQ(found.type, CU_GRAPH_NODE_TYPE_HOST);
    EXPECT_EQ(found.host.fn, host.fn);
    EXPECT_EQ(found.host.userData, &count);
    CUevent event = nullptr;
    ASSERT_OK(cuEventCreate(&event, 0));
    ASSERT_OK(cuGraphAddEventRecordNode(&node, graph, nullptr, 0, event));
    ASSERT_OK(cuGraphNodeGetParams(node, &found));
    EXPECT_EQ(found.type, CU_GRAPH_NODE_TYPE_EVENT_RECORD);
    EXPECT_EQ(found.eventRecord.event, event);
    ASSERT_OK(cuGraphAddEventWaitNode(&node, graph, &node, 1, event));
    ASSERT_OK(cuGraphNodeGetParams(node, &found));
    EXPECT_EQ(found.type, CU_GRAPH_NODE_TYPE_WAIT_EVENT);
    EXPECT_EQ(found.eventWait.event, event);
    CUgraph inner = nullptr, kept = nullptr;
    ASSERT_OK(cuGraphCreate(&inner, 0));
    ASSERT_OK(cuGraphAddChildGraphNode(&node, graph, nullptr, 0, inner));
    ASSERT_OK(cuGraphChildGraphNodeGetGraph(node, &kept));
    ASSERT_OK(cuGraphNodeGetParams(node, &found));
    EXPECT_EQ(found.type, CU_GRAPH_NODE_TYPE_GRAPH);
    EXPECT_EQ(found.graph.graph, kept);
    EXPECT_OK(cuGraphDestroy(inner));
    EXPECT_OK(cuEventDestroy_v2(event));
}
