// What a launch costs.
#include "driver.h"

#include <benchmark/benchmark.h>

namespace {

const char* empty_ptx = R"(
.version 7.0
.target sm_50
.address_size 64
.visible .entry empty() { ret; }
.visible .entry meet() { bar.sync 0; ret; }
)";

CUfunction kernel(const char* name) {
    static CUmodule module = bench::load(empty_ptx);
    return bench::function(module, name);
}

void launch(CUfunction f, unsigned grid, unsigned block) {
    bench::must(cuLaunchKernel(f, grid, 1, 1, block, 1, 1, 0, nullptr, nullptr, nullptr), "cuLaunchKernel");
}

// One launch and the wait for it; the median is the figure that counts.
void empty_launch_and_synchronize(benchmark::State& state) {
    CUfunction f = kernel("empty");
    for (auto _ : state) {
        launch(f, unsigned(state.range(0)), unsigned(state.range(1)));
        bench::must(cuCtxSynchronize(), "cuCtxSynchronize");
    }
}
BENCHMARK(empty_launch_and_synchronize)
    ->Args({1, 1})->Args({1, 256})->Args({64, 256})->Args({1024, 256})
    ->Unit(benchmark::kMicrosecond)->UseRealTime()->Repetitions(5)->ReportAggregatesOnly();

// Launches in a row without waiting.
void launch_throughput(benchmark::State& state) {
    CUfunction f = kernel("empty");
    for (auto _ : state) {
        for (int i = 0; i < 1000; i++) launch(f, 1, 32);
        bench::must(cuCtxSynchronize(), "cuCtxSynchronize");
    }
    state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(launch_throughput)->Unit(benchmark::kMicrosecond)->UseRealTime();

// Threads that all meet at one barrier and have nothing to keep: the price of a phase.
void barrier_per_thread(benchmark::State& state) {
    CUfunction f = kernel("meet");
    const unsigned block = unsigned(state.range(0));
    for (auto _ : state) {
        launch(f, 256, block);
        bench::must(cuCtxSynchronize(), "cuCtxSynchronize");
    }
    state.SetItemsProcessed(state.iterations() * 256 * block);
}
BENCHMARK(barrier_per_thread)->Arg(32)->Arg(256)->Arg(1024)->Unit(benchmark::kMicrosecond)->UseRealTime();

} // namespace
