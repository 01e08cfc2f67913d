// Runs random kernels (random_kernel.h) and compares what they leave in memory.
//   kernel_fuzz check FILE [SEED ...]
//                                   with the hashes in FILE: a line has a seed and a hash, as an H100 gave it, and the
//                                   level 0 if only code that NVIDIA's compiler did not optimise gives it; # begins a
//                                   remark. The seeds named are known to give another hash, and must do so
//   kernel_fuzz record FIRST COUNT  prints such lines; a kernel that faults costs only itself
//   kernel_fuzz levels FIRST COUNT  optimisation level 0 with 3
//   kernel_fuzz print SEED          writes the PTX
//   kernel_fuzz output SEED [LEVEL] writes what it leaves in memory, a line for each thread
#include "api/constants.h"
#include "driver_declarations.h"
#include "random_kernel.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {

struct Failure {
    std::string what;
};

void require(CUresult result, const char* what) {
    if (result != 0) throw Failure{std::string(what) + " gives " + std::to_string(result)};
}

uint64_t digest(const std::vector<uint32_t>& words) { // FNV-1a over words
    uint64_t hash = 14695981039346656037ULL;
    for (uint32_t word : words) hash = (hash ^ word) * 1099511628211ULL;
    return hash;
}

/// The kernel's output; `level` as CU_JIT_OPTIMIZATION_LEVEL.
std::vector<uint32_t> run(uint64_t seed, unsigned level) {
    const RandomKernel kernel = make_random_kernel(seed);
    auto numbers = std::to_array(kernel.numbers);
    std::vector<uint32_t> in(kernel.in_words), out(kernel.output_words);
    for (unsigned i = 0; i < in.size(); i++) in[i] = fuzz_input(i);
    std::vector<char> log(4096);
    CUjit_option options[] = {CU_JIT_OPTIMIZATION_LEVEL, CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
    void* values[] = {reinterpret_cast<void*>(uintptr_t(level)), log.data(), reinterpret_cast<void*>(log.size())};
    CUmodule module = nullptr;
    const CUresult result = cuModuleLoadDataEx(&module, kernel.text.c_str(), 3, options, values);
    if (result != 0) throw Failure{"loading gives " + std::to_string(result) + ": " + log.data()};
    CUfunction function = nullptr;
    CUstream stream = nullptr;
    CUdeviceptr device_in = 0, device_out = 0;
    require(cuModuleGetFunction(&function, module, "fuzz"), "cuModuleGetFunction");
    require(cuStreamCreate(&stream, 1), "cuStreamCreate");
    require(cuMemAlloc_v2(&device_in, in.size() * 4), "cuMemAlloc");
    require(cuMemAlloc_v2(&device_out, out.size() * 4), "cuMemAlloc");
    require(cuMemcpyHtoDAsync_v2(device_in, in.data(), in.size() * 4, stream), "cuMemcpyHtoD");
    require(cuMemsetD8Async(device_out, 0, out.size() * 4, stream), "cuMemsetD8");
    void* arguments[] = {&device_out, &device_in, &numbers[0], &numbers[1], &numbers[2]};
    const auto &grid = kernel.grid, &block = kernel.block;
    require(cuLaunchKernel(function, grid[0], grid[1], grid[2], block[0], block[1], block[2], 0, stream, arguments,
                           nullptr),
            "cuLaunchKernel");
    require(cuMemcpyDtoHAsync_v2(out.data(), device_out, out.size() * 4, stream), "cuMemcpyDtoH");
    require(cuStreamSynchronize(stream), "cuStreamSynchronize");
    cuMemFree_v2(device_in);
    cuMemFree_v2(device_out);
    cuStreamDestroy_v2(stream);
    cuModuleUnload(module);
    return out;
}

/// Calls `body(seed)` for every seed, on a few threads. Returns how many failed.
template <class Body> int for_each(const std::vector<uint64_t>& seeds, Body&& body) {
    std::atomic<size_t> next = 0;
    std::atomic<int> failed = 0;
    std::mutex output;
    CUcontext context = nullptr;
    CUdevice device = 0;
    require(cuInit(0), "cuInit");
    require(cuDeviceGet(&device, 0), "cuDeviceGet");
    require(cuDevicePrimaryCtxRetain(&context, device), "cuDevicePrimaryCtxRetain");
    const auto work = [&] {
        cuCtxSetCurrent(context);
        for (size_t i = next++; i < seeds.size(); i = next++) {
            std::string said;
            try {
                said = body(seeds[i]);
            } catch (const Failure& failure) {
                said = "seed " + std::to_string(seeds[i]) + ": " + failure.what + "\n";
                failed++;
            }
            std::lock_guard lock(output);
            std::fputs(said.c_str(), stdout);
        }
    };
    std::vector<std::thread> threads;
    const unsigned count = std::min(8u, std::max(1u, std::thread::hardware_concurrency()));
    for (unsigned i = 0; i < count; i++) threads.emplace_back(work);
    for (std::thread& thread : threads) thread.join();
    return failed;
}

std::string difference(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b) {
    for (size_t i = 0; i < a.size(); i++) {
        if (a[i] == b[i]) continue;
        char text[128];
        std::snprintf(text, sizeof text, "word %zu (%zu of thread %zu) is %08x and %08x", i,
                      i % RandomKernel::words_per_thread, i / RandomKernel::words_per_thread, a[i], b[i]);
        return text;
    }
    return {};
}

/// `wrong`: seeds that are known to give other memory; one that does not must leave the list.
int check(const char* path, const std::set<uint64_t>& wrong) {
    std::ifstream file(path);
    std::map<uint64_t, uint64_t> expected;
    std::vector<uint64_t> seeds;
    std::string line, seed, hash;
    while (std::getline(file, line)) {
        if (line.starts_with("#")) continue;
        if (!(std::istringstream(line) >> seed >> hash))
            throw Failure{std::string(path) + " has a line that is none: " + line};
        seeds.push_back(std::stoull(seed));
        expected[seeds.back()] = std::stoull(hash, nullptr, 16);
    }
    if (seeds.empty()) throw Failure{std::string("nothing in ") + path};
    const int failed = for_each(seeds, [&](uint64_t seed) {
        const bool is_right = digest(run(seed, 3)) == expected.at(seed);
        if (is_right == !wrong.contains(seed)) return std::string();
        throw Failure{is_right ? "is right, though listed as wrong" : "other memory than on the H100"};
    });
    std::printf("%zu kernels, %d of them wrong, %zu known to be\n", seeds.size(), failed, wrong.size());
    return failed != 0;
}

std::string record_of(uint64_t seed, const std::vector<uint32_t>& words, const char* level) {
    char text[64];
    std::snprintf(text, sizeof text, "%llu %016llx%s\n", (unsigned long long)seed, (unsigned long long)digest(words),
                  level);
    return text;
}

/// Prints seeds and hashes up to the first kernel that fails, in a process of its own: the fault spoils its context for
/// good. Returns the number of kernels that did not fail.
uint64_t record_until_fault(uint64_t first, uint64_t count) {
    int done[2];
    if (pipe(done) != 0) throw Failure{"no pipe"};
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        close(done[0]);
        for (uint64_t seed = first; seed < first + count; seed++) {
            const int failed = for_each({seed}, [&](uint64_t one) {
                const std::vector<uint32_t> plain = run(one, 0), optimised = run(one, 3);
                return record_of(one, plain, plain == optimised ? "" : " 0");
            });
            std::fflush(stdout);
            const char byte = 0;
            if (failed || write(done[1], &byte, 1) != 1) break;
        }
        _exit(0);
    }
    close(done[1]);
    uint64_t finished = 0;
    for (char byte; read(done[0], &byte, 1) == 1;) finished++;
    close(done[0]);
    waitpid(child, nullptr, 0);
    return finished;
}

void record_level_0(uint64_t seed) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        for_each({seed}, [](uint64_t one) { return record_of(one, run(one, 0), " 0"); });
        std::fflush(stdout);
        _exit(0);
    }
    waitpid(child, nullptr, 0);
}

// NVIDIA's optimiser (driver 580) loses track of which lanes are together in one kernel in ten that calls a function
// which calls itself, and now and then in others: a warp's vote, shuffle or barrier behind it sees too few lanes, or
// the H100 refuses to execute it (error 715). Code that is not optimised is what such kernels are held to.
int record(uint64_t first, uint64_t count) {
    for (const uint64_t end = first + count; first < end; first++) {
        first += record_until_fault(first, end - first);
        if (first < end) record_level_0(first);
    }
    return 0;
}

int levels(uint64_t first, uint64_t count) {
    std::vector<uint64_t> seeds;
    for (uint64_t i = 0; i < count; i++) seeds.push_back(first + i);
    const int failed = for_each(seeds, [&](uint64_t seed) {
        const std::string wrong = difference(run(seed, 0), run(seed, 3));
        if (!wrong.empty()) throw Failure{wrong};
        return std::string();
    });
    std::printf("%zu kernels, %d of them differ\n", seeds.size(), failed);
    return failed != 0;
}

int output(uint64_t seed, unsigned level) {
    return for_each({seed}, [level](uint64_t one) {
        const std::vector<uint32_t> words = run(one, level);
        std::string text;
        for (size_t i = 0; i < words.size(); i++) {
            char word[16];
            std::snprintf(word, sizeof word, "%08x%c", words[i],
                          i % RandomKernel::words_per_thread == RandomKernel::words_per_thread - 1 ? '\n' : ' ');
            text += word;
        }
        return text;
    });
}

} // namespace

int main(int argc, char** argv) {
    const std::string what = argc > 1 ? argv[1] : "";
    try {
        if (what == "check" && argc >= 3) {
            std::set<uint64_t> wrong;
            for (int i = 3; i < argc; i++) wrong.insert(std::strtoull(argv[i], nullptr, 10));
            return check(argv[2], wrong);
        }
        if ((what == "record" || what == "levels") && argc == 4)
            return (what == "record" ? record : levels)(std::strtoull(argv[2], nullptr, 10),
                                                        std::strtoull(argv[3], nullptr, 10));
        if (what == "output" && (argc == 3 || argc == 4))
            return output(std::strtoull(argv[2], nullptr, 10),
                          argc == 4 ? unsigned(std::strtoul(argv[3], nullptr, 10)) : 3);
        if (what == "print" && argc == 3) {
            std::fputs(make_random_kernel(std::strtoull(argv[2], nullptr, 10)).text.c_str(), stdout);
            return 0;
        }
    } catch (const Failure& failure) {
        std::printf("%s\n", failure.what.c_str());
        return 1;
    }
    std::fprintf(stderr, "kernel_fuzz check FILE [WRONG SEED ...] | record FIRST COUNT | levels FIRST COUNT | print "
                         "SEED | output SEED\n");
    return 2;
}
