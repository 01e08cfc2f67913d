#include "program.h"

#ifdef __CUDACC__
extern "C" __global__ void scale_add(float* data, int n, float scale, float add) {
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += gridDim.x * blockDim.x) data[i] = data[i] * scale + add;
}
#endif

struct Note {
    std::vector<int>* log;
    int value;
};
static void note(void* p) { ((Note*)p)->log->push_back(((Note*)p)->value); }
static void CUDART_CB note_callback(cudaStream_t, cudaError_t status, void* p) {
    if (status == cudaSuccess) note(p);
}

int main() {
    const int n = 100000, streams = 4;
    float* pinned;
    CHECK(cudaMallocHost((void**)&pinned, streams * n * sizeof(float)));
    for (int i = 0; i < streams * n; i++) pinned[i] = float(i % 1000);
    float* device;
    CHECK(cudaMalloc((void**)&device, streams * n * sizeof(float)));
    cudaStream_t stream[streams];
    cudaEvent_t begin, end, half;
    CHECK(cudaEventCreate(&begin));
    CHECK(cudaEventCreate(&end));
    CHECK(cudaEventCreateWithFlags(&half, cudaEventDisableTiming));
    for (auto& s : stream) CHECK(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking));
    std::vector<int> log;
    std::vector<Note> notes;
    notes.reserve(8);
    CHECK(cudaEventRecord(begin, stream[0]));
    for (int s = 0; s < streams; s++) {
        float* d = device + s * n;
        CHECK(cudaMemcpyAsync(d, pinned + s * n, n * sizeof(float), cudaMemcpyHostToDevice, stream[s]));
        LAUNCH(scale_add, 20, 256, 0, stream[s])(d, n, 2.0f, 1.0f);
        if (s == 1) CHECK(cudaEventRecord(half, stream[s]));
    }
    // Stream 0 reads what stream 1 made, so it must wait for it.
    CHECK(cudaStreamWaitEvent(stream[0], half, 0));
    CHECK(cudaMemcpyAsync(device, device + n, n * sizeof(float), cudaMemcpyDeviceToDevice, stream[0]));
    for (int i = 0; i < 3; i++) {
        notes.push_back({&log, i});
        if (i == 1)
            CHECK(cudaStreamAddCallback(stream[0], note_callback, &notes.back(), 0));
        else
            CHECK(cudaLaunchHostFunc(stream[0], note, &notes.back()));
        LAUNCH(scale_add, 20, 256, 0, stream[0])(device, n, 1.0f, 1.0f);
    }
    for (int s = 0; s < streams; s++)
        CHECK(cudaMemcpyAsync(pinned + s * n, device + s * n, n * sizeof(float), cudaMemcpyDeviceToHost, stream[s]));
    CHECK(cudaEventRecord(end, stream[0]));
    CHECK(cudaEventSynchronize(end));
    EXPECT(cudaEventQuery(end) == cudaSuccess);
    float milliseconds = -1;
    CHECK(cudaEventElapsedTime(&milliseconds, begin, end));
    EXPECT(milliseconds > 0 && milliseconds < 60000);
    for (auto& s : stream) CHECK(cudaStreamSynchronize(s));
    EXPECT(cudaEventElapsedTime(&milliseconds, begin, half) == cudaErrorInvalidResourceHandle);
    EXPECT(log == (std::vector<int>{0, 1, 2}));
    for (int s = 0; s < streams; s++)
        for (int i = 0; i < n; i++) {
            float v = float((s ? s * n + i : n + i) % 1000) * 2 + 1;
            EXPECT(pinned[s * n + i] == (s ? v : v + 3));
        }
    // The legacy default stream waits for blocking streams and they for it.
    cudaStream_t blocking;
    CHECK(cudaStreamCreate(&blocking));
    CHECK(cudaMemset(device, 0, n * sizeof(float)));
    LAUNCH(scale_add, 1, 64, 0, blocking)(device, n, 1.0f, 5.0f);
    LAUNCH(scale_add, 20, 256, 0, 0)(device, n, 3.0f, 0.0f);
    LAUNCH(scale_add, 20, 256, 0, blocking)(device, n, 1.0f, 1.0f);
    CHECK(cudaMemcpy(pinned, device, n * sizeof(float), cudaMemcpyDeviceToHost));
    CHECK(cudaStreamSynchronize(blocking));
    for (int i = 0; i < n; i++) EXPECT(pinned[i] == 16);
    CHECK(cudaStreamDestroy(blocking));
    for (auto& s : stream) CHECK(cudaStreamDestroy(s));
    CHECK(cudaEventDestroy(begin));
    CHECK(cudaEventDestroy(end));
    CHECK(cudaEventDestroy(half));
    CHECK(cudaFree(device));
    CHECK(cudaFreeHost(pinned));
    std::printf("callbacks %zu\n", log.size());
    return passed();
}
