#include "api/bodies.h"
#include "api/constants.h"
#include "driver/graph_handles.h"
#include "driver/handles.h"

#include <map>
#include <memory>
#include <mutex>

// Executable graphs.
namespace shim {
namespace {

constexpr unsigned long long known_flags = 15;

/// The flags that each was made with.
struct Flags {
    std::mutex mutex;
    std::map<rt::GraphExec*, cuuint64_t> by_exec;
};

Flags& flags_of_all() {
    static Flags& all = *new Flags;
    return all;
}

Status instantiate(CUgraphExec* exec, CUgraph graph, unsigned long long flags) {
    out(exec, "phGraphExec");
    require_value((flags & ~known_flags) == 0, "unknown flags");
    if (flags & CUDA_GRAPH_INSTANTIATE_FLAG_DEVICE_LAUNCH) {
        throw Error(Status::not_supported, "graphs that a device launches are not supported");
    }
    auto made = std::make_unique<rt::GraphExec>(graph_of(graph));
    made->frees_on_launch = flags & CUDA_GRAPH_INSTANTIATE_FLAG_AUTO_FREE_ON_LAUNCH;
    Flags& all = flags_of_all();
    std::lock_guard lock(all.mutex);
    all.by_exec[made.get()] = flags;
    *exec = handle_of(*made.release());
    return Status::success;
}

Status set(CUgraphExec exec, CUgraphNode node, rt::NodeParameters parameters) {
    exec_of(exec).node(node_of(node)).set_parameters(std::move(parameters));
    return Status::success;
}

struct Update {
    rt::GraphUpdate result;
    CUgraphNode at;
    Status status() const {
        return result == rt::GraphUpdate::success ? Status::success : Status::graph_exec_update_failure;
    }
};

Update update(CUgraphExec exec, CUgraph graph) {
    rt::GraphNode* at = nullptr;
    const rt::GraphUpdate result = exec_of(exec).update(graph_of(graph), at);
    return {result, at ? handle_of(*at) : nullptr};
}

rt::GraphNode& switchable(CUgraphExec exec, CUgraphNode node) {
    rt::GraphNode& found = exec_of(exec).node(node_of(node));
    require_value(found.type() <= rt::GraphNodeType::fill, "only kernel, copy and fill nodes are switched off");
    return found;
}

} // namespace

// An H100's driver uploads only where cuGraphInstantiateWithParams names a stream for it.
Status driver::cuGraphInstantiateWithFlags(CUgraphExec* exec, CUgraph graph, unsigned long long flags) {
    require_value(!(flags & CUDA_GRAPH_INSTANTIATE_FLAG_UPLOAD), "no stream to upload on");
    return instantiate(exec, graph, flags);
}

Status driver::cuGraphInstantiate_v2(CUgraphExec* exec, CUgraph graph, CUgraphNode* error_node, char* log,
                                     size_t log_size) {
    if (error_node) *error_node = nullptr;
    if (log && log_size) *log = 0;
    return instantiate(exec, graph, 0);
}

Status driver::cuGraphInstantiateWithParams(CUgraphExec* exec, CUgraph graph, CUDA_GRAPH_INSTANTIATE_PARAMS* params) {
    out(params, "instantiateParams");
    params->hErrNode_out = nullptr;
    params->result_out = CUDA_GRAPH_INSTANTIATE_ERROR;
    const Status status = instantiate(exec, graph, params->flags);
    params->result_out = 0;
    return status;
}

Status driver::cuGraphExecDestroy(CUgraphExec handle) {
    rt::GraphExec& exec = exec_of(handle);
    Flags& all = flags_of_all();
    {
        std::lock_guard lock(all.mutex);
        all.by_exec.erase(&exec);
    }
    delete &exec;
    return Status::success;
}

Status driver::cuGraphExecGetFlags(CUgraphExec exec, cuuint64_t* flags) {
    rt::GraphExec& found = exec_of(exec);
    Flags& all = flags_of_all();
    std::lock_guard lock(all.mutex);
    out(flags, "flags") = all.by_exec[&found];
    return Status::success;
}

Status driver::cuGraphLaunch(CUgraphExec exec, CUstream stream) {
    exec_of(exec).launch(stream_of(stream));
    return Status::success;
}

Status driver::cuGraphUpload(CUgraphExec exec, CUstream stream) {
    exec_of(exec).upload(stream_of(stream));
    return Status::success;
}

Status driver::cuGraphExecUpdate(CUgraphExec exec, CUgraph graph, CUgraphNode* error_node,
                                 CUgraphExecUpdateResult* result) {
    const Update done = update(exec, graph);
    if (error_node) *error_node = done.at;
    if (result) *result = int(done.result);
    return done.status();
}

Status driver::cuGraphExecUpdate_v2(CUgraphExec exec, CUgraph graph, CUgraphExecUpdateResultInfo* info) {
    const Update done = update(exec, graph);
    if (info) *info = {int(done.result), done.at, nullptr};
    return done.status();
}

Status driver::cuGraphExecKernelNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                              const CUDA_KERNEL_NODE_PARAMS_v1* params) {
    rt::GraphNode& found = exec_of(exec).node(node_of(node));
    return set(exec, node, with_attributes_of(found, kernel_node(params)));
}

Status driver::cuGraphExecKernelNodeSetParams_v2(CUgraphExec exec, CUgraphNode node,
                                                 const CUDA_KERNEL_NODE_PARAMS* params) {
    rt::GraphNode& found = exec_of(exec).node(node_of(node));
    return set(exec, node, with_attributes_of(found, kernel_node(params)));
}

Status driver::cuGraphExecMemcpyNodeSetParams(CUgraphExec exec, CUgraphNode node, const CUDA_MEMCPY3D* params,
                                              CUcontext context) {
    return set(exec, node, copy_node(params, context));
}

Status driver::cuGraphExecMemsetNodeSetParams(CUgraphExec exec, CUgraphNode node, const CUDA_MEMSET_NODE_PARAMS* params,
                                              CUcontext context) {
    return set(exec, node, fill_node(params, context));
}

Status driver::cuGraphExecHostNodeSetParams(CUgraphExec exec, CUgraphNode node, const CUDA_HOST_NODE_PARAMS* params) {
    return set(exec, node, host_node(params));
}

Status driver::cuGraphExecChildGraphNodeSetParams(CUgraphExec exec, CUgraphNode node, CUgraph child) {
    return set(exec, node, child_node(child));
}

Status driver::cuGraphExecEventRecordNodeSetEvent(CUgraphExec exec, CUgraphNode node, CUevent event) {
    return set(exec, node, rt::RecordEventNode{&event_of(not_null(event, "event"))});
}

Status driver::cuGraphExecEventWaitNodeSetEvent(CUgraphExec exec, CUgraphNode node, CUevent event) {
    return set(exec, node, rt::WaitEventNode{&event_of(not_null(event, "event"))});
}

Status driver::cuGraphExecNodeSetParams(CUgraphExec exec, CUgraphNode node, CUgraphNodeParams* params) {
    exec_of(exec).node(node_of(node));
    return set(exec, node, any_node(params));
}

Status driver::cuGraphNodeGetEnabled(CUgraphExec exec, CUgraphNode node, unsigned int* enabled) {
    out(enabled, "isEnabled") = switchable(exec, node).enabled;
    return Status::success;
}

Status driver::cuGraphNodeSetEnabled(CUgraphExec exec, CUgraphNode node, unsigned int enabled) {
    switchable(exec, node).enabled = enabled != 0;
    return Status::success;
}

} // namespace shim
