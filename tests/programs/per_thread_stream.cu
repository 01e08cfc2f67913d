// Built with --default-stream per-thread: every host thread has a default stream of its own.
#ifndef __CUDACC__
#define CUDA_API_PER_THREAD_DEFAULT_STREAM
#endif
#include "program.h"

#include <thread>

#ifdef __CUDACC__
extern "C" __global__ void count_up(int* data, int n, int rounds) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n)
        for (int r = 0; r < rounds; r++) data[i] += r & 3;
}
#endif

int main() {
    const int threads = 4, n = 5000;
    std::vector<int> results(threads);
    std::vector<std::thread> pool;
    for (int t = 0; t < threads; t++)
        pool.emplace_back([&, t] {
            int* data;
            CHECK(cudaMalloc((void**)&data, n * sizeof(int)));
            CHECK(cudaMemsetAsync(data, 0, n * sizeof(int), 0));
            for (int k = 0; k < 10; k++) LAUNCH(count_up, (n + 127) / 128, 128, 0, 0)(data, n, 4 * (t + 1));
            std::vector<int> host(n);
            CHECK(cudaMemcpyAsync(host.data(), data, n * sizeof(int), cudaMemcpyDeviceToHost, 0));
            CHECK(cudaStreamSynchronize(0));
            int wrong = 0;
            for (int v : host) wrong += v != 10 * 6 * (t + 1);
            results[t] = wrong;
            CHECK(cudaFree(data));
        });
    for (auto& t : pool) t.join();
    for (int wrong : results) EXPECT(wrong == 0);
    return passed();
}
