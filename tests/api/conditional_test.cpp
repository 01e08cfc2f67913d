#include "driver_fixture.h"

#include <vector>

using namespace shim;

namespace {

// count: counts *word down and goes on while it is not 0. choose: sets the handle to *word. mark: adds `bit` to *marks.
// fault: stores where nothing is.
constexpr const char* text = R"(
.version 8.5
.target sm_70
.address_size 64
.extern .func cudaGraphSetConditional (.param .b64 handle, .param .b32 value);
.visible .entry count(.param .u64 handle, .param .u64 word)
{
    .reg .b32 %r<2>;
    .reg .b64 %rd<3>;
    ld.param.u64 %rd1, [handle];
    ld.param.u64 %rd2, [word];
    ld.global.u32 %r1, [%rd2];
    sub.u32 %r1, %r1, 1;
    st.global.u32 [%rd2], %r1;
    { .param .b64 h; .param .b32 v; st.param.b64 [h], %rd1; st.param.b32 [v], %r1;
      call.uni cudaGraphSetConditional, (h, v); }
    ret;
}
.visible .entry choose(.param .u64 handle, .param .u64 word)
{
    .reg .b32 %r<2>;
    .reg .b64 %rd<3>;
    ld.param.u64 %rd1, [handle];
    ld.param.u64 %rd2, [word];
    ld.global.u32 %r1, [%rd2];
    { .param .b64 h; .param .b32 v; st.param.b64 [h], %rd1; st.param.b32 [v], %r1;
      call.uni cudaGraphSetConditional, (h, v); }
    ret;
}
.visible .entry mark(.param .u64 marks, .param .u32 bit)
{
    .reg .b32 %r<3>;
    .reg .b64 %rd<2>;
    ld.param.u64 %rd1, [marks];
    ld.param.u32 %r1, [bit];
    ld.global.u32 %r2, [%rd1];
    add.u32 %r2, %r2, %r1;
    st.global.u32 [%rd1], %r2;
    ret;
}
.visible .entry fault()
{
    .reg .b64 %rd<2>;
    mov.u64 %rd1, 64;
    st.global.u32 [%rd1], 1;
    ret;
}
)";

class Conditional : public Driver {
  protected:
    void SetUp() override {
        Driver::SetUp();
        ASSERT_OK(cuModuleLoadData(&module, text));
        ASSERT_OK(cuMemAlloc_v2(&word, 8));
        marks = word + 4;
        ASSERT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
        ASSERT_OK(cuGraphCreate(&graph, 0));
    }
    void TearDown() override {
        EXPECT_OK(cuGraphDestroy(graph));
        EXPECT_OK(cuStreamDestroy_v2(stream));
        EXPECT_OK(cuMemFree_v2(word));
        EXPECT_OK(cuModuleUnload(module));
        Driver::TearDown();
    }

    CUgraphConditionalHandle handle(unsigned initial = 0, unsigned flags = CU_GRAPH_COND_ASSIGN_DEFAULT,
                                    CUgraph of = nullptr) {
        CUgraphConditionalHandle made = 0;
        EXPECT_OK(cuGraphConditionalHandleCreate(&made, of ? of : graph, context, initial, flags));
        return made;
    }
    CUresult try_add(CUgraph to, CUgraphConditionalHandle of, int type, unsigned size, CUcontext with,
                     std::vector<CUgraph>& bodies, std::vector<CUgraphNode> after = {}) {
        CUgraphNodeParams params{};
        params.type = CU_GRAPH_NODE_TYPE_CONDITIONAL;
        params.conditional = {of, type, size, nullptr, with};
        const CUresult status = cuGraphAddNode_v2(&node, to, after.data(), nullptr, after.size(), &params);
        if (status == 0) bodies.assign(params.conditional.phGraph_out, params.conditional.phGraph_out + size);
        return status;
    }
    std::vector<CUgraph> add(CUgraph to, CUgraphConditionalHandle of, int type, unsigned size,
                             std::vector<CUgraphNode> after = {}) {
        std::vector<CUgraph> bodies;
        EXPECT_OK(try_add(to, of, type, size, context, bodies, std::move(after)));
        return bodies;
    }
    template <class A, class B> CUgraphNode kernel(CUgraph to, const char* name, A first, B second) {
        CUfunction function = nullptr;
        EXPECT_OK(cuModuleGetFunction(&function, module, name));
        void* arguments[] = {&first, &second};
        CUDA_KERNEL_NODE_PARAMS params = {function, 1, 1, 1, 1, 1, 1, 0, arguments, nullptr, nullptr, nullptr};
        CUgraphNode made = nullptr;
        EXPECT_OK(cuGraphAddKernelNode_v2(&made, to, nullptr, 0, &params));
        return made;
    }
    CUgraphExec instantiate() {
        CUgraphExec exec = nullptr;
        EXPECT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
        return exec;
    }
    /// *marks after a launch with *word set.
    uint32_t run(CUgraphExec exec, uint32_t value) {
        const uint32_t before[2] = {value, 0};
        uint32_t after[2] = {};
        EXPECT_OK(cuMemcpyHtoD_v2(word, before, 8));
        EXPECT_OK(cuGraphLaunch(exec, stream));
        EXPECT_OK(cuStreamSynchronize(stream));
        EXPECT_OK(cuMemcpyDtoH_v2(after, word, 8));
        return after[1];
    }

    CUgraph graph = nullptr;
    CUgraphNode node = nullptr;
    CUstream stream = nullptr;
    CUmodule module = nullptr;
    CUdeviceptr word = 0, marks = 0;
};

TEST_F(Conditional, IfRunsOneOfItsBodies) {
    const auto condition = handle();
    const CUgraphNode chooser = kernel(graph, "choose", condition, word);
    const auto bodies = add(graph, condition, CU_GRAPH_COND_TYPE_IF, 2, {chooser});
    kernel(bodies[0], "mark", marks, 1u);
    kernel(bodies[1], "mark", marks, 16u);
    const CUgraphExec exec = instantiate();
    EXPECT_EQ(run(exec, 1), 1u);
    EXPECT_EQ(run(exec, 0), 16u);
    EXPECT_EQ(run(exec, 77), 1u);
    EXPECT_OK(cuGraphExecDestroy(exec));
}

TEST_F(Conditional, WhileRunsUntilItsKernelSaysNo) {
    const auto condition = handle(1);
    const auto bodies = add(graph, condition, CU_GRAPH_COND_TYPE_WHILE, 1);
    kernel(bodies[0], "mark", marks, 1u);
    kernel(bodies[0], "count", condition, word);
    const CUgraphExec exec = instantiate();
    EXPECT_EQ(run(exec, 10), 10u);
    EXPECT_EQ(run(exec, 3), 3u); // the default was set again
    EXPECT_OK(cuGraphExecDestroy(exec));
}

TEST_F(Conditional, SwitchRunsTheBodyOfItsNumberOrNone) {
    const auto condition = handle();
    const CUgraphNode chooser = kernel(graph, "choose", condition, word);
    const auto bodies = add(graph, condition, CU_GRAPH_COND_TYPE_SWITCH, 3, {chooser});
    for (unsigned i = 0; i < 3; i++) kernel(bodies[i], "mark", marks, 1u << 4 * i);
    const CUgraphExec exec = instantiate();
    for (unsigned i = 0; i < 5; i++) EXPECT_EQ(run(exec, i), i < 3 ? 1u << 4 * i : 0u);
    EXPECT_OK(cuGraphExecDestroy(exec));
}

TEST_F(Conditional, BodiesHoldConditionsAndCapturedWork) {
    const auto outer = handle(1);
    const CUgraph body = add(graph, outer, CU_GRAPH_COND_TYPE_WHILE, 1)[0];
    const auto inner = handle(0, CU_GRAPH_COND_ASSIGN_DEFAULT, body);
    const CUgraphNode counter = kernel(body, "count", outer, word);
    const CUgraphNode chooser = kernel(body, "choose", inner, word);
    ASSERT_OK(cuGraphAddDependencies_v2(body, &counter, &chooser, nullptr, 1));
    const CUgraph innermost = add(body, inner, CU_GRAPH_COND_TYPE_IF, 1, {chooser})[0];
    ASSERT_OK(cuStreamBeginCaptureToGraph(stream, innermost, nullptr, nullptr, 0, CU_STREAM_CAPTURE_MODE_RELAXED));
    CUfunction mark = nullptr;
    ASSERT_OK(cuModuleGetFunction(&mark, module, "mark"));
    unsigned bit = 1;
    void* arguments[] = {&marks, &bit};
    ASSERT_OK(cuLaunchKernel(mark, 1, 1, 1, 1, 1, 1, 0, stream, arguments, nullptr));
    ASSERT_OK(cuStreamEndCapture(stream, nullptr)); // it went into a graph that we have
    const CUgraphExec exec = instantiate();
    EXPECT_EQ(run(exec, 5), 4u); // not in the last round, where the word is 0
    EXPECT_OK(cuGraphExecDestroy(exec));
}

TEST_F(Conditional, ExecutableOutlivesItsGraphAndTakesUpdates) {
    CUgraph other = nullptr;
    ASSERT_OK(cuGraphCreate(&other, 0));
    CUgraphExec exec = nullptr;
    {
        const auto condition = handle(1, CU_GRAPH_COND_ASSIGN_DEFAULT, other);
        kernel(add(other, condition, CU_GRAPH_COND_TYPE_IF, 1)[0], "mark", marks, 2u);
        ASSERT_OK(cuGraphInstantiateWithFlags(&exec, other, 0));
        CUgraphExecUpdateResultInfo info{};
        EXPECT_OK(cuGraphExecUpdate_v2(exec, other, &info));
    }
    ASSERT_OK(cuGraphDestroy(other));
    EXPECT_EQ(run(exec, 0), 2u);
    EXPECT_OK(cuGraphExecDestroy(exec));
}

// The codes are an H100's.
TEST_F(Conditional, WrongArgumentsAreRefused) {
    CUgraphConditionalHandle made = 0;
    EXPECT_STATUS(invalid_context, cuGraphConditionalHandleCreate(&made, graph, nullptr, 0, 0));
    EXPECT_STATUS(invalid_value, cuGraphConditionalHandleCreate(nullptr, graph, context, 1, 1));
    EXPECT_STATUS(invalid_value, cuGraphConditionalHandleCreate(&made, graph, context, 1, 2));
    EXPECT_STATUS(invalid_value, cuGraphConditionalHandleCreate(&made, nullptr, context, 1, 1));

    CUgraph other = nullptr;
    ASSERT_OK(cuGraphCreate(&other, 0));
    const auto foreign = handle(0, 0, other), first = handle(), second = handle();
    std::vector<CUgraph> bodies;
    EXPECT_STATUS(invalid_context, try_add(graph, first, CU_GRAPH_COND_TYPE_IF, 1, nullptr, bodies));
    EXPECT_STATUS(invalid_value, try_add(graph, first, CU_GRAPH_COND_TYPE_WHILE, 2, context, bodies));
    EXPECT_STATUS(invalid_value, try_add(graph, first, CU_GRAPH_COND_TYPE_IF, 0, context, bodies));
    EXPECT_STATUS(invalid_value, try_add(graph, first, CU_GRAPH_COND_TYPE_IF, 3, context, bodies));
    EXPECT_STATUS(invalid_value, try_add(graph, first, 3, 1, context, bodies));
    EXPECT_STATUS(invalid_value, try_add(graph, foreign, CU_GRAPH_COND_TYPE_IF, 1, context, bodies));
    EXPECT_STATUS(invalid_value, try_add(graph, 0, CU_GRAPH_COND_TYPE_IF, 1, context, bodies));
    EXPECT_OK(try_add(graph, first, CU_GRAPH_COND_TYPE_IF, 1, context, bodies));
    CUgraphNodeType type = -1;
    EXPECT_OK(cuGraphNodeGetType(node, &type));
    EXPECT_EQ(type, CU_GRAPH_NODE_TYPE_CONDITIONAL);
    EXPECT_STATUS(invalid_value, try_add(graph, first, CU_GRAPH_COND_TYPE_IF, 1, context, bodies)); // has a node
    EXPECT_OK(try_add(graph, second, CU_GRAPH_COND_TYPE_SWITCH, 4, context, bodies));

    EXPECT_STATUS(invalid_value, cuGraphDestroy(bodies[0]));
    CUgraph clone = nullptr;
    EXPECT_STATUS(not_supported, cuGraphClone(&clone, graph));
    EXPECT_STATUS(not_supported, cuGraphAddChildGraphNode(&node, other, nullptr, 0, graph));
    CUDA_HOST_NODE_PARAMS host{[](void*) {}, nullptr};
    ASSERT_OK(cuGraphAddHostNode(&node, bodies[0], nullptr, 0, &host));
    CUgraphExec exec = nullptr;
    EXPECT_STATUS(invalid_value, cuGraphInstantiateWithFlags(&exec, graph, 0));
    EXPECT_OK(cuGraphDestroy(other));
}

} // namespace

// In a context of its own, which is lost.
TEST(ConditionalFault, OfABodyIsToldWhereTheStreamIsWaitedFor) {
    ASSERT_OK(cuInit(0));
    CUcontext own = nullptr;
    ASSERT_OK(cuCtxCreate_v2(&own, 0, 0));
    CUmodule module = nullptr;
    CUfunction fault = nullptr;
    ASSERT_OK(cuModuleLoadData(&module, text));
    ASSERT_OK(cuModuleGetFunction(&fault, module, "fault"));
    CUgraph graph = nullptr;
    ASSERT_OK(cuGraphCreate(&graph, 0));
    CUgraphConditionalHandle handle = 0;
    ASSERT_OK(cuGraphConditionalHandleCreate(&handle, graph, own, 1, CU_GRAPH_COND_ASSIGN_DEFAULT));
    CUgraphNodeParams params{};
    params.type = CU_GRAPH_NODE_TYPE_CONDITIONAL;
    params.conditional = {handle, CU_GRAPH_COND_TYPE_WHILE, 1, nullptr, own};
    CUgraphNode node = nullptr;
    ASSERT_OK(cuGraphAddNode_v2(&node, graph, nullptr, nullptr, 0, &params));
    CUDA_KERNEL_NODE_PARAMS kernel = {fault, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr, nullptr};
    ASSERT_OK(cuGraphAddKernelNode_v2(&node, params.conditional.phGraph_out[0], nullptr, 0, &kernel));
    CUgraphExec exec = nullptr;
    ASSERT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    CUstream stream = nullptr;
    ASSERT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
    ASSERT_OK(cuGraphLaunch(exec, stream));
    EXPECT_STATUS(illegal_address, cuStreamSynchronize(stream));
    EXPECT_OK(cuGraphExecDestroy(exec));
    EXPECT_OK(cuGraphDestroy(graph));
    EXPECT_OK(cuCtxDestroy_v2(own));
}
