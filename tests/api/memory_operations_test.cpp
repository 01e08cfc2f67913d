#include "driver_fixture.h"

#include <array>
#include <chrono>
#include <thread>

using namespace shim;
using namespace std::chrono_literals;

// Batches of memory operations, in streams and in graphs.
namespace {

CUstreamBatchMemOpParams operation(CUstreamBatchMemOpType type, uint64_t address, uint64_t value, unsigned flags = 0) {
    CUstreamBatchMemOpParams p{};
    p.waitValue.operation = type;
    p.waitValue.address = address;
    p.waitValue.value64 = value;
    p.waitValue.flags = flags;
    return p;
}

class MemoryOperations : public Driver {
  protected:
    void SetUp() override {
        Driver::SetUp();
        void* memory = nullptr;
        ASSERT_OK(cuMemHostAlloc(&memory, 64, 0));
        words = static_cast<volatile uint64_t*>(memory);
        for (int i = 0; i < 8; i++) words[i] = 0;
        ASSERT_OK(cuStreamCreate(&stream, CU_STREAM_NON_BLOCKING));
        ASSERT_OK(cuStreamCreate(&other, CU_STREAM_NON_BLOCKING));
    }
    void TearDown() override {
        EXPECT_OK(cuStreamDestroy_v2(stream));
        EXPECT_OK(cuStreamDestroy_v2(other));
        EXPECT_OK(cuMemFreeHost(const_cast<uint64_t*>(words)));
        Driver::TearDown();
    }
    uint64_t at(int i) const { return uint64_t(words + i); }

    /// Waits for word 0, then writes 32 and 64 bits.
    std::array<CUstreamBatchMemOpParams, 4> batch() const {
        return {operation(CU_STREAM_MEM_OP_WAIT_VALUE_64, at(0), 1ull << 40, CU_STREAM_WAIT_VALUE_GEQ),
                operation(CU_STREAM_MEM_OP_WRITE_VALUE_32, at(1), 0x1'0000'0007),
                operation(CU_STREAM_MEM_OP_BARRIER, 0, 0),
                operation(CU_STREAM_MEM_OP_WRITE_VALUE_64, at(2), 0x1'0000'0008)};
    }
    void expect_done_after_write() {
        std::this_thread::sleep_for(10ms);
        EXPECT_EQ(words[1], 0u);
        ASSERT_OK(cuStreamWriteValue64_v2(other, at(0), 1ull << 40, 0));
        ASSERT_OK(cuStreamSynchronize(stream));
        EXPECT_EQ(words[1], 7u);
        EXPECT_EQ(words[2], 0x1'0000'0008u);
        for (int i = 0; i < 3; i++) words[i] = 0;
    }

    volatile uint64_t* words = nullptr;
    CUstream stream = nullptr, other = nullptr;
};

TEST_F(MemoryOperations, BatchRunsInOrder) {
    auto list = batch();
    ASSERT_OK(cuStreamBatchMemOp_v2(stream, unsigned(list.size()), list.data(), 0));
    expect_done_after_write();
}

TEST_F(MemoryOperations, DeviceMemory) {
    CUdeviceptr word = 0;
    uint32_t seen = 0;
    ASSERT_OK(cuMemAlloc_v2(&word, 4));
    CUstreamBatchMemOpParams list[] = {operation(CU_STREAM_MEM_OP_WRITE_VALUE_32, word, 12),
                                       operation(CU_STREAM_MEM_OP_WAIT_VALUE_32, word, 12, CU_STREAM_WAIT_VALUE_EQ)};
    ASSERT_OK(cuStreamBatchMemOp_v2(stream, 2, list, 0));
    ASSERT_OK(cuStreamSynchronize(stream));
    ASSERT_OK(cuMemcpyDtoH_v2(&seen, word, 4));
    EXPECT_EQ(seen, 12u);
    EXPECT_OK(cuMemFree_v2(word));
}

TEST_F(MemoryOperations, WrongArgumentsDoNothing) {
    auto list = batch();
    list[0] = operation(CU_STREAM_MEM_OP_WRITE_VALUE_64, at(3), 1);
    list[3] = operation(7, at(2), 1); // no operation has this number
    EXPECT_STATUS(invalid_value, cuStreamBatchMemOp_v2(stream, 4, list.data(), 0));
    list[3] = operation(CU_STREAM_MEM_OP_WRITE_VALUE_64, at(2) + 4, 1);
    EXPECT_STATUS(invalid_value, cuStreamBatchMemOp_v2(stream, 4, list.data(), 0));
    EXPECT_STATUS(invalid_value, cuStreamBatchMemOp_v2(stream, 1, list.data(), 1));
    EXPECT_STATUS(invalid_value, cuStreamBatchMemOp_v2(stream, 256, list.data(), 0));
    list[0] = operation(CU_STREAM_MEM_OP_FLUSH_REMOTE_WRITES, 0, 0);
    EXPECT_STATUS(not_supported, cuStreamBatchMemOp_v2(stream, 1, list.data(), 0));
    EXPECT_OK(cuStreamBatchMemOp_v2(stream, 0, nullptr, 0));
    ASSERT_OK(cuStreamSynchronize(stream));
    EXPECT_EQ(words[3], 0u);
}

TEST_F(MemoryOperations, GraphNode) {
    auto list = batch();
    CUgraph graph = nullptr;
    CUgraphNode node = nullptr;
    CUgraphExec exec = nullptr;
    ASSERT_OK(cuGraphCreate(&graph, 0));
    CUDA_BATCH_MEM_OP_NODE_PARAMS params{context, unsigned(list.size()), list.data(), 0}, given{};
    ASSERT_OK(cuGraphAddBatchMemOpNode(&node, graph, nullptr, 0, &params));
    CUgraphNodeType type = 0;
    ASSERT_OK(cuGraphNodeGetType(node, &type));
    EXPECT_EQ(type, CU_GRAPH_NODE_TYPE_BATCH_MEM_OP);
    ASSERT_OK(cuGraphBatchMemOpNodeGetParams(node, &given));
    EXPECT_EQ(given.ctx, context);
    ASSERT_EQ(given.count, 4u);
    EXPECT_NE(given.paramArray, list.data()); // the driver's own copy
    EXPECT_EQ(given.paramArray[3].writeValue.value64, 0x1'0000'0008u);
    CUgraphNodeParams any{};
    ASSERT_OK(cuGraphNodeGetParams(node, &any));
    EXPECT_EQ(any.type, CU_GRAPH_NODE_TYPE_BATCH_MEM_OP);
    ASSERT_EQ(any.memOp.count, 4u);
    EXPECT_EQ(any.memOp.paramArray[3].writeValue.value64, 0x1'0000'0008u);
    ASSERT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    ASSERT_OK(cuGraphLaunch(exec, stream));
    expect_done_after_write();

    list[0] = operation(CU_STREAM_MEM_OP_WRITE_VALUE_64, at(4), 9);
    params.count = 1;
    ASSERT_OK(cuGraphExecBatchMemOpNodeSetParams(exec, node, &params));
    ASSERT_OK(cuGraphLaunch(exec, stream));
    ASSERT_OK(cuStreamSynchronize(stream));
    EXPECT_EQ(words[4], 9u);
    EXPECT_EQ(words[1], 0u);
    params.ctx = nullptr;
    EXPECT_STATUS(invalid_value, cuGraphBatchMemOpNodeSetParams(node, &params));
    EXPECT_OK(cuGraphExecDestroy(exec));
    EXPECT_OK(cuGraphDestroy(graph));
}

TEST_F(MemoryOperations, CapturedAndAddedAsAnyNode) {
    auto list = batch();
    CUgraph graph = nullptr;
    CUgraphExec exec = nullptr;
    ASSERT_OK(cuStreamBeginCapture_v2(stream, CU_STREAM_CAPTURE_MODE_RELAXED));
    ASSERT_OK(cuStreamBatchMemOp_v2(stream, unsigned(list.size()), list.data(), 0));
    ASSERT_OK(cuStreamEndCapture(stream, &graph));
    CUgraphNode captured = nullptr, added = nullptr;
    size_t count = 1;
    ASSERT_OK(cuGraphGetNodes(graph, &captured, &count));
    ASSERT_EQ(count, 1u);
    CUgraphNodeParams params{};
    params.type = CU_GRAPH_NODE_TYPE_BATCH_MEM_OP;
    list[0] = operation(CU_STREAM_MEM_OP_WRITE_VALUE_32, at(5), 3);
    params.memOp = {context, 1, list.data(), 0};
    ASSERT_OK(cuGraphAddNode_v2(&added, graph, &captured, nullptr, 1, &params));
    ASSERT_OK(cuGraphInstantiateWithFlags(&exec, graph, 0));
    ASSERT_OK(cuGraphLaunch(exec, stream));
    expect_done_after_write();
    EXPECT_EQ(words[5], 3u);
    EXPECT_OK(cuGraphExecDestroy(exec));
    EXPECT_OK(cuGraphDestroy(graph));
}

} // namespace
