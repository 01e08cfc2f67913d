// cuda::pipeline of libcu++: one of the block, in stages, and one of each thread.
#include "program.h"

#ifdef __CUDACC__
#include <cooperative_groups.h>
#include <cuda/pipeline>
#pragma nv_diag_suppress static_var_with_dynamic_init

namespace cg = cooperative_groups;

extern "C" __global__ void staged(const unsigned* in, unsigned* out, int batches) {
    constexpr int stages = 3, size = 128;
    __shared__ cuda::pipeline_shared_state<cuda::thread_scope_block, stages> state;
    __shared__ alignas(16) unsigned buffer[stages][size];
    auto block = cg::this_thread_block();
    auto pipeline = cuda::make_pipeline(block, &state);
    unsigned sum = 0;
    for (int batch = 0, fetched = 0; batch < batches; batch++) {
        for (; fetched < batches && fetched < batch + stages; fetched++) {
            pipeline.producer_acquire();
            cuda::memcpy_async(block, buffer[fetched % stages], in + fetched * size, sizeof(unsigned) * size, pipeline);
            pipeline.producer_commit();
        }
        pipeline.consumer_wait();
        sum = sum * 9 + buffer[batch % stages][(threadIdx.x * 5 + batch) % size];
        pipeline.consumer_release();
    }
    out[threadIdx.x] = sum;
}

// The first warp fetches, the others compute.
extern "C" __global__ void partitioned(const unsigned* in, unsigned* out, int batches) {
    constexpr int stages = 2, size = 96;
    __shared__ cuda::pipeline_shared_state<cuda::thread_scope_block, stages> state;
    __shared__ alignas(16) unsigned buffer[stages][size];
    auto block = cg::this_thread_block();
    const bool fetches = threadIdx.x < 32;
    auto pipeline = cuda::make_pipeline(block, &state, fetches ? cuda::pipeline_role::producer : cuda::pipeline_role::consumer);
    unsigned sum = 0;
    for (int batch = 0; batch < batches; batch++) {
        if (fetches) {
            pipeline.producer_acquire();
            for (int i = threadIdx.x; i < size; i += 32)
                cuda::memcpy_async(&buffer[batch % stages][i], in + batch * size + i, cuda::aligned_size_t<4>(4), pipeline);
            pipeline.producer_commit();
        } else {
            pipeline.consumer_wait();
            sum = sum * 3 + buffer[batch % stages][(threadIdx.x + batch) % size];
            pipeline.consumer_release();
        }
    }
    out[threadIdx.x] = sum;
}

extern "C" __global__ void own(const unsigned* in, unsigned* out) {
    __shared__ alignas(16) unsigned buffer[2][256];
    auto pipeline = cuda::make_pipeline();
    unsigned sum = 0;
    const unsigned t = threadIdx.x;
    pipeline.producer_acquire();
    cuda::memcpy_async(&buffer[0][t], in + t, cuda::aligned_size_t<4>(4), pipeline);
    pipeline.producer_commit();
    for (int i = 1; i <= 8; i++) {
        pipeline.producer_acquire();
        if (i < 8) cuda::memcpy_async(&buffer[i & 1][t], in + 100 * i + t, cuda::aligned_size_t<4>(4), pipeline);
        pipeline.producer_commit();
        cuda::pipeline_consumer_wait_prior<1>(pipeline);
        sum = sum * 7 + buffer[~i & 1][t];
        pipeline.consumer_release();
    }
    out[t] = sum;
}
#endif

int main() {
    std::vector<unsigned> in(4096);
    for (size_t i = 0; i < in.size(); i++) in[i] = hash32(unsigned(i));
    DeviceArray<unsigned> din(in), out(256);
    auto report = [&](const char* name) {
        CHECK(cudaGetLastError());
        CHECK(cudaDeviceSynchronize());
        const std::vector<unsigned> result = out.download();
        std::printf("%s %u %u digest %016llx\n", name, result[0], result[70], (unsigned long long)digest(result));
    };
    CHECK(cudaMemset(out.data, 0, 1024));
    LAUNCH(staged, 1, 128, 0, 0)(din.data, out.data, 20);
    report("staged");
    CHECK(cudaMemset(out.data, 0, 1024));
    LAUNCH(partitioned, 1, 128, 0, 0)(din.data, out.data, 17);
    report("partitioned");
    CHECK(cudaMemset(out.data, 0, 1024));
    LAUNCH(own, 1, 256, 0, 0)(din.data, out.data);
    report("own");
    return passed();
}
