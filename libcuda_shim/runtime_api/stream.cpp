#include "runtime_api/bodies.h"

// Streams, capture and events.
namespace cudart::body {

void cudaStreamCreate(cudaStream_t* pStream) { check(cuStreamCreate(pStream, 0)); }

void cudaStreamCreateWithFlags(cudaStream_t* pStream, unsigned int flags) { check(cuStreamCreate(pStream, flags)); }

void cudaStreamCreateWithPriority(cudaStream_t* pStream, unsigned int flags, int priority) {
    check(cuStreamCreateWithPriority(pStream, flags, priority));
}

void cudaStreamDestroy(cudaStream_t stream) { check(cuStreamDestroy_v2(stream)); }

void cudaStreamSynchronize(cudaStream_t stream) { check(cuStreamSynchronize(effective(stream))); }

void cudaStreamQuery(cudaStream_t stream) { check(cuStreamQuery(effective(stream))); }

void cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned int flags) {
    check(cuStreamWaitEvent(effective(stream), event, flags));
}

void cudaStreamAddCallback(cudaStream_t stream, cudaStreamCallback_t callback, void* userData, unsigned int flags) {
    check(cuStreamAddCallback(effective(stream), callback, userData, flags));
}

void cudaStreamAttachMemAsync(cudaStream_t stream, void* devPtr, size_t length, unsigned int flags) {
    check(cuStreamAttachMemAsync(effective(stream), reinterpret_cast<CUdeviceptr>(devPtr), length, flags));
}

void cudaStreamGetDevice(cudaStream_t hStream, int* device) { check(cuStreamGetDevice(effective(hStream), device)); }

void cudaStreamGetFlags(cudaStream_t hStream, unsigned int* flags) {
    check(cuStreamGetFlags(effective(hStream), flags));
}

void cudaStreamGetId(cudaStream_t hStream, unsigned long long* streamId) {
    check(cuStreamGetId(effective(hStream), streamId));
}

void cudaStreamGetPriority(cudaStream_t hStream, int* priority) {
    check(cuStreamGetPriority(effective(hStream), priority));
}

void cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus* pCaptureStatus) {
    check(cuStreamIsCapturing(effective(stream), pCaptureStatus));
}

void cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
    check(cuStreamBeginCapture_v2(effective(stream), mode));
}

void cudaStreamBeginCaptureToGraph(cudaStream_t stream, cudaGraph_t graph, const cudaGraphNode_t* dependencies,
                                   const cudaGraphEdgeData* dependencyData, size_t numDependencies,
                                   cudaStreamCaptureMode mode) {
    check(cuStreamBeginCaptureToGraph(effective(stream), graph, dependencies, dependencyData, numDependencies, mode));
}

void cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* pGraph) {
    check(cuStreamEndCapture(effective(stream), pGraph));
}

void cudaStreamGetCaptureInfo(cudaStream_t stream, cudaStreamCaptureStatus* captureStatus_out,
                              unsigned long long* id_out, cudaGraph_t* graph_out,
                              const cudaGraphNode_t** dependencies_out, const cudaGraphEdgeData** edgeData_out,
                              size_t* numDependencies_out) {
    cuuint64_t id = 0;
    check(cuStreamGetCaptureInfo_v3(effective(stream), captureStatus_out, id_out ? &id : nullptr, graph_out,
                                    dependencies_out, edgeData_out, numDependencies_out));
    if (id_out) *id_out = id;
}

void cudaStreamUpdateCaptureDependencies(cudaStream_t stream, cudaGraphNode_t* dependencies,
                                         const cudaGraphEdgeData* dependencyData, size_t numDependencies,
                                         unsigned int flags) {
    check(
        cuStreamUpdateCaptureDependencies_v2(effective(stream), dependencies, dependencyData, numDependencies, flags));
}

void cudaStreamCopyAttributes(cudaStream_t dst, cudaStream_t src) {
    check(cuStreamCopyAttributes(effective(dst), effective(src)));
}

void cudaStreamGetAttribute(cudaStream_t hStream, cudaLaunchAttributeID attr, cudaLaunchAttributeValue* value_out) {
    check(cuStreamGetAttribute(effective(hStream), attr, value_out));
}

void cudaStreamSetAttribute(cudaStream_t hStream, cudaLaunchAttributeID attr, const cudaLaunchAttributeValue* value) {
    check(cuStreamSetAttribute(effective(hStream), attr, value));
}

void cudaEventCreate(cudaEvent_t* event) { check(cuEventCreate(event, 0)); }

void cudaEventCreateWithFlags(cudaEvent_t* event, unsigned int flags) { check(cuEventCreate(event, flags)); }

void cudaEventDestroy(cudaEvent_t event) { check(cuEventDestroy_v2(event)); }

void cudaEventRecord(cudaEvent_t event, cudaStream_t stream) { check(cuEventRecord(event, effective(stream))); }

void cudaEventRecordWithFlags(cudaEvent_t event, cudaStream_t stream, unsigned int flags) {
    check(cuEventRecordWithFlags(event, effective(stream), flags));
}

void cudaEventQuery(cudaEvent_t event) { check(cuEventQuery(event)); }

void cudaEventSynchronize(cudaEvent_t event) { check(cuEventSynchronize(event)); }

void cudaEventElapsedTime(float* ms, cudaEvent_t start, cudaEvent_t end) {
    check(cuEventElapsedTime_v2(ms, start, end));
}

} // namespace cudart::body
