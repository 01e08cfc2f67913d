// Copies against memcpy, fills, allocation.
#include "driver.h"

#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

namespace {

void memcpy_host(benchmark::State& state) {
    std::vector<char> a(size_t(state.range(0)), 1), b(a.size(), 2);
    for (auto _ : state) {
        std::memcpy(a.data(), b.data(), a.size());
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
}

enum class Way { host_to_device, device_to_host, device_to_device };

template <Way way> void copy(benchmark::State& state) {
    bench::initialize();
    const size_t bytes = size_t(state.range(0));
    std::vector<char> host(bytes, 3);
    CUdeviceptr a = 0, b = 0;
    bench::must(cuMemAlloc_v2(&a, bytes), "cuMemAlloc");
    bench::must(cuMemAlloc_v2(&b, bytes), "cuMemAlloc");
    bench::must(cuMemsetD8_v2(a, 1, bytes), "cuMemsetD8");
    bench::must(cuMemsetD8_v2(b, 2, bytes), "cuMemsetD8");
    for (auto _ : state) {
        switch (way) {
        case Way::host_to_device: bench::must(cuMemcpyHtoD_v2(a, host.data(), bytes), "cuMemcpyHtoD"); break;
        case Way::device_to_host: bench::must(cuMemcpyDtoH_v2(host.data(), a, bytes), "cuMemcpyDtoH"); break;
        case Way::device_to_device:
            bench::must(cuMemcpyDtoD_v2(a, b, bytes), "cuMemcpyDtoD");
            bench::must(cuCtxSynchronize(), "cuCtxSynchronize");
            break;
        }
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
    cuMemFree_v2(a);
    cuMemFree_v2(b);
}

void sizes(benchmark::internal::Benchmark* b) { b->Arg(4 << 10)->Arg(1 << 20)->Arg(64 << 20)->UseRealTime(); }
BENCHMARK(memcpy_host)->Apply(sizes);
BENCHMARK(copy<Way::host_to_device>)->Apply(sizes)->Name("copy_host_to_device");
BENCHMARK(copy<Way::device_to_host>)->Apply(sizes)->Name("copy_device_to_host");
BENCHMARK(copy<Way::device_to_device>)->Apply(sizes)->Name("copy_device_to_device");

void allocate_and_free(benchmark::State& state) {
    bench::initialize();
    for (auto _ : state) {
        CUdeviceptr p = 0;
        bench::must(cuMemAlloc_v2(&p, size_t(state.range(0))), "cuMemAlloc");
        bench::must(cuMemFree_v2(p), "cuMemFree");
    }
}
BENCHMARK(allocate_and_free)->Arg(256)->Arg(1 << 20)->Arg(64 << 20)->UseRealTime();

} // namespace
