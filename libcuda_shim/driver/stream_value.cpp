#include "api/bodies.h"
#include "api/constants.h"
#include "driver/copies.h"
#include "driver/graph_handles.h"
#include "driver/handles.h"

#include <fmt/format.h>

#include <memory>
#include <vector>

// Stream memory operations: a stream writes a word, or waits until a word has some value.
namespace shim {
namespace {

constexpr unsigned most_operations = 255; // CUDA driver API, cuStreamBatchMemOp

using Given = std::vector<CUstreamBatchMemOpParams>; ///< what rt::MemoryOperations::given is

void check_word(uint64_t address, bool wide) {
    const size_t bytes = wide ? 8 : 4;
    require_value(address && address % bytes == 0, "address null or not aligned");
    check_device_range(address, bytes);
}

rt::MemoryOperation write(uint64_t address, uint64_t value, bool wide, unsigned flags) {
    require_value(flags == 0, "unknown flags"); // the one that there is went with the first form of the call
    check_word(address, wide);
    return {.wide = wide, .address = address, .value = value};
}

rt::MemoryOperation wait(uint64_t address, uint64_t value, bool wide, unsigned flags) {
    const unsigned condition = flags & ~unsigned(CU_STREAM_WAIT_VALUE_FLUSH);
    require_value(condition <= CU_STREAM_WAIT_VALUE_NOR, "unknown flags");
    check_word(address, wide);
    return {true, wide, rt::WaitCondition(condition), address, value};
}

rt::MemoryOperation operation_of(const CUstreamBatchMemOpParams& p) {
    switch (p.operation) {
    case CU_STREAM_MEM_OP_WAIT_VALUE_32:
        return wait(p.waitValue.address, p.waitValue.value, false, p.waitValue.flags);
    case CU_STREAM_MEM_OP_WAIT_VALUE_64:
        return wait(p.waitValue.address, p.waitValue.value64, true, p.waitValue.flags);
    case CU_STREAM_MEM_OP_WRITE_VALUE_32:
        return write(p.writeValue.address, p.writeValue.value, false, p.writeValue.flags);
    case CU_STREAM_MEM_OP_WRITE_VALUE_64:
        return write(p.writeValue.address, p.writeValue.value64, true, p.writeValue.flags);
    case CU_STREAM_MEM_OP_FLUSH_REMOTE_WRITES: // the attribute CAN_FLUSH_REMOTE_WRITES says so
        throw Error(Status::not_supported, "remote writes cannot be flushed");
    default:
        throw Error(Status::invalid_value, fmt::format("{} is no memory operation", p.operation));
    }
}

void add(std::vector<rt::MemoryOperation>& list, const CUstreamBatchMemOpParams& p) {
    if (p.operation == CU_STREAM_MEM_OP_BARRIER)
        return require_value(p.memoryBarrier.flags <= CU_STREAM_MEMORY_BARRIER_TYPE_GPU, "unknown flags");
    list.push_back(operation_of(p));
}

rt::MemoryOperations batch(rt::Context& context, unsigned count, const CUstreamBatchMemOpParams* params,
                           unsigned flags) {
    require_value(flags == 0, "flags must be 0");
    require_value(count <= most_operations, "too many operations");
    require_value(params || count == 0, "no list of operations");
    rt::MemoryOperations list;
    list.context = &context;
    for (unsigned i = 0; i < count; i++) add(list.operations, params[i]);
    list.given = std::make_shared<Given>(params, params + count);
    return list;
}

Status run(CUstream handle, CUstreamBatchMemOpType operation, uint64_t address, uint64_t value, unsigned flags) {
    rt::Stream& stream = stream_of(handle);
    CUstreamBatchMemOpParams params{};
    params.waitValue.operation = operation; // the two forms are alike
    params.waitValue.address = address;
    params.waitValue.value64 = value;
    params.waitValue.flags = flags;
    const auto as_list = [&] { return batch(stream.context(), 1, &params, 0); };
    stream.memory(operation_of(params), as_list);
    return Status::success;
}

} // namespace

// The context must be given, as an H100's driver has it.
rt::MemoryOperations memory_operations_node(const CUDA_BATCH_MEM_OP_NODE_PARAMS* params) {
    require_value(params && params->ctx, "no node parameters, or no context in them");
    return batch(context_of(params->ctx), params->count, params->paramArray, params->flags);
}

Status driver::cuStreamWriteValue32_v2(CUstream stream, CUdeviceptr address, cuuint32_t value, unsigned int flags) {
    return run(stream, CU_STREAM_MEM_OP_WRITE_VALUE_32, address, value, flags);
}

Status driver::cuStreamWriteValue64_v2(CUstream stream, CUdeviceptr address, cuuint64_t value, unsigned int flags) {
    return run(stream, CU_STREAM_MEM_OP_WRITE_VALUE_64, address, value, flags);
}

Status driver::cuStreamWaitValue32_v2(CUstream stream, CUdeviceptr address, cuuint32_t value, unsigned int flags) {
    return run(stream, CU_STREAM_MEM_OP_WAIT_VALUE_32, address, value, flags);
}

Status driver::cuStreamWaitValue64_v2(CUstream stream, CUdeviceptr address, cuuint64_t value, unsigned int flags) {
    return run(stream, CU_STREAM_MEM_OP_WAIT_VALUE_64, address, value, flags);
}

Status driver::cuStreamBatchMemOp_v2(CUstream handle, unsigned int count, CUstreamBatchMemOpParams* params,
                                     unsigned int flags) {
    rt::Stream& stream = stream_of(handle);
    stream.memory(batch(stream.context(), count, params, flags));
    return Status::success;
}

Status driver::cuGraphAddBatchMemOpNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
                                        const CUDA_BATCH_MEM_OP_NODE_PARAMS* params) {
    out(node, "phGraphNode");
    *node = handle_of(graph_of(graph).add(memory_operations_node(params), nodes_of(dependencies, count)));
    return Status::success;
}

Status driver::cuGraphBatchMemOpNodeGetParams(CUgraphNode node, CUDA_BATCH_MEM_OP_NODE_PARAMS* params) {
    const auto& list = parameters_of<rt::MemoryOperations>(node_of(node));
    auto& given = *static_cast<Given*>(list.given.get());
    out(params, "nodeParams_out") = {handle_of(*list.context), unsigned(given.size()), given.data(), 0};
    return Status::success;
}

Status driver::cuGraphBatchMemOpNodeSetParams(CUgraphNode node, const CUDA_BATCH_MEM_OP_NODE_PARAMS* params) {
    parameters_of<rt::MemoryOperations>(node_of(node));
    node_of(node).set_parameters(memory_operations_node(params));
    return Status::success;
}

Status driver::cuGraphExecBatchMemOpNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                                  const CUDA_BATCH_MEM_OP_NODE_PARAMS* params) {
    rt::GraphNode& found = exec_of(exec).node(node_of(node));
    parameters_of<rt::MemoryOperations>(found);
    found.set_parameters(memory_operations_node(params));
    return Status::success;
}

} // namespace shim
