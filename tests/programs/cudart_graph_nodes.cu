// Graph nodes of every type through the one function that adds any, user objects and attributes of streams, one line each:
// NVIDIA's libcudart and ours must print the same.
#include <cstdio>
#include <cstring>
#include <cuda_runtime.h>

#define SAY(call)                                                                                                      \
    do {                                                                                                               \
        const int answer = int(call);                                                                                  \
        std::printf("%s: %d, last %d\n", #call, answer, int(cudaGetLastError()));                                      \
    } while (0)

__global__ void add(int* words, int value) { words[threadIdx.x] += value; }
__global__ void stop(cudaGraphConditionalHandle handle, int* words) {
    if (threadIdx.x == 0) {
        words[1] += 1;
        cudaGraphSetConditional(handle, words[1] < 5);
    }
}

static int* words;
static int host[32];
static cudaStream_t stream;

static void call(void* text) { std::printf("host node says %s\n", (const char*)text); }
static void destroy(void* text) { std::printf("the last reference to %s is gone\n", (const char*)text); }

static cudaGraphNode_t put(cudaGraph_t graph, cudaGraphNode_t after, cudaGraphNodeParams& params) {
    cudaGraphNode_t node = nullptr;
    SAY(cudaGraphAddNode(&node, graph, &after, nullptr, after ? 1 : 0, &params));
    return node;
}

static void run(cudaGraph_t graph, const char* what) {
    cudaGraphExec_t executable;
    SAY(cudaGraphInstantiate(&executable, graph, 0));
    SAY(cudaGraphLaunch(executable, stream));
    SAY(cudaStreamSynchronize(stream));
    SAY(cudaMemcpy(host, words, sizeof host, cudaMemcpyDeviceToHost));
    std::printf("%s: %d %d %d\n", what, host[0], host[1], host[31]);
    SAY(cudaGraphExecDestroy(executable));
}

static void nodes() {
    cudaGraph_t graph, child;
    SAY(cudaGraphCreate(&graph, 0));
    SAY(cudaGraphCreate(&child, 0));
    cudaGraphNodeParams p = {};
    p.type = cudaGraphNodeTypeMemset;
    p.memset.dst = words;
    p.memset.value = 7;
    p.memset.elementSize = 4;
    p.memset.width = 32;
    p.memset.height = 1;
    cudaGraphNode_t last = put(graph, nullptr, p);
    p.memset.elementSize = 3;
    put(graph, last, p);

    int value = 10;
    void* arguments[] = {&words, &value};
    p = {};
    p.type = cudaGraphNodeTypeKernel;
    p.kernel.func = (void*)add;
    p.kernel.gridDim = dim3(1);
    p.kernel.blockDim = dim3(32);
    p.kernel.kernelParams = arguments;
    const cudaGraphNode_t kernel = last = put(graph, last, p);
    value = 20;
    SAY(cudaGraphNodeSetParams(kernel, &p));
    put(child, nullptr, p);
    p.kernel.func = (void*)host;
    put(graph, last, p);

    p = {};
    p.type = cudaGraphNodeTypeGraph;
    p.graph.graph = child;
    last = put(graph, last, p);

    p = {};
    p.type = cudaGraphNodeTypeHost;
    p.host.fn = call;
    p.host.userData = (void*)"hello";
    last = put(graph, last, p);
    p = {};
    p.type = cudaGraphNodeTypeEmpty;
    last = put(graph, last, p);

    cudaEvent_t event;
    SAY(cudaEventCreate(&event));
    p = {};
    p.type = cudaGraphNodeTypeEventRecord;
    p.eventRecord.event = event;
    last = put(graph, last, p);
    p = {};
    p.type = cudaGraphNodeTypeWaitEvent;
    p.eventWait.event = event;
    last = put(graph, last, p);

    p = {};
    p.type = cudaGraphNodeTypeMemAlloc;
    p.alloc.poolProps.allocType = cudaMemAllocationTypePinned;
    p.alloc.poolProps.location.type = cudaMemLocationTypeDevice;
    p.alloc.bytesize = 4096;
    last = put(graph, last, p);
    void* const memory = p.alloc.dptr;
    std::printf("%d\n", memory != nullptr);
    p = {};
    p.type = cudaGraphNodeTypeMemcpy;
    p.memcpy.copyParams.srcPtr = make_cudaPitchedPtr(words, 64, 64, 1);
    p.memcpy.copyParams.dstPtr = make_cudaPitchedPtr(words + 16, 64, 64, 1);
    p.memcpy.copyParams.extent = make_cudaExtent(64, 1, 1);
    p.memcpy.copyParams.kind = cudaMemcpyDeviceToDevice;
    last = put(graph, last, p);
    p.memcpy.copyParams.extent = make_cudaExtent(0, 0, 0);
    put(graph, last, p);
    p = {};
    p.type = cudaGraphNodeTypeMemFree;
    p.free.dptr = memory;
    last = put(graph, last, p);
    p = {};
    p.type = cudaGraphNodeType(40);
    SAY(cudaGraphAddNode(&last, graph, nullptr, nullptr, 0, nullptr));
    run(graph, "all types");
    SAY(cudaGraphDestroy(child));
    SAY(cudaGraphDestroy(graph));
}

static void conditional() {
    cudaGraph_t graph;
    cudaGraphConditionalHandle handle;
    SAY(cudaGraphCreate(&graph, 0));
    SAY(cudaGraphConditionalHandleCreate(&handle, graph, 1, cudaGraphCondAssignDefault));
    cudaGraphNodeParams p = {};
    p.type = cudaGraphNodeTypeConditional;
    p.conditional.handle = handle;
    p.conditional.type = cudaGraphCondTypeWhile;
    p.conditional.size = 1;
    put(graph, nullptr, p);
    const cudaGraph_t body = p.conditional.phGraph_out ? p.conditional.phGraph_out[0] : nullptr;
    std::printf("%d\n", body != nullptr);
    void* arguments[] = {&handle, &words};
    p = {};
    p.type = cudaGraphNodeTypeKernel;
    p.kernel.func = (void*)stop;
    p.kernel.gridDim = dim3(1);
    p.kernel.blockDim = dim3(32);
    p.kernel.kernelParams = arguments;
    put(body, nullptr, p);
    SAY(cudaMemset(words, 0, sizeof host));
    run(graph, "while");
    SAY(cudaGraphDestroy(graph));
}

static void user_objects() {
    cudaUserObject_t object;
    cudaGraph_t graph, clone;
    SAY(cudaUserObjectCreate(&object, (void*)"it", destroy, 1, 0));
    SAY(cudaUserObjectCreate(&object, (void*)"it", destroy, 0, cudaUserObjectNoDestructorSync));
    SAY(cudaUserObjectCreate(&object, (void*)"it", destroy, 2, cudaUserObjectNoDestructorSync));
    SAY(cudaUserObjectRetain(object, 0));
    SAY(cudaUserObjectRetain(object, 1));
    SAY(cudaUserObjectRelease(object, 2));
    SAY(cudaGraphCreate(&graph, 0));
    SAY(cudaGraphRetainUserObject(graph, object, 1, cudaGraphUserObjectMove));
    SAY(cudaGraphRetainUserObject(graph, object, 1, 0));
    SAY(cudaGraphReleaseUserObject(graph, object, 1));
    SAY(cudaGraphClone(&clone, graph));
    SAY(cudaGraphDestroy(graph));
    SAY(cudaGraphDestroy(clone));
}

static void attributes() {
    cudaStreamAttrValue value = {};
    cudaStream_t other;
    SAY(cudaStreamCreate(&other));
    SAY(cudaStreamGetAttribute(stream, cudaStreamAttributeSynchronizationPolicy, &value));
    std::printf("%d\n", int(value.syncPolicy));
    value.syncPolicy = cudaSyncPolicyYield;
    SAY(cudaStreamSetAttribute(stream, cudaStreamAttributeSynchronizationPolicy, &value));
    SAY(cudaStreamCopyAttributes(other, stream));
    value = {};
    SAY(cudaStreamGetAttribute(other, cudaStreamAttributeSynchronizationPolicy, &value));
    std::printf("%d\n", int(value.syncPolicy));
    SAY(cudaStreamGetAttribute(other, cudaLaunchAttributeCooperative, &value));
    SAY(cudaStreamDestroy(other));
}

int main() {
    SAY(cudaMalloc((void**)&words, sizeof host));
    SAY(cudaStreamCreate(&stream));
    nodes();
    conditional();
    user_objects();
    attributes();
}
