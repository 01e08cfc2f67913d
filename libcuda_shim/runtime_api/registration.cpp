#include "runtime_api/bodies.h"
#include "runtime_api/registry.h"

#include <vector>

// What nvcc's host code calls: its constructors register device code, its stubs launch kernels. Declared in
// crt/host_runtime.h of the toolkit. Registering calls no driver function: programs without a GPU start.
namespace cudart::body {
namespace {

struct Configuration {
    dim3 grid, block;
    size_t shared;
    cudaStream_t stream;
};

// kernel<<<...>>>(f()) may launch in f: the configurations nest.
thread_local std::vector<Configuration> configurations;

} // namespace

void** __cudaRegisterFatBinary(void* wrapper) { return Registry::get().add_image(wrapper); }

void __cudaRegisterFatBinaryEnd(void**) {}

void __cudaUnregisterFatBinary(void** handle) { Registry::get().remove_image(handle); }

void __cudaRegisterFunction(void** handle, const char* stub, char*, const char* name, int, void*, void*, void*, void*,
                            int*) {
    Registry::get().add_function(handle, stub, name);
}

void __cudaRegisterVar(void** handle, char* shadow, char*, const char* name, int, size_t size, int, int) {
    Registry::get().add_variable(handle, shadow, name, size);
}

void __cudaRegisterManagedVar(void** handle, void** pointer, char* shadow, const char* name, int, size_t size, int,
                              int) {
    Registry::get().add_managed(handle, pointer, shadow, name, size);
}

char __cudaInitModule(void** handle) {
    static constexpr Entry entry{"__cudaInitModule", Needs::context};
    enter(entry, [&] { Registry::get().load(handle); });
    return 1; // the caller's note that it need not ask again
}

unsigned int __cudaPushCallConfiguration(dim3 grid, dim3 block, size_t shared, cudaStream_t stream) {
    configurations.push_back({grid, block, shared, stream});
    return 0;
}

void __cudaPopCallConfiguration(dim3* grid, dim3* block, size_t* shared, void* stream) {
    require(!configurations.empty(), cudaErrorMissingConfiguration);
    const Configuration& top = configurations.back();
    *grid = top.grid;
    *block = top.block;
    *shared = top.shared;
    *static_cast<cudaStream_t*>(stream) = top.stream;
    configurations.pop_back();
}

void __cudaGetKernel(cudaKernel_t* kernel, const void* stub) { cudaGetKernel(kernel, stub); }

void __cudaLaunchKernel(cudaKernel_t kernel, dim3 grid, dim3 block, void** args, size_t shared, cudaStream_t stream) {
    cudaLaunchKernel(kernel, grid, block, args, shared, stream);
}

} // namespace cudart::body
