// The kernels: CUDA code on Cuttle beside what a CPU programmer writes with OpenMP, on the same inputs. Results are
// compared before anything is timed.
#include "driver.h"
#include "reference.h"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <dlfcn.h>

namespace {

using namespace bench;

void openmp(benchmark::State& state, const std::string& name) {
    Problem p = make_problem(name, scale);
    for (auto _ : state) run_reference(p);
    free_problem(p);
}

/// The same, compiled by clang, in a library of its own with clang's OpenMP.
void* clang_library() {
    static void* const library = dlopen(BINARY_DIRECTORY "/libbench_omp_clang.so", RTLD_NOW | RTLD_LOCAL);
    return library;
}

void openmp_clang(benchmark::State& state, const std::string& name) {
    Problem p = make_problem(name, scale);
    const auto run = reinterpret_cast<bool (*)(Problem&)>(dlsym(clang_library(), "bench_omp_run"));
    for (auto _ : state)
        if (!run || !run(p)) {
            state.SkipWithError("there is no such kernel");
            break;
        }
    free_problem(p);
}

void cuttle(benchmark::State& state, const std::string& name) {
    Problem p = make_problem(name, scale);
    static CUmodule modules[] = {bench::load(bench::read_file(BENCH_DIRECTORY "/kernels.ptx")),
                                 bench::load(bench::read_file(BENCH_DIRECTORY "/further_kernels.ptx"))};
    CUfunction f = bench::function(modules[is_further(p.name)], p.name.c_str());
    Buf& out = p.b[p.out];
    const std::vector<char> reference = reference_result(p);
    std::vector<CUdeviceptr> device(p.b.size());
    for (size_t i = 0; i < device.size(); i++) {
        bench::must(cuMemAlloc_v2(&device[i], p.b[i].bytes), "cuMemAlloc");
        bench::must(cuMemcpyHtoD_v2(device[i], p.b[i].p, p.b[i].bytes), "cuMemcpyHtoD");
    }
    bench::must(cuMemsetD8_v2(device[p.out], p.zero_out ? 0 : 0xee, out.bytes), "cuMemsetD8");
    std::vector<void*> arguments;
    for (auto& a : p.a) arguments.push_back(a.k == Arg::BUF ? (void*)&device[a.i] : a.k == Arg::I32 ? (void*)&a.i : (void*)&a.f);
    auto run = [&] {
        bench::must(cuLaunchKernel(f, p.grid[0], p.grid[1], p.grid[2], p.block[0], p.block[1], p.block[2], 0, nullptr,
                                   arguments.data(), nullptr),
                    "cuLaunchKernel");
        bench::must(cuCtxSynchronize(), "cuCtxSynchronize");
    };
    run();
    bench::must(cuMemcpyDtoH_v2(out.p, device[p.out], out.bytes), "cuMemcpyDtoH");
    const std::string wrong = compare_out(p, reference.data(), out.p);
    if (!wrong.empty()) state.SkipWithError(wrong.c_str());
    for (auto _ : state) run();
    if (p.bytes > 0) state.SetBytesProcessed(int64_t(p.bytes) * state.iterations());
    if (p.flops > 0) state.counters["flops"] = benchmark::Counter(p.flops, benchmark::Counter::kIsIterationInvariantRate);
    for (CUdeviceptr d : device) cuMemFree_v2(d);
    free_problem(p);
}

const bool registered = [] {
    for (const std::string& name : problem_names()) {
        benchmark::RegisterBenchmark(("kernel/" + name + "/openmp").c_str(), openmp, name)
            ->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();
        if (clang_library())
            benchmark::RegisterBenchmark(("kernel/" + name + "/openmp_clang").c_str(), openmp_clang, name)
                ->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();
        benchmark::RegisterBenchmark(("kernel/" + name + "/cuttle").c_str(), cuttle, name)
            ->Unit(benchmark::kMillisecond)->MeasureProcessCPUTime()->UseRealTime();
    }
    return true;
}();

} // namespace
