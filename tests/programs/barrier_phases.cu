#include "program.h"

// What lies between barriers: values that threads keep, barriers under conditions, threads that end early, votes.

constexpr int words = 16;

#ifdef __CUDACC__
__device__ __noinline__ int shifted(int* s, int mine, int n) {
    s[threadIdx.x] = mine;
    __syncthreads();
    const int other = s[(threadIdx.x + 1) % n];
    __syncthreads();
    return other;
}

/// Values of every width, and an array, that outlive barriers in a loop.
extern "C" __global__ void keeps(const int* in, int* out, int rounds) {
    __shared__ int s[256];
    const int t = threadIdx.x, n = blockDim.x, base = (blockIdx.x * n + t) * 16;
    const bool odd = in[t] & 1;
    char narrow = char(in[t]);
    short half = short(in[t] * 3);
    long long wide = in[t] * 0x100000001ll;
    double real = in[t] * 0.5;
    int ring[4] = {t, t + 1, t + 2, t + 3};
    for (int i = 0; i < rounds; i++) {
        const int other = shifted(s, in[t] + i, n);
        narrow += char(other);
        half ^= short(other + i);
        wide = wide * 3 + other;
        real += other * 0.25;
        ring[(i + other) & 3] += other;
    }
    out[base] = odd, out[base + 1] = narrow, out[base + 2] = half, out[base + 3] = int(wide),
    out[base + 4] = int(wide >> 32);
    out[base + 5] = int(real * 4);
    for (int i = 0; i < 4; i++) out[base + 6 + i] = ring[i];
}

/// Halves of a block at different barriers, and threads that end before the others.
extern "C" __global__ void apart(const int* in, int* out) {
    __shared__ int s[512];
    const int t = threadIdx.x, n = blockDim.x;
    int* mine = out + (blockIdx.x * n + t) * 16;
    s[t] = in[t];
    if (t < 64) {
        __syncthreads();
        mine[0] = s[n - 1 - t];
        __syncthreads();
        s[t] = mine[0] * 5;
    } else {
        s[t] = in[t] + 7;
        __syncthreads();
        mine[0] = s[t - 64] * 2;
        __syncthreads();
        mine[1] = 1;
    }
    __syncthreads();
    mine[2] = s[(t * 7) % n];
    if (t % 3 == 0 && t >= 32) return;
    __syncthreads();
    s[t] = mine[2];
    __syncthreads();
    mine[3] = s[t ^ 1];
    for (int i = 0; i < int(blockIdx.x) + 1; i++) {
        __syncthreads();
        mine[4 + i] = s[(t + i) % n];
        if (t == 95 - i) return;
    }
}

/// The three barriers that vote, among them in a branch that only some take part in at first.
extern "C" __global__ void votes(const int* in, int* out, int limit) {
    const int t = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
    const int n = blockDim.x * blockDim.y * blockDim.z;
    int* mine = out + (blockIdx.x * n + t) * 16;
    mine[0] = __syncthreads_count(in[t] > limit);
    mine[1] = __syncthreads_and(in[t] > -2000);
    mine[2] = __syncthreads_or(in[t] > limit && t % 5 == 0);
    int open = t, rounds = 0;
    while (__syncthreads_or(open > 0)) {
        open -= 1 + (in[t] & 3);
        rounds++;
    }
    mine[3] = rounds;
    mine[4] = __syncthreads_and(in[t] > limit);
    mine[5] = threadIdx.x * 10000 + threadIdx.y * 100 + threadIdx.z;
}
#endif

unsigned digest_of(const std::vector<int>& values) {
    unsigned digest = 0;
    for (size_t i = 0; i < values.size(); i++) digest = hash32(digest ^ hash32(unsigned(values[i]) + unsigned(i)));
    return digest;
}

int main() {
    std::vector<int> in(512);
    for (int i = 0; i < 512; i++) in[i] = int(hash32(i) % 2001) - 1000;
    DeviceArray<int> din(in);
    for (int threads : {1, 31, 64, 100, 256}) {
        DeviceArray<int> out(std::vector<int>(3 * 512 * words));
        LAUNCH(keeps, 3, threads, 0, 0)(din.data, out.data, 6);
        CHECK(cudaGetLastError());
        std::printf("keeps %d: %08x\n", threads, digest_of(out.download()));
    }
    for (int threads : {96, 128, 256, 512}) {
        DeviceArray<int> out(std::vector<int>(3 * 512 * words));
        LAUNCH(apart, 3, threads, 0, 0)(din.data, out.data);
        CHECK(cudaGetLastError());
        std::printf("apart %d: %08x\n", threads, digest_of(out.download()));
    }
    for (dim3 block : {dim3(1, 1, 1), dim3(7, 5, 3), dim3(32, 4, 2), dim3(2, 3, 64)}) {
        DeviceArray<int> out(std::vector<int>(2 * 512 * words));
        LAUNCH(votes, 2, block, 0, 0)(din.data, out.data, 100);
        CHECK(cudaGetLastError());
        std::printf("votes %u,%u,%u: %08x\n", block.x, block.y, block.z, digest_of(out.download()));
    }
    return passed();
}
