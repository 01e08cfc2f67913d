#pragma once

// The few cudart functions that the conformance programs use, on top of the driver API, for machines without a CUDA
// toolkit. Kernels come from the PTX file that CUTTLE_PTX names (or several, separated by colons, to be linked), or from
// PROGRAM.ptx beside the program.
#include "driver_declarations.h"

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>

#define CUDART_CB
#define SYMBOL(name) #name
#define LAUNCH(kernel, grid, block, shared, stream) cuttle_test::Launcher(#kernel, grid, block, shared, stream)

struct dim3 {
    unsigned x, y, z;
    constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

enum cudaError_t {
    cudaSuccess = 0,
    cudaErrorInvalidValue = 1,
    cudaErrorInvalidResourceHandle = 400,
    cudaErrorAssert = 710,
    cudaErrorLaunchFailure = 719
};
enum cudaMemcpyKind { cudaMemcpyHostToHost, cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
enum { cudaFuncAttributeMaxDynamicSharedMemorySize = 8, cudaLimitStackSize = 0, cudaStreamNonBlocking = 1, cudaEventDisableTiming = 2 };
typedef CUstream cudaStream_t;
typedef CUevent cudaEvent_t;

namespace cuttle_test {

struct State {
    CUcontext context = nullptr;
    CUdevice device = 0;
    CUmodule module = nullptr;
    cudaError_t last = cudaSuccess;
};

inline void must(CUresult status, const char* what) {
    if (status == 0) return;
    std::printf("%s: error %d\n", what, int(status));
    std::exit(1);
}

/// The files of PTX, separated by colons.
inline std::string ptx_files() {
    if (const char* given = std::getenv("CUTTLE_PTX")) return given;
    std::string program;
    std::ifstream("/proc/self/cmdline") >> program;
    return program.substr(0, program.find('\0')) + ".ptx";
}

inline std::string contents(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        std::printf("cannot read %s\n", path.c_str());
        std::exit(1);
    }
    return std::string(std::istreambuf_iterator<char>(file), {});
}

inline CUmodule load_module() {
    CUmodule module = nullptr;
    std::string files = ptx_files();
    if (files.find(':') == std::string::npos) {
        must(cuModuleLoadData(&module, contents(files).c_str()), "cuModuleLoadData");
        return module;
    }
    CUlinkState link = nullptr;
    must(cuLinkCreate_v2(0, nullptr, nullptr, &link), "cuLinkCreate");
    for (size_t end = 0; end != std::string::npos; files.erase(0, end == std::string::npos ? end : end + 1)) {
        end = files.find(':');
        const std::string path = files.substr(0, end);
        std::string text = contents(path);
        must(cuLinkAddData_v2(link, CUjitInputType(1), text.data(), text.size() + 1, path.c_str(), 0, nullptr, nullptr),
             "cuLinkAddData");   // 1: PTX
    }
    void* image = nullptr;
    size_t size = 0;
    must(cuLinkComplete(link, &image, &size), "cuLinkComplete");
    must(cuModuleLoadData(&module, image), "cuModuleLoadData");
    must(cuLinkDestroy(link), "cuLinkDestroy");
    return module;
}

/// The primary context of device 0 and the program's module, made on first use.
inline State& state() {
    static State s = [] {
        State n;
        must(cuInit(0), "cuInit");
        must(cuDeviceGet(&n.device, 0), "cuDeviceGet");
        must(cuDevicePrimaryCtxRetain(&n.context, n.device), "cuDevicePrimaryCtxRetain");
        must(cuCtxSetCurrent(n.context), "cuCtxSetCurrent");
        n.module = load_module();
        return n;
    }();
    cuCtxSetCurrent(s.context);
    return s;
}

inline cudaError_t done(CUresult status) {
    if (status != 0) state().last = cudaError_t(status);
    return cudaError_t(status);
}
inline CUdeviceptr device(const void* p) { return CUdeviceptr(reinterpret_cast<uintptr_t>(p)); }

inline CUfunction function(const char* name) {
    static std::mutex mutex;
    static std::map<std::string, CUfunction> known;   // as cudart does: looked up once
    std::lock_guard lock(mutex);
    CUfunction& f = known[name];
    if (f == nullptr) must(cuModuleGetFunction(&f, state().module, name), name);
    return f;
}

class Launcher {
  public:
    Launcher(const char* kernel, dim3 grid, dim3 block, size_t shared, cudaStream_t stream)
        : function_(function(kernel)), grid_(grid), block_(block), shared_(unsigned(shared)), stream_(stream) {}

    /// Arguments must have exactly the kernel's parameter types.
    template <class... A> void operator()(A... arguments) {
        void* pointers[] = {(void*)&arguments..., nullptr};
        done(cuLaunchKernel(function_, grid_.x, grid_.y, grid_.z, block_.x, block_.y, block_.z, shared_, stream_, pointers,
                            nullptr));
    }

  private:
    CUfunction function_;
    dim3 grid_, block_;
    unsigned shared_;
    cudaStream_t stream_;
};

inline cudaError_t symbol(const char* name, CUdeviceptr* address, size_t* size) {
    return done(cuModuleGetGlobal_v2(address, size, state().module, name));
}

} // namespace cuttle_test

template <class T> T* managed_symbol(const char* name) {
    CUdeviceptr address = 0;
    cuttle_test::must(CUresult(cuttle_test::symbol(name, &address, nullptr)), name);
    return (T*)(uintptr_t)address;
}

struct cudaDeviceProp {
    char name[256];
    int major, minor;
};

using cuttle_test::device;
using cuttle_test::done;
using cuttle_test::state;

inline cudaError_t cudaGetLastError() { return std::exchange(state().last, cudaSuccess); }
inline const char* cudaGetErrorString(cudaError_t e) {
    const char* text = nullptr;
    return cuGetErrorString(CUresult(e), &text) == 0 ? text : "unknown error";
}
inline const char* cudaGetErrorName(cudaError_t e) {
    switch (e) {
    case cudaSuccess: return "cudaSuccess";
    case cudaErrorInvalidValue: return "cudaErrorInvalidValue";
    case cudaErrorInvalidResourceHandle: return "cudaErrorInvalidResourceHandle";
    case cudaErrorAssert: return "cudaErrorAssert";
    case cudaErrorLaunchFailure: return "cudaErrorLaunchFailure";
    }
    return "?";
}
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* p, int ordinal) {
    CUdevice d = 0;
    state();
    CUresult r = cuDeviceGet(&d, ordinal);
    if (r == 0) r = cuDeviceGetName(p->name, sizeof p->name, d);
    if (r == 0) r = cuDeviceGetAttribute(&p->major, 75, d);
    if (r == 0) r = cuDeviceGetAttribute(&p->minor, 76, d);
    return done(r);
}
inline cudaError_t cudaMalloc(void** p, size_t bytes) {
    state();
    CUdeviceptr d = 0;
    CUresult r = cuMemAlloc_v2(&d, bytes);
    *p = (void*)(uintptr_t)d;
    return done(r);
}
inline cudaError_t cudaMallocPitch(void** p, size_t* pitch, size_t width, size_t height) {
    state();
    CUdeviceptr d = 0;
    CUresult r = cuMemAllocPitch_v2(&d, pitch, width, height, 4);
    *p = (void*)(uintptr_t)d;
    return done(r);
}
inline cudaError_t cudaMallocManaged(void** p, size_t bytes) {
    state();
    CUdeviceptr d = 0;
    CUresult r = cuMemAllocManaged(&d, bytes, 1);
    *p = (void*)(uintptr_t)d;
    return done(r);
}
inline cudaError_t cudaMallocHost(void** p, size_t bytes) { return state(), done(cuMemAllocHost_v2(p, bytes)); }
inline cudaError_t cudaFree(void* p) { return done(cuMemFree_v2(device(p))); }
inline cudaError_t cudaFreeHost(void* p) { return done(cuMemFreeHost(p)); }
inline cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
    state();
    if (kind == cudaMemcpyHostToDevice) return done(cuMemcpyHtoD_v2(device(to), from, bytes));
    if (kind == cudaMemcpyDeviceToHost) return done(cuMemcpyDtoH_v2(to, device(from), bytes));
    return done(cuMemcpy(device(to), device(from), bytes));
}
inline cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
    return state(), done(cuMemcpyAsync(device(to), device(from), bytes, stream));
}
inline cudaError_t cudaMemcpy2D(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t height,
                                cudaMemcpyKind) {
    CUDA_MEMCPY2D c{};
    c.srcMemoryType = c.dstMemoryType = CUmemorytype(4);   // unified
    c.srcDevice = device(from), c.srcPitch = from_pitch;
    c.dstDevice = device(to), c.dstPitch = to_pitch;
    c.WidthInBytes = width, c.Height = height;
    return done(cuMemcpy2D_v2(&c));
}
inline cudaError_t cudaMemset(void* p, int value, size_t bytes) {
    return state(), done(cuMemsetD8_v2(device(p), (unsigned char)value, bytes));
}
inline cudaError_t cudaMemsetAsync(void* p, int value, size_t bytes, cudaStream_t stream) {
    return state(), done(cuMemsetD8Async(device(p), (unsigned char)value, bytes, stream));
}
inline cudaError_t cudaMemcpyToSymbol(const char* name, const void* from, size_t bytes, size_t offset = 0) {
    CUdeviceptr address = 0;
    cudaError_t e = cuttle_test::symbol(name, &address, nullptr);
    return e != cudaSuccess ? e : done(cuMemcpyHtoD_v2(address + offset, from, bytes));
}
inline cudaError_t cudaMemcpyFromSymbol(void* to, const char* name, size_t bytes, size_t offset = 0) {
    CUdeviceptr address = 0;
    cudaError_t e = cuttle_test::symbol(name, &address, nullptr);
    return e != cudaSuccess ? e : done(cuMemcpyDtoH_v2(to, address + offset, bytes));
}
inline cudaError_t cudaGetSymbolAddress(void** p, const char* name) {
    CUdeviceptr address = 0;
    cudaError_t e = cuttle_test::symbol(name, &address, nullptr);
    *p = (void*)(uintptr_t)address;
    return e;
}
inline cudaError_t cudaGetSymbolSize(size_t* size, const char* name) {
    CUdeviceptr address = 0;
    return cuttle_test::symbol(name, &address, size);
}
inline cudaError_t cudaDeviceSynchronize() { return state(), done(cuCtxSynchronize()); }
inline cudaError_t cudaDeviceSetLimit(int limit, size_t value) { return state(), done(cuCtxSetLimit(CUlimit(limit), value)); }
inline cudaError_t cudaFuncSetAttribute(const char* kernel, int attribute, int value) {
    return done(cuFuncSetAttribute(cuttle_test::function(kernel), CUfunction_attribute(attribute), value));
}
inline cudaError_t cudaLaunchCooperativeKernel(const char* kernel, dim3 g, dim3 b, void** arguments, size_t shared,
                                               cudaStream_t stream) {
    return done(cuLaunchCooperativeKernel(cuttle_test::function(kernel), g.x, g.y, g.z, b.x, b.y, b.z, unsigned(shared), stream,
                                          arguments));
}
inline cudaError_t cudaStreamCreate(cudaStream_t* s) { return state(), done(cuStreamCreate(s, 0)); }
inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t* s, unsigned f) { return state(), done(cuStreamCreate(s, f)); }
inline cudaError_t cudaStreamDestroy(cudaStream_t s) { return done(cuStreamDestroy_v2(s)); }
inline cudaError_t cudaStreamSynchronize(cudaStream_t s) { return state(), done(cuStreamSynchronize(s)); }
inline cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned f) { return done(cuStreamWaitEvent(s, e, f)); }
inline cudaError_t cudaStreamAddCallback(cudaStream_t s, void (*f)(cudaStream_t, cudaError_t, void*), void* p, unsigned flags) {
    return done(cuStreamAddCallback(s, (CUstreamCallback)f, p, flags));
}
inline cudaError_t cudaLaunchHostFunc(cudaStream_t s, void (*f)(void*), void* p) { return done(cuLaunchHostFunc(s, f, p)); }
inline cudaError_t cudaEventCreate(cudaEvent_t* e) { return state(), done(cuEventCreate(e, 0)); }
inline cudaError_t cudaEventCreateWithFlags(cudaEvent_t* e, unsigned f) { return state(), done(cuEventCreate(e, f)); }
inline cudaError_t cudaEventDestroy(cudaEvent_t e) { return done(cuEventDestroy_v2(e)); }
inline cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s) { return done(cuEventRecord(e, s)); }
inline cudaError_t cudaEventQuery(cudaEvent_t e) { return done(cuEventQuery(e)); }
inline cudaError_t cudaEventSynchronize(cudaEvent_t e) { return done(cuEventSynchronize(e)); }
inline cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t a, cudaEvent_t b) { return done(cuEventElapsedTime(ms, a, b)); }
