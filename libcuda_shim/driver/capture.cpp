#include "api/bodies.h"
#include "api/constants.h"
#include "driver/graph_handles.h"
#include "driver/handles.h"

#include <vector>

// Stream capture: what is given to a stream becomes a graph.
namespace shim {
namespace {

rt::CaptureMode mode_of(CUstreamCaptureMode mode) {
    require_value(mode >= CU_STREAM_CAPTURE_MODE_GLOBAL && mode <= CU_STREAM_CAPTURE_MODE_RELAXED,
                  "unknown capture mode");
    return rt::CaptureMode(mode);
}

/// Where a caller of cuStreamGetCaptureInfo wants things.
struct Wanted {
    CUstreamCaptureStatus* status;
    cuuint64_t* id = nullptr;
    CUgraph* graph = nullptr;
    const CUgraphNode** dependencies = nullptr;
    const CUgraphEdgeData** edges = nullptr;
    size_t* count = nullptr;
};

Status give(CUstream stream, const Wanted& wanted) {
    // What the lists live in: good until the thread asks again.
    thread_local std::vector<CUgraphNode> nodes;
    thread_local std::vector<CUgraphEdgeData> plain_edges;
    const rt::CaptureInfo info = rt::capture::info(stream_of(stream));
    out(wanted.status, "captureStatus_out") = int(info.status);
    if (info.status != rt::CaptureStatus::active) return Status::success; // the rest has no meaning then
    nodes.clear();
    for (rt::GraphNode* node : info.dependencies) nodes.push_back(handle_of(*node));
    plain_edges.assign(nodes.size(), {});
    if (wanted.id) *wanted.id = info.id;
    if (wanted.graph) *wanted.graph = info.graph ? handle_of(*info.graph) : nullptr;
    if (wanted.dependencies) *wanted.dependencies = nodes.data();
    if (wanted.edges) *wanted.edges = plain_edges.data();
    if (wanted.count) *wanted.count = nodes.size();
    return Status::success;
}

} // namespace

Status driver::cuStreamBeginCapture_v2(CUstream stream, CUstreamCaptureMode mode) {
    rt::capture::begin(stream_of(stream), mode_of(mode));
    return Status::success;
}

Status driver::cuStreamBeginCaptureToGraph(CUstream stream, CUgraph graph, const CUgraphNode* dependencies,
                                           const CUgraphEdgeData*, size_t count, CUstreamCaptureMode mode) {
    // The graph is looked at first.
    rt::Graph& into = graph_of(graph);
    const auto behind = nodes_of(dependencies, count);
    rt::capture::begin(stream_of(stream), mode_of(mode), &into, behind);
    return Status::success;
}

Status driver::cuStreamEndCapture(CUstream stream, CUgraph* graph) {
    rt::Stream& ending = stream_of(stream);
    require_capture(ending); // is said before a null pointer is
    if (graph) *graph = nullptr;
    rt::Graph* into = nullptr;
    auto made = rt::capture::end(ending, &into);
    // What went into a graph of the caller's is known to it: no place for the handle is fine then.
    require_value(graph || !made, "phGraph is null");
    if (made) {
        *graph = give_to_application(std::move(made));
    } else if (into && graph) {
        *graph = handle_of(*into);
    }
    return Status::success;
}

Status driver::cuStreamIsCapturing(CUstream stream, CUstreamCaptureStatus* status) {
    out(status, "captureStatus") = int(rt::capture::info(stream_of(stream)).status);
    return Status::success;
}

Status driver::cuStreamGetCaptureInfo(CUstream stream, CUstreamCaptureStatus* status, cuuint64_t* id) {
    return give(stream, {.status = status, .id = id});
}

Status driver::cuStreamGetCaptureInfo_v2(CUstream stream, CUstreamCaptureStatus* status, cuuint64_t* id, CUgraph* graph,
                                         const CUgraphNode** dependencies, size_t* count) {
    return give(stream, {.status = status, .id = id, .graph = graph, .dependencies = dependencies, .count = count});
}

Status driver::cuStreamGetCaptureInfo_v3(CUstream stream, CUstreamCaptureStatus* status, cuuint64_t* id, CUgraph* graph,
                                         const CUgraphNode** dependencies, const CUgraphEdgeData** edges,
                                         size_t* count) {
    return give(stream, {status, id, graph, dependencies, edges, count});
}

Status driver::cuStreamUpdateCaptureDependencies_v2(CUstream stream, CUgraphNode* dependencies, const CUgraphEdgeData*,
                                                    size_t count, unsigned int flags) {
    require_value(flags == CU_STREAM_ADD_CAPTURE_DEPENDENCIES || flags == CU_STREAM_SET_CAPTURE_DEPENDENCIES,
                  "unknown flags");
    rt::capture::set_dependencies(stream_of(stream), nodes_of(dependencies, count),
                                  flags == CU_STREAM_SET_CAPTURE_DEPENDENCIES);
    return Status::success;
}

Status driver::cuThreadExchangeStreamCaptureMode(CUstreamCaptureMode* mode) {
    CUstreamCaptureMode& wanted = out(mode, "mode");
    wanted = int(rt::capture::exchange_mode(mode_of(wanted)));
    return Status::success;
}

} // namespace shim
