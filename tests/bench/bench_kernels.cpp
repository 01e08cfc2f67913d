// The twelve kernels: CUDA code on Cuttle beside what a CPU programmer writes with OpenMP, on the same inputs. Results are
// compared before anything is timed.
#include "driver.h"
#include "problem.h"

#include <benchmark/benchmark.h>

#include <map>

namespace omp_gcc {
extern std::map<std::string, void (*)(Problem&)> table;
}

namespace {

constexpr double scale = 0.25;

void openmp(benchmark::State& state, const std::string& name) {
    Problem p = make_problem(name, scale);
    for (auto _ : state) omp_gcc::table[p.name](p);
    free_problem(p);
}

void cuttle(benchmark::State& state, const std::string& name) {
    static CUmodule module = bench::load(bench::read_file(BENCH_DIRECTORY "/kernels.ptx"));
    Problem p = make_problem(name, scale);
    CUfunction f = bench::function(module, p.name.c_str());
    Buf& out = p.b[p.out];
    if (p.zero_out) memset(out.p, 0, out.bytes);
    omp_gcc::table[p.name](p);
    std::vector<char> reference((char*)out.p, (char*)out.p + out.bytes);
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
    for (CUdeviceptr d : device) cuMemFree_v2(d);
    free_problem(p);
}

const bool registered = [] {
    for (const std::string& name : problem_names()) {
        benchmark::RegisterBenchmark(("kernel/" + name + "/openmp").c_str(), openmp, name)
            ->Unit(benchmark::kMillisecond)->UseRealTime();
        benchmark::RegisterBenchmark(("kernel/" + name + "/cuttle").c_str(), cuttle, name)
            ->Unit(benchmark::kMillisecond)->UseRealTime();
    }
    return true;
}();

} // namespace
