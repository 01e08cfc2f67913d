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

/// A stream of its own.
class Stream {
  public:
    Stream() {
        bench::initialize();
        bench::must(cuStreamCreate(&stream_, 1 /* CU_STREAM_NON_BLOCKING */), "cuStreamCreate");
    }
    ~Stream() { cuStreamDestroy_v2(stream_); }
    Stream(const Stream&) = delete;
    operator CUstream() const { return stream_; }
    void synchronize() { bench::must(cuStreamSynchronize(stream_), "cuStreamSynchronize"); }

  private:
    CUstream stream_ = nullptr;
};

void record_event(benchmark::State& state) {
    Stream stream;
    CUevent event = nullptr;
    bench::must(cuEventCreate(&event, unsigned(state.range(0))), "cuEventCreate");
    for (auto _ : state) bench::must(cuEventRecord(event, stream), "cuEventRecord");
    stream.synchronize();
    cuEventDestroy_v2(event);
}
BENCHMARK(record_event)->Arg(0)->Arg(2 /* CU_EVENT_DISABLE_TIMING */)->UseRealTime();

// From a pool that has the memory already.
void allocate_and_free_in_stream(benchmark::State& state) {
    Stream stream;
    for (auto _ : state) {
        CUdeviceptr p = 0;
        bench::must(cuMemAllocAsync(&p, size_t(state.range(0)), stream), "cuMemAllocAsync");
        bench::must(cuMemFreeAsync(p, stream), "cuMemFreeAsync");
    }
    stream.synchronize();
}
BENCHMARK(allocate_and_free_in_stream)->Arg(256)->Arg(1 << 20)->UseRealTime();

void hundred_launches(CUstream stream) {
    CUfunction f = kernel("empty");
    for (int i = 0; i < 100; i++)
        bench::must(cuLaunchKernel(f, 1, 1, 1, 32, 1, 1, 0, stream, nullptr, nullptr), "cuLaunchKernel");
}

// A hundred empty kernels, one after another, and the wait for them: launched one by one, and as a graph.
void launches_100(benchmark::State& state) {
    Stream stream;
    for (auto _ : state) {
        hundred_launches(stream);
        stream.synchronize();
    }
}
BENCHMARK(launches_100)->Unit(benchmark::kMicrosecond)->UseRealTime();

void graph_of_100(benchmark::State& state) {
    Stream stream;
    CUgraph graph = nullptr;
    CUgraphExec exec = nullptr;
    bench::must(cuStreamBeginCapture_v2(stream, 2 /* CU_STREAM_CAPTURE_MODE_RELAXED */), "cuStreamBeginCapture");
    hundred_launches(stream);
    bench::must(cuStreamEndCapture(stream, &graph), "cuStreamEndCapture");
    bench::must(cuGraphInstantiateWithFlags(&exec, graph, 0), "cuGraphInstantiate");
    for (auto _ : state) {
        bench::must(cuGraphLaunch(exec, stream), "cuGraphLaunch");
        stream.synchronize();
    }
    cuGraphExecDestroy(exec);
    cuGraphDestroy(graph);
}
BENCHMARK(graph_of_100)->Unit(benchmark::kMicrosecond)->UseRealTime();

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
