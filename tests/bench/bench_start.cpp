// How long a process takes from exec to exit, with an empty and with a warm code cache, and what translation costs.
#include "driver.h"

#include <benchmark/benchmark.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

namespace fs = std::filesystem;

/// A folder that goes with the object.
struct Folder {
    std::string path = (fs::temp_directory_path() / "cuttle-bench-XXXXXX").string();
    Folder() { bench::must(mkdtemp(path.data()) == nullptr, "mkdtemp"); }
    ~Folder() { fs::remove_all(path); }
};

void run(const std::string& command) { bench::must(std::system(command.c_str()), command.c_str()); }

// One launch of vector addition by this very program, run anew with --vector-add.
std::string child(const std::string& cache) {
    return "CUTTLE_CACHE_DIR=" + cache + " " + fs::read_symlink("/proc/self/exe").string() +
           " --benchmark_filter=^vector_add_once >/dev/null 2>&1";
}

void vector_add_once(benchmark::State& state) {
    CUmodule module = bench::load(bench::read_file(BENCH_DIRECTORY "/kernels.ptx"));
    CUfunction f = bench::function(module, "saxpy");
    int n = 1024;
    float a = 1;
    CUdeviceptr p = 0;
    bench::must(cuMemAlloc_v2(&p, size_t(n) * 4), "cuMemAlloc");
    void* arguments[] = {&n, &a, &p, &p, &p};
    for (auto _ : state) bench::must(cuLaunchKernel(f, 4, 1, 1, 256, 1, 1, 0, nullptr, arguments, nullptr), "cuLaunchKernel");
    bench::must(cuCtxSynchronize(), "cuCtxSynchronize");
}
BENCHMARK(vector_add_once)->Iterations(1)->UseRealTime();

void process_start_cold(benchmark::State& state) {
    for (auto _ : state) {
        Folder cache;
        run(child(cache.path));
    }
}
BENCHMARK(process_start_cold)->Unit(benchmark::kMillisecond)->UseRealTime()->MinTime(3);

void process_start_warm(benchmark::State& state) {
    Folder cache;
    run(child(cache.path));
    for (auto _ : state) run(child(cache.path));
}
BENCHMARK(process_start_warm)->Unit(benchmark::kMillisecond)->UseRealTime()->MinTime(3);

// A kernel of `n` dependent arithmetic instructions through the offline compiler.
void translate(benchmark::State& state) {
    const int n = int(state.range(0));
    std::string body;
    for (int i = 0; i < n; i++) {
        const std::string d = "%r" + std::to_string(i % 32), a = "%r" + std::to_string((i * 7 + 1) % 32);
        body += i % 3 == 0   ? "mad.lo.s32 " + d + ", " + a + ", " + d + ", 12345;\n"
                : i % 3 == 1 ? "xor.b32 " + d + ", " + d + ", " + a + ";\n"
                             : "ld.global.u32 " + d + ", [%p+" + std::to_string(4 * (i % 64)) + "];\n";
    }
    for (int i = 0; i < 32; i++) body += "st.global.u32 [%p+" + std::to_string(4 * i) + "], %r" + std::to_string(i) + ";\n";
    Folder folder;
    const std::string file = folder.path + "/kernel.ptx";
    FILE* f = std::fopen(file.c_str(), "w");
    std::fprintf(f, ".version 7.0\n.target sm_50\n.address_size 64\n.visible .entry k(.param .u64 p) {\n.reg .b64 %%p;\n.reg .b32 %%r<32>;\n"
                    "ld.param.u64 %%p, [p];\n");
    for (int i = 0; i < 32; i++) std::fprintf(f, "ld.global.u32 %%r%d, [%%p+%d];\n", i, 4 * i);
    std::fprintf(f, "%sret;\n}\n", body.c_str());
    std::fclose(f);
    const auto begin = std::chrono::steady_clock::now();
    for (auto _ : state) run(std::string(BINARY_DIRECTORY) + "/cuttle-ptxc " + file + " --target host -o " + folder.path + "/out");
    const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - begin;
    state.counters["ms_per_1000_instructions"] = spent.count() / double(state.iterations()) / (n / 1000.0);
}
BENCHMARK(translate)->Arg(10)->Arg(1000)->Arg(5000)->Unit(benchmark::kMillisecond)->UseRealTime();

} // namespace
