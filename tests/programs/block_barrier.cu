// cuda::barrier of libcu++: in software before sm_80, on mbarrier objects from there on.
#include "program.h"

#ifdef __CUDACC__
#include <cuda/barrier>
#include <cuda/std/utility>
#pragma nv_diag_suppress static_var_with_dynamic_init

using Barrier = cuda::barrier<cuda::thread_scope_block>;

extern "C" __global__ void stencil(const unsigned* in, unsigned* out, int rounds) {
    __shared__ Barrier barrier;
    __shared__ unsigned cells[2][256];
    if (threadIdx.x == 0) init(&barrier, blockDim.x);
    __syncthreads();
    const unsigned t = threadIdx.x, n = blockDim.x;
    cells[0][t] = in[blockIdx.x * n + t];
    for (int i = 0; i < rounds; i++) {
        barrier.arrive_and_wait();
        const unsigned* now = cells[i & 1];
        cells[~i & 1][t] = now[(t + 1) % n] * 3 + now[(t + n - 1) % n] + i;
    }
    barrier.arrive_and_wait();
    out[blockIdx.x * n + t] = cells[rounds & 1][t];
}

// Arrive, do something else, wait; and a producer that hands over through two barriers.
extern "C" __global__ void split(const unsigned* in, unsigned* out) {
    __shared__ Barrier ready, filled;
    __shared__ unsigned buffer[64];
    const unsigned t = threadIdx.x;
    if (t == 0) init(&ready, blockDim.x), init(&filled, blockDim.x);
    __syncthreads();
    unsigned sum = 0;
    for (int i = 0; i < 12; i++) {
        if (t < 64) {
            ready.arrive_and_wait();
            buffer[t] = in[i * 64 + t];
            (void)filled.arrive();
        } else {
            (void)ready.arrive();
            Barrier::arrival_token token = filled.arrive();
            sum = sum * 5 + i;
            filled.wait(cuda::std::move(token));
            sum += buffer[(t * 7 + i) % 64];
        }
    }
    out[t] = sum;
}

extern "C" __global__ void dropping(unsigned* out) {
    __shared__ Barrier barrier;
    __shared__ unsigned count;
    if (threadIdx.x == 0) init(&barrier, blockDim.x), count = 0;
    __syncthreads();
    for (unsigned round = 0; round < 4; round++) {
        atomicAdd(&count, 1u);
        if (threadIdx.x / 32 == round) {
            barrier.arrive_and_drop();
            return;
        }
        barrier.arrive_and_wait();
        if (threadIdx.x == blockDim.x - 1) out[round] = count;
        barrier.arrive_and_wait();
    }
}

extern "C" __global__ void copying(const unsigned* in, unsigned* out) {
    __shared__ Barrier barrier;
    __shared__ alignas(16) unsigned buffer[512];
    const unsigned t = threadIdx.x;
    if (t == 0) init(&barrier, blockDim.x);
    __syncthreads();
    cuda::memcpy_async(buffer + 4 * t, in + 4 * t, cuda::aligned_size_t<16>(16), barrier);
    barrier.arrive_and_wait();
    for (int i = 0; i < 4; i++) out[4 * t + i] = buffer[(4 * t + i + 100) % 512];
}
#endif

int main() {
    std::vector<unsigned> in(1024);
    for (size_t i = 0; i < in.size(); i++) in[i] = hash32(unsigned(i));
    DeviceArray<unsigned> din(in), out(1024);
    auto report = [&](const char* name) {
        CHECK(cudaGetLastError());
        CHECK(cudaDeviceSynchronize());
        const std::vector<unsigned> result = out.download();
        std::printf("%s %u %u digest %016llx\n", name, result[0], result[70], (unsigned long long)digest(result));
    };
    CHECK(cudaMemset(out.data, 0, 4096));
    LAUNCH(stencil, 4, 256, 0, 0)(din.data, out.data, 25);
    report("stencil");
    CHECK(cudaMemset(out.data, 0, 4096));
    LAUNCH(split, 1, 128, 0, 0)(din.data, out.data);
    report("split");
    CHECK(cudaMemset(out.data, 0, 4096));
    LAUNCH(dropping, 1, 160, 0, 0)(out.data);
    report("dropping");
    CHECK(cudaMemset(out.data, 0, 4096));
    LAUNCH(copying, 1, 128, 0, 0)(din.data, out.data);
    report("copying");
    return passed();
}
