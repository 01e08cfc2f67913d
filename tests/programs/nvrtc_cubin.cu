// NVRTC makes machine code for the device that is there; nvJitLink links two texts to machine code. The driver loads both.
#include <cuda.h>
#include <nvJitLink.h>
#include <nvrtc.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

static void check(int status, const char* what) {
    if (status == 0) return;
    std::printf("%s: error %d\n", what, status);
    std::exit(1);
}

/// What NVRTC makes of a source: PTX, and a cubin if the options ask for it.
struct Compiled {
    std::string ptx;
    std::vector<char> cubin;
};

static Compiled compile(const char* source, std::vector<const char*> options) {
    nvrtcProgram program;
    check(nvrtcCreateProgram(&program, source, "source.cu", 0, nullptr, nullptr), "create");
    check(nvrtcCompileProgram(program, (int)options.size(), options.data()), "compile");
    Compiled result;
    size_t size = 0;
    check(nvrtcGetPTXSize(program, &size), "ptx size");
    result.ptx.resize(size);
    check(nvrtcGetPTX(program, &result.ptx[0]), "ptx");
    check(nvrtcGetCUBINSize(program, &size), "cubin size");
    result.cubin.resize(size);
    if (size != 0) check(nvrtcGetCUBIN(program, result.cubin.data()), "cubin");
    check(nvrtcDestroyProgram(&program), "destroy program");
    return result;
}

static bool is_elf(const std::vector<char>& image) { return image.size() > 64 && !std::memcmp(image.data(), "\177ELF", 4); }

static void run(const char* what, const std::vector<char>& image, const char* kernel) {
    CUmodule module;
    CUfunction function;
    check(cuModuleLoadData(&module, image.data()), "load");
    check(cuModuleGetFunction(&function, module, kernel), "function");
    int n = 1000, sum = 0;
    CUdeviceptr out;
    check(cuMemAlloc(&out, n * sizeof(int)), "alloc");
    void* arguments[] = {&out, &n};
    check(cuLaunchKernel(function, (n + 127) / 128, 1, 1, 128, 1, 1, 0, nullptr, arguments, nullptr), "launch");
    std::vector<int> host(n);
    check(cuMemcpyDtoH(host.data(), out, n * sizeof(int)), "copy");
    for (int x : host) sum += x;
    check(cuMemFree(out), "free");
    check(cuModuleUnload(module), "unload");
    std::printf("%s: elf %d sum %d\n", what, is_elf(image), sum);
}

int main() {
    check(cuInit(0), "init");
    CUdevice device;
    CUcontext context;
    check(cuDeviceGet(&device, 0), "device");
    check(cuDevicePrimaryCtxRetain(&context, device), "context");
    check(cuCtxSetCurrent(context), "current");
    int major = 0, minor = 0;
    check(cuDeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, device), "major");
    check(cuDeviceGetAttribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, device), "minor");
    const std::string number = std::to_string(10 * major + minor);
    const std::string real = "--gpu-architecture=sm_" + number, real_link = "-arch=sm_" + number;
    const std::string value = "sm_" + number;

    const char* whole = "extern \"C\" __global__ void twice(int* out, int n) {"
                        " int i = blockIdx.x * blockDim.x + threadIdx.x; if (i < n) out[i] = 2 * i; }";
    run("option", compile(whole, {real.c_str()}).cubin, "twice");
    run("two words", compile(whole, {"-arch", value.c_str(), "-lineinfo"}).cubin, "twice");
    std::printf("virtual: cubin %zu bytes\n", compile(whole, {"-arch=compute_75"}).cubin.size());

    nvrtcProgram wrong;
    size_t size = 1;
    check(nvrtcCreateProgram(&wrong, "void f() { g(); }", nullptr, 0, nullptr, nullptr), "create");
    const char* options[] = {real.c_str()};
    std::printf("wrong source: %d", nvrtcCompileProgram(wrong, 1, options));
    std::printf(", cubin size %d", nvrtcGetCUBINSize(wrong, &size));
    std::printf(" %zu\n", size);
    const char* unknown[] = {"-arch=sm_81"};
    std::printf("unknown architecture: %d\n", nvrtcCompileProgram(wrong, 1, unknown));
    check(nvrtcDestroyProgram(&wrong), "destroy program");

    const Compiled caller = compile("extern \"C\" __device__ int triple(int);"
                                    "extern \"C\" __global__ void calls(int* out, int n) {"
                                    " int i = blockIdx.x * blockDim.x + threadIdx.x; if (i < n) out[i] = triple(i); }",
                                    {real.c_str(), "-rdc=true"});
    const Compiled callee = compile("extern \"C\" __device__ int triple(int x) { return 3 * x; }", {real.c_str(), "-rdc=true"});
    const char* link_options[] = {real_link.c_str()};
    nvJitLinkHandle link;
    check(nvJitLinkCreate(&link, 1, link_options), "create link");
    check(nvJitLinkAddData(link, NVJITLINK_INPUT_PTX, caller.ptx.data(), caller.ptx.size(), "caller"), "add PTX");
    check(nvJitLinkAddData(link, NVJITLINK_INPUT_CUBIN, callee.cubin.data(), callee.cubin.size(), "callee"), "add cubin");
    check(nvJitLinkComplete(link), "complete");
    check(nvJitLinkGetLinkedCubinSize(link, &size), "linked size");
    std::vector<char> linked(size);
    check(nvJitLinkGetLinkedCubin(link, linked.data()), "linked");
    check(nvJitLinkDestroy(&link), "destroy link");
    run("linked", linked, "calls");

    check(nvJitLinkCreate(&link, 1, link_options), "create link");
    check(nvJitLinkAddData(link, NVJITLINK_INPUT_ANY, caller.ptx.data(), caller.ptx.size(), "caller"), "add any");
    std::printf("undefined: %d", nvJitLinkComplete(link));
    check(nvJitLinkGetErrorLogSize(link, &size), "log size");
    std::string log(size, 0);
    check(nvJitLinkGetErrorLog(link, &log[0]), "log");
    std::printf(", log names triple: %d\n", log.find("triple") != log.npos);
    check(nvJitLinkDestroy(&link), "destroy link");
    const char* none[] = {"-O3"};
    const char* made_up[] = {"-arch=sm_80", "-frobnicate"};
    const char* only_ptx[] = {"-arch=sm_80", "-ptx"};
    std::printf("no architecture %d", nvJitLinkCreate(&link, 1, none));
    std::printf(", unknown option %d", nvJitLinkCreate(&link, 2, made_up));
    std::printf(", PTX without LTO %d\n", nvJitLinkCreate(&link, 2, only_ptx));
    check(nvJitLinkCreate(&link, 1, link_options), "create link");
    std::printf("garbage %d", nvJitLinkAddData(link, NVJITLINK_INPUT_PTX, "garbage", 7, "garbage"));
    std::printf(" %d", nvJitLinkAddData(link, NVJITLINK_INPUT_ANY, "garbage", 7, "garbage"));
    std::printf(" %d\n", nvJitLinkAddData(link, NVJITLINK_INPUT_LIBRARY, "garbage", 7, "garbage"));
    check(nvJitLinkDestroy(&link), "destroy link");

    // Link-time optimisation.
    nvrtcProgram parts[2];
    const char* sources[] = {"extern \"C\" __device__ int five(int x) { return 5 * x; }",
                             "extern \"C\" __device__ int five(int);"
                             "extern \"C\" __global__ void fives(int* out, int n) {"
                             " int i = blockIdx.x * blockDim.x + threadIdx.x; if (i < n) out[i] = five(i); }"};
    const char* lto[] = {real.c_str(), "-dlto", "-rdc=true"};
    const char* lto_link[] = {real_link.c_str(), "-lto"};
    check(nvJitLinkCreate(&link, 2, lto_link), "create link");
    for (int i = 0; i < 2; i++) {
        check(nvrtcCreateProgram(&parts[i], sources[i], nullptr, 0, nullptr, nullptr), "create");
        check(nvrtcCompileProgram(parts[i], 3, lto), "compile");
        check(nvrtcGetLTOIRSize(parts[i], &size), "IR size");
        std::vector<char> ir(size);
        check(nvrtcGetLTOIR(parts[i], ir.data()), "IR");
        check(nvJitLinkAddData(link, NVJITLINK_INPUT_LTOIR, ir.data(), ir.size(), "part"), "add IR");
        check(nvrtcDestroyProgram(&parts[i]), "destroy program");
    }
    check(nvJitLinkComplete(link), "complete");
    check(nvJitLinkGetLinkedCubinSize(link, &size), "linked size");
    linked.resize(size);
    check(nvJitLinkGetLinkedCubin(link, linked.data()), "linked");
    check(nvJitLinkDestroy(&link), "destroy link");
    run("link-time optimised", linked, "fives");
}
