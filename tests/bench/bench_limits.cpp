// What a kernel is held to, measured beside it: the core's memory bandwidth and its rate of multiplications and additions.
#include "reference.h"

#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>

namespace {

/// As many bytes read and written as a kernel that streams reads and writes.
void stream_copy(benchmark::State& state) {
    const size_t bytes = size_t(64 * bench::scale) << 20;
    auto* from = static_cast<uint64_t*>(aligned_alloc(4096, bytes));
    auto* to = static_cast<uint64_t*>(aligned_alloc(4096, bytes));
    memset(from, 1, bytes);
    memset(to, 2, bytes);
    for (auto _ : state) {
#pragma omp parallel for simd
        for (size_t i = 0; i < bytes / 8; i++) to[i] = from[i];
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(int64_t(2 * bytes) * state.iterations());
    free(from);
    free(to);
}

/// Fused multiplications and additions of floats in registers, in chains enough to hide how long each takes.
void multiply_add(benchmark::State& state) {
#ifdef __AVX512F__
    constexpr int lanes = 16;
#else
    constexpr int lanes = 8;
#endif
    using Vector [[gnu::vector_size(lanes * sizeof(float))]] = float;
    constexpr int chains = 12, rounds = 10000;
    for (auto _ : state) {
#pragma omp parallel
        {
            Vector sums[chains] = {}, factor = Vector{} + 0.5f, term = Vector{} + 1.0f;
            asm volatile("" : "+v"(factor), "+v"(term));
            for (int i = 0; i < rounds; i++) {
#pragma GCC unroll 12
                for (int chain = 0; chain < chains; chain++) {
                    sums[chain] = sums[chain] * factor + term;
                    asm volatile("" : "+v"(sums[chain])); // no sum is worked out beforehand
                }
            }
        }
    }
    // Of one thread: that is what the tables are made with.
    state.counters["flops"] = benchmark::Counter(2.0 * lanes * chains * rounds, benchmark::Counter::kIsIterationInvariantRate);
}

void timed(benchmark::internal::Benchmark* b) {
    b->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();
}
BENCHMARK(stream_copy)->Apply(timed);
BENCHMARK(multiply_add)->Apply(timed);

} // namespace
