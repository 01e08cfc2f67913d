#include "rt/external.h"

#include "api/bodies.h"
#include "api/constants.h"
#include "driver/array.h"
#include "driver/graph_handles.h"
#include "driver/handles.h"

#include <fmt/format.h>

#include <memory>
#include <unistd.h>
#include <vector>

// CUDA driver API, "External Resource Interoperability". What is refused, and with what, follows an H100.
namespace shim {
namespace {

rt::ExternalMemory& memory_of(CUexternalMemory memory) {
    if (auto* found = rt::handle_cast<rt::ExternalMemory>(memory)) return *found;
    throw Error(memory ? Status::invalid_handle : Status::invalid_value, "no external memory");
}

rt::ExternalSemaphore& semaphore_of(CUexternalSemaphore semaphore) {
    if (auto* found = rt::handle_cast<rt::ExternalSemaphore>(semaphore)) return *found;
    throw Error(semaphore ? Status::invalid_handle : Status::invalid_value, "no external semaphore");
}

/// Handles that Linux does not have are not supported, numbers that mean nothing are invalid.
[[noreturn]] void refuse_type(int type, int last) {
    if (type < 1 || type > last) throw Error(Status::invalid_value, fmt::format("no handles have type {}", type));
    throw Error(Status::not_supported, fmt::format("handles of type {} are not supported", type));
}

/// The lists of a node, as the application wrote them.
template <class Params> struct Given {
    std::vector<CUexternalSemaphore> semaphores;
    std::vector<Params> params;
};

template <class Params> rt::SemaphoreOperations operations(bool waits, const CUexternalSemaphore* semaphores,
                                                           const Params* params, unsigned count) {
    require_value((semaphores && params) || count == 0, "no lists of semaphores and parameters");
    rt::SemaphoreOperations list;
    list.waits = waits;
    auto given = std::make_shared<Given<Params>>();
    // A node without semaphores still has lists. No more room than is known to be needed: a count may be nonsense.
    given->semaphores.reserve(1);
    given->params.reserve(1);
    for (unsigned i = 0; i < count; ++i) {
        require_value(params[i].flags == 0, "unknown flags");
        list.operations.emplace_back(semaphore_of(semaphores[i]).semaphore(), params[i].params.fence.value);
        given->semaphores.push_back(semaphores[i]);
        given->params.push_back(params[i]);
    }
    list.given = std::move(given);
    return list;
}

template <class Params>
Status run(bool waits, const CUexternalSemaphore* semaphores, const Params* params, unsigned count, CUstream handle) {
    rt::Stream& stream = stream_of(handle);
    require_value(semaphores && params && count, "no semaphores");
    stream.semaphores(operations(waits, semaphores, params, count));
    return Status::success;
}

template <class Params> Status add(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies, size_t count,
                                   const Params* params, rt::NodeParameters (*make)(const Params*)) {
    out(node, "phGraphNode");
    rt::Graph& to = graph_of(graph);
    *node = handle_of(to.add(make(params), nodes_of(dependencies, count)));
    return Status::success;
}

template <class Kind, class One, class Params> Status describe(CUgraphNode node, Params* params) {
    const auto& list = parameters_of<Kind>(node_of(node)).list;
    auto& given = *static_cast<Given<One>*>(list.given.get());
    out(params, "params_out") = {given.semaphores.data(), given.params.data(), unsigned(given.params.size())};
    return Status::success;
}

template <class Kind> Status change(rt::GraphNode& node, rt::NodeParameters parameters) {
    parameters_of<Kind>(node);
    node.set_parameters(std::move(parameters));
    return Status::success;
}

} // namespace

rt::NodeParameters signal_node(const CUDA_EXT_SEM_SIGNAL_NODE_PARAMS* params) {
    require_value(params, "no node parameters");
    return rt::semaphore_node(operations(false, params->extSemArray, params->paramsArray, params->numExtSems));
}

rt::NodeParameters wait_node(const CUDA_EXT_SEM_WAIT_NODE_PARAMS* params) {
    require_value(params, "no node parameters");
    return rt::semaphore_node(operations(true, params->extSemArray, params->paramsArray, params->numExtSems));
}

// What is imported belongs to the driver from then on: the descriptor is closed.
Status driver::cuImportExternalMemory(CUexternalMemory* memory, const CUDA_EXTERNAL_MEMORY_HANDLE_DESC* d) {
    require_value(memory && d, "null pointer");
    require_value(d->size && (d->flags & ~unsigned(CUDA_EXTERNAL_MEMORY_DEDICATED)) == 0, "no size, or unknown flags");
    if (d->type != CU_EXTERNAL_MEMORY_HANDLE_TYPE_OPAQUE_FD && d->type != CU_EXTERNAL_MEMORY_HANDLE_TYPE_DMABUF_FD)
        refuse_type(d->type, CU_EXTERNAL_MEMORY_HANDLE_TYPE_DMABUF_FD);
    auto made = std::make_unique<rt::ExternalMemory>(rt::Context::current(), d->handle.fd, d->size);
    close(d->handle.fd);
    *memory = handle<CUexternalMemory>(*made.release());
    return Status::success;
}

Status driver::cuExternalMemoryGetMappedBuffer(CUdeviceptr* address, CUexternalMemory memory,
                                               const CUDA_EXTERNAL_MEMORY_BUFFER_DESC* d) {
    out(address, "devPtr");
    rt::ExternalMemory& from = memory_of(memory);
    require_value(d && d->flags == 0, "no description, or unknown flags");
    *address = from.map(rt::Context::current(), d->offset, d->size);
    return Status::success;
}

// Levels lie there as in an array of our own: one behind the other, rows at multiples of 64 bytes.
Status driver::cuExternalMemoryGetMappedMipmappedArray(CUmipmappedArray* array, CUexternalMemory memory,
                                                       const CUDA_EXTERNAL_MEMORY_MIPMAPPED_ARRAY_DESC* d) {
    out(array, "mipmap");
    rt::ExternalMemory& from = memory_of(memory);
    require_value(d, "no description");
    rt::Context& context = rt::Context::current();
    const auto map = [&](size_t bytes) { return from.map(context, d->offset, bytes); };
    *array = handle<CUmipmappedArray>(*new rt::MipmappedArray(context, shape_of(d->arrayDesc), d->numLevels, map));
    return Status::success;
}

Status driver::cuDestroyExternalMemory(CUexternalMemory memory) {
    delete &memory_of(memory);
    return Status::success;
}

Status driver::cuImportExternalSemaphore(CUexternalSemaphore* semaphore, const CUDA_EXTERNAL_SEMAPHORE_HANDLE_DESC* d) {
    require_value(semaphore && d, "null pointer");
    constexpr int last = CU_EXTERNAL_SEMAPHORE_HANDLE_TYPE_TIMELINE_SEMAPHORE_FD + 1; // its kind on Windows
    const bool timeline = d->type == CU_EXTERNAL_SEMAPHORE_HANDLE_TYPE_TIMELINE_SEMAPHORE_FD;
    if (!timeline && d->type != CU_EXTERNAL_SEMAPHORE_HANDLE_TYPE_OPAQUE_FD) refuse_type(d->type, last);
    require_value(d->flags == 0 && (!timeline || d->handle.fd >= 0), "unknown flags, or no file descriptor");
    auto opened = timeline ? rt::Semaphore::open_timeline(d->handle.fd) : rt::Semaphore::open_binary(d->handle.fd);
    auto made = std::make_unique<rt::ExternalSemaphore>(std::move(opened));
    close(d->handle.fd);
    *semaphore = handle<CUexternalSemaphore>(*made.release());
    return Status::success;
}

Status driver::cuDestroyExternalSemaphore(CUexternalSemaphore semaphore) {
    delete &semaphore_of(semaphore);
    return Status::success;
}

Status driver::cuSignalExternalSemaphoresAsync(const CUexternalSemaphore* semaphores,
                                               const CUDA_EXTERNAL_SEMAPHORE_SIGNAL_PARAMS* params, unsigned int count,
                                               CUstream stream) {
    return run(false, semaphores, params, count, stream);
}

Status driver::cuWaitExternalSemaphoresAsync(const CUexternalSemaphore* semaphores,
                                             const CUDA_EXTERNAL_SEMAPHORE_WAIT_PARAMS* params, unsigned int count,
                                             CUstream stream) {
    return run(true, semaphores, params, count, stream);
}

Status driver::cuGraphAddExternalSemaphoresSignalNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                                                      size_t count, const CUDA_EXT_SEM_SIGNAL_NODE_PARAMS* params) {
    return add(node, graph, dependencies, count, params, signal_node);
}

Status driver::cuGraphAddExternalSemaphoresWaitNode(CUgraphNode* node, CUgraph graph, const CUgraphNode* dependencies,
                                                    size_t count, const CUDA_EXT_SEM_WAIT_NODE_PARAMS* params) {
    return add(node, graph, dependencies, count, params, wait_node);
}

Status driver::cuGraphExternalSemaphoresSignalNodeGetParams(CUgraphNode node, CUDA_EXT_SEM_SIGNAL_NODE_PARAMS* params) {
    return describe<rt::SignalSemaphoresNode, CUDA_EXTERNAL_SEMAPHORE_SIGNAL_PARAMS>(node, params);
}

Status driver::cuGraphExternalSemaphoresWaitNodeGetParams(CUgraphNode node, CUDA_EXT_SEM_WAIT_NODE_PARAMS* params) {
    return describe<rt::WaitSemaphoresNode, CUDA_EXTERNAL_SEMAPHORE_WAIT_PARAMS>(node, params);
}

Status driver::cuGraphExternalSemaphoresSignalNodeSetParams(CUgraphNode node,
                                                            const CUDA_EXT_SEM_SIGNAL_NODE_PARAMS* params) {
    return change<rt::SignalSemaphoresNode>(node_of(node), signal_node(params));
}

Status driver::cuGraphExternalSemaphoresWaitNodeSetParams(CUgraphNode node,
                                                          const CUDA_EXT_SEM_WAIT_NODE_PARAMS* params) {
    return change<rt::WaitSemaphoresNode>(node_of(node), wait_node(params));
}

Status driver::cuGraphExecExternalSemaphoresSignalNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                                                const CUDA_EXT_SEM_SIGNAL_NODE_PARAMS* params) {
    return change<rt::SignalSemaphoresNode>(exec_of(exec).node(node_of(node)), signal_node(params));
}

Status driver::cuGraphExecExternalSemaphoresWaitNodeSetParams(CUgraphExec exec, CUgraphNode node,
                                                              const CUDA_EXT_SEM_WAIT_NODE_PARAMS* params) {
    return change<rt::WaitSemaphoresNode>(exec_of(exec).node(node_of(node)), wait_node(params));
}

} // namespace shim
