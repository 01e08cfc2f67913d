// What the runtime API costs, through our libcudart as a program with kernels of its own calls it.
#include "driver.h"

#include "fatbin_builder.h"

#include <benchmark/benchmark.h>

#include <dlfcn.h>

namespace {

struct Dim3 {
    unsigned x, y, z;
};

/// A program's part of CUDA: a fat binary with one kernel, and the kernel's stub.
class Program {
  public:
    static Program& get() {
        static Program program;
        return program;
    }

    /// What nvcc makes of stub<<<1, 32>>>().
    void launch() {
        Dim3 grid{}, block{};
        size_t shared = 0;
        void* stream = nullptr;
        push_({1, 1, 1}, {32, 1, 1}, 0, nullptr);
        pop_(&grid, &block, &shared, &stream);
        bench::must(launch_(&stub_, grid, block, nullptr, shared, stream), "cudaLaunchKernel");
    }
    void synchronize() { bench::must(synchronize_(), "cudaDeviceSynchronize"); }
    void allocate_and_free(size_t bytes) {
        void* memory = nullptr;
        bench::must(allocate_(&memory, bytes), "cudaMalloc");
        bench::must(free_(memory), "cudaFree");
    }

  private:
    /// What __cudaRegisterFatBinary is given.
    struct Wrapper {
        int magic = 0x466243b1, version = 1;
        const void* data = nullptr;
        void* file = nullptr;
    };

    Program() : binary_(make_fatbin({entry()})) {
        void* library = dlopen(CUDART_LIBRARY, RTLD_NOW);
        bench::must(library == nullptr, CUDART_LIBRARY);
        const auto find = [&](auto& function, const char* name) {
            function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
            bench::must(function == nullptr, name);
        };
        void** (*register_binary)(void*);
        void (*register_end)(void**);
        void (*register_function)(void**, const char*, char*, const char*, int, void*, void*, void*, void*, int*);
        find(register_binary, "__cudaRegisterFatBinary");
        find(register_end, "__cudaRegisterFatBinaryEnd");
        find(register_function, "__cudaRegisterFunction");
        find(push_, "__cudaPushCallConfiguration");
        find(pop_, "__cudaPopCallConfiguration");
        find(launch_, "cudaLaunchKernel");
        find(synchronize_, "cudaDeviceSynchronize");
        find(allocate_, "cudaMalloc");
        find(free_, "cudaFree");
        wrapper_.data = binary_.data();
        void** handle = register_binary(&wrapper_);
        char name[] = "empty";
        register_function(handle, &stub_, name, name, -1, nullptr, nullptr, nullptr, nullptr, nullptr);
        register_end(handle);
    }
    static EntryBytes entry() {
        EntryBytes made;
        made.arch = 50;
        made.payload = ".version 7.0\n.target sm_50\n.address_size 64\n.visible .entry empty() { ret; }\n";
        return made;
    }

    std::vector<uint8_t> binary_;
    Wrapper wrapper_;
    char stub_ = 0; ///< only its address counts
    unsigned (*push_)(Dim3 grid, Dim3 block, size_t shared, void* stream) = nullptr;
    int (*pop_)(Dim3* grid, Dim3* block, size_t* shared, void* stream) = nullptr;
    int (*launch_)(const void*, Dim3 grid, Dim3 block, void** arguments, size_t shared, void* stream) = nullptr;
    int (*synchronize_)() = nullptr;
    int (*allocate_)(void**, size_t) = nullptr;
    int (*free_)(void*) = nullptr;
};

// Beside launch_throughput, the same through the driver API.
void cudart_launch_throughput(benchmark::State& state) {
    Program& program = Program::get();
    for (auto _ : state) {
        for (int i = 0; i < 1000; i++) program.launch();
        program.synchronize();
    }
    state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(cudart_launch_throughput)->Unit(benchmark::kMicrosecond)->UseRealTime();

void cudart_launch_and_synchronize(benchmark::State& state) {
    Program& program = Program::get();
    for (auto _ : state) {
        program.launch();
        program.synchronize();
    }
}
BENCHMARK(cudart_launch_and_synchronize)
    ->Unit(benchmark::kMicrosecond)->UseRealTime()->Repetitions(5)->ReportAggregatesOnly();

void cudart_allocate_and_free(benchmark::State& state) {
    Program& program = Program::get();
    for (auto _ : state) program.allocate_and_free(1 << 20);
}
BENCHMARK(cudart_allocate_and_free)->Unit(benchmark::kMicrosecond)->UseRealTime();

} // namespace
