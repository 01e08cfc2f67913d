// NVRTC makes PTX at run time; the driver API loads and launches it.
#include <cuda.h>
#include <nvrtc.h>

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

static const char* source = R"(
template <int N> __device__ int power(int x) { return x * power<N - 1>(x); }
template <> __device__ int power<0>(int) { return 1; }
extern "C" __global__ void cubes(int* out, int n, int add) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = power<3>(i) + add;
}
)";

static void check(int status, const char* what) {
    if (status == 0) return;
    std::printf("%s: error %d\n", what, status);
    std::exit(1);
}

int main() {
    nvrtcProgram program;
    check(nvrtcCreateProgram(&program, source, "cubes.cu", 0, nullptr, nullptr), "create");
    const char* options[] = {"--gpu-architecture=compute_75"};
    check(nvrtcCompileProgram(program, 1, options), "compile");
    size_t size;
    check(nvrtcGetPTXSize(program, &size), "size");
    std::string ptx(size, 0);
    check(nvrtcGetPTX(program, &ptx[0]), "ptx");
    nvrtcDestroyProgram(&program);

    check(cuInit(0), "init");
    CUdevice device;
    CUcontext context;
    CUmodule module;
    CUfunction cubes;
    check(cuDeviceGet(&device, 0), "device");
    check(cuCtxCreate(&context, nullptr, 0, device), "context");
    char log[1024] = "";
    CUjit_option keys[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES, CU_JIT_OPTIMIZATION_LEVEL};
    void* values[] = {log, (void*)sizeof log, (void*)2};
    check(cuModuleLoadDataEx(&module, ptx.c_str(), 3, keys, values), "load");
    check(cuModuleGetFunction(&cubes, module, "cubes"), "function");
    CUfunction missing;
    if (cuModuleGetFunction(&missing, module, "squares") != CUDA_ERROR_NOT_FOUND) return std::printf("found squares\n"), 1;
    int n = 1000, add = 7;
    CUdeviceptr out;
    check(cuMemAlloc(&out, n * sizeof(int)), "alloc");
    void* arguments[] = {&out, &n, &add};
    check(cuLaunchKernel(cubes, (n + 127) / 128, 1, 1, 128, 1, 1, 0, nullptr, arguments, nullptr), "launch");
    // The same launch with packed arguments.
    struct { CUdeviceptr out; int n, add; } packed{out, n, 9};
    size_t bytes = sizeof packed;
    void* extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, &packed, CU_LAUNCH_PARAM_BUFFER_SIZE, &bytes, CU_LAUNCH_PARAM_END};
    std::vector<int> host(n);
    check(cuMemcpyDtoH(host.data(), out, n * sizeof(int)), "copy");
    for (int i = 0; i < n; i++)
        if (host[i] != i * i * i + 7) return std::printf("out[%d] = %d\n", i, host[i]), 1;
    check(cuLaunchKernel(cubes, (n + 127) / 128, 1, 1, 128, 1, 1, 0, nullptr, nullptr, extra), "launch extra");
    check(cuCtxSynchronize(), "synchronize");
    check(cuMemcpyDtoH(host.data(), out, n * sizeof(int)), "copy");
    for (int i = 0; i < n; i++)
        if (host[i] != i * i * i + 9) return std::printf("out[%d] = %d\n", i, host[i]), 1;
    check(cuMemFree(out), "free");
    check(cuModuleUnload(module), "unload");
    check(cuCtxDestroy(context), "destroy");
    std::printf("last %d\nPASSED\n", host[n - 1]);
}
