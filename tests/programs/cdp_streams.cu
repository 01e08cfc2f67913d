// Launches from kernels: device streams and events, fire-and-forget and tail launches.
#include "program.h"

#ifdef __CUDACC__
__global__ void put(int* log, int* at, int what) { log[atomicAdd(at, 1)] = what; }

__global__ void add(int* value, int n) {
    for (int i = 0; i < 50; i++) __nanosleep(100);
    atomicAdd(value, n);
}
__global__ void copy_value(int* to, const int* from) { *to = *from; }

/// Two streams, ordered by an event.
__global__ void streams(int* value, int* seen, int* status) {
    cudaStream_t first, second;
    cudaEvent_t event;
    status[0] = cudaStreamCreateWithFlags(&first, cudaStreamNonBlocking);
    status[1] = cudaStreamCreateWithFlags(&second, cudaStreamNonBlocking);
    status[2] = cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
    for (int i = 0; i < 4; i++) add<<<1, 8, 0, first>>>(value, 1 << i);
    status[3] = cudaEventRecord(event, first);
    status[4] = cudaStreamWaitEvent(second, event, 0);
    copy_value<<<1, 1, 0, second>>>(seen, value);
    status[5] = cudaEventDestroy(event);
    status[6] = cudaStreamDestroy(first);
    status[7] = cudaStreamDestroy(second);
    status[8] = cudaGetLastError();
}

/// A stream made by one thread, used by the others of its block.
__global__ void shared_stream(int* value) {
    __shared__ cudaStream_t stream;
    if (threadIdx.x == 0) cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
    __syncthreads();
    for (unsigned i = 0; i < blockDim.x; i++) {
        if (i == threadIdx.x) add<<<1, 1, 0, stream>>>(value, i);
        __syncthreads();
    }
}

/// Tail launches run when the grid and all its other children are done, in order; their own tails before the next.
__global__ void inner_tail(int* log, int* at) {
    put<<<1, 1, 0, cudaStreamTailLaunch>>>(log, at, 41);
    put<<<1, 1>>>(log, at, 40);
}
__global__ void tails(int* log, int* at, int* value) {
    put<<<1, 1, 0, cudaStreamTailLaunch>>>(log, at, 3);
    inner_tail<<<1, 1, 0, cudaStreamTailLaunch>>>(log, at);
    put<<<1, 1, 0, cudaStreamTailLaunch>>>(log, at, 5);
    put<<<1, 1>>>(log, at, 1);
    put<<<1, 1>>>(log, at, 2);
    for (int i = 0; i < 5; i++) add<<<1, 4, 0, cudaStreamFireAndForget>>>(value, 1);
    copy_value<<<1, 1, 0, cudaStreamTailLaunch>>>(value + 1, value);
}

/// Fire and forget: no order among them, but all belong to the grid.
__global__ void forget(int* value) {
    if (threadIdx.x < 16) add<<<2, 4, 0, cudaStreamFireAndForget>>>(value, threadIdx.x);
}

/// A tail launch of the same kernel: the way to a loop on the device.
__global__ void loop(int* value, int n) {
    *value += n;
    if (n > 0) loop<<<1, 1, 0, cudaStreamTailLaunch>>>(value, n - 1);
}
#endif

int main() {
    DeviceArray<int> value(4), log(16), status(16);
    CHECK(cudaMemset(value.data, 0, 16));
    streams<<<1, 1>>>(value.data, value.data + 1, status.data);
    CHECK(cudaDeviceSynchronize());
    std::vector<int> v = value.download(), s = status.download();
    std::printf("streams %d, seen %d, status", v[0], v[1]);
    for (int i = 0; i < 9; i++) std::printf(" %d", s[i]);
    std::printf("\n");

    CHECK(cudaMemset(value.data, 0, 16));
    shared_stream<<<1, 32>>>(value.data);
    CHECK(cudaDeviceSynchronize());
    std::printf("shared stream %d\n", value.download()[0]);

    CHECK(cudaMemset(value.data, 0, 16));
    tails<<<1, 1>>>(log.data, value.data + 2, value.data);
    put<<<1, 1>>>(log.data, value.data + 2, 6);
    CHECK(cudaDeviceSynchronize());
    v = value.download();
    std::vector<int> l = log.download();
    std::printf("tails");
    for (int i = 0; i < v[2]; i++) std::printf(" %d", l[i]);
    std::printf(", value %d, seen %d\n", v[0], v[1]);

    CHECK(cudaMemset(value.data, 0, 16));
    forget<<<3, 32>>>(value.data);
    copy_value<<<1, 1>>>(value.data + 1, value.data);
    CHECK(cudaDeviceSynchronize());
    v = value.download();
    std::printf("forget %d, seen %d\n", v[0], v[1]);

    CHECK(cudaMemset(value.data, 0, 16));
    loop<<<1, 1>>>(value.data, 200);
    CHECK(cudaDeviceSynchronize());
    std::printf("loop %d\n", value.download()[0]);
    return passed();
}
