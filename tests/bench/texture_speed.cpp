// Nanoseconds per texture fetch and per core, of a kernel that does little else. texture_speed [THREADS]: as many as
// CUTTLE_NUM_THREADS says, 1 unless given.
#include "api/constants.h"
#include "api/exports.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

using namespace shim;

namespace {

constexpr unsigned side = 512, blocks = 64, threads = 128, fetches = 64;

/// Each thread fetches along a line and adds up.
constexpr const char* text = R"(.version 7.8
.target sm_80
.address_size 64
.visible .entry fetch(.param .u64 texture, .param .u64 to) {
  .reg .b64 %rd<5>; .reg .b32 %r<8>; .reg .f32 %f<12>; .reg .pred %p;
  ld.param.u64 %rd1, [texture]; ld.param.u64 %rd2, [to];
  mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x; mad.lo.u32 %r4, %r2, %r3, %r1;
  cvt.rn.f32.u32 %f1, %r1; cvt.rn.f32.u32 %f2, %r2; mov.f32 %f3, 0f00000000; mov.u32 %r5, 0;
  fma.rn.f32 %f1, %f1, 0f40333333, 0f3F000000;
loop:
  tex.2d.v4.f32.f32 {%f5,%f6,%f7,%f8}, [%rd1, {%f1,%f2}];
  add.f32 %f3, %f3, %f5; add.f32 %f3, %f3, %f8;
  add.f32 %f1, %f1, 0f3FA66666; add.f32 %f2, %f2, 0f3F333333;
  add.u32 %r5, %r5, 1; setp.lt.u32 %p, %r5, 64; @%p bra loop;
  mul.wide.u32 %rd3, %r4, 4; add.u64 %rd4, %rd2, %rd3; st.global.f32 [%rd4], %f3; ret;
})";

void check(int status, const char* what) {
    if (status) std::fprintf(stderr, "%s: %d\n", what, status), std::exit(1);
}

double nanoseconds(CUfunction kernel, int format, unsigned channels, int filter, unsigned flags) {
    const unsigned bytes = format == CU_AD_FORMAT_FLOAT ? 4 : 1;
    CUDA_ARRAY3D_DESCRIPTOR d{side, side, 0, format, channels, 0};
    CUDA_RESOURCE_DESC resource{};
    check(cuArray3DCreate_v2(&resource.res.array.hArray, &d), "array");
    std::vector<unsigned char> texels(size_t{side} * side * channels * bytes);
    for (size_t k = 0; k < texels.size(); ++k) texels[k] = (unsigned char)(k * 7 % 61); // floats are small, but normal
    CUDA_MEMCPY2D copy{};
    copy.srcMemoryType = CU_MEMORYTYPE_HOST;
    copy.srcHost = texels.data();
    copy.srcPitch = copy.WidthInBytes = size_t{side} * channels * bytes;
    copy.Height = side;
    copy.dstMemoryType = CU_MEMORYTYPE_ARRAY;
    copy.dstArray = resource.res.array.hArray;
    check(cuMemcpy2D_v2(&copy), "copy");
    CUDA_TEXTURE_DESC texture{};
    texture.filterMode = filter;
    texture.flags = flags;
    for (int& mode : texture.addressMode) mode = 1;
    CUtexObject object = 0;
    check(cuTexObjectCreate(&object, &resource, &texture, nullptr), "texture");
    CUdeviceptr to = 0;
    check(cuMemAlloc_v2(&to, blocks * threads * 4), "memory");
    void* parameters[] = {&object, &to};
    double best = 1e30;
    for (int round = 0; round < 8; ++round) {
        const auto begin = std::chrono::steady_clock::now();
        check(cuLaunchKernel(kernel, blocks, 1, 1, threads, 1, 1, 0, nullptr, parameters, nullptr), "launch");
        check(cuCtxSynchronize(), "synchronize");
        const std::chrono::duration<double, std::nano> took = std::chrono::steady_clock::now() - begin;
        best = std::min(best, took.count() / (double{blocks} * threads * fetches));
    }
    check(cuTexObjectDestroy(object), "destroy");
    check(cuMemFree_v2(to), "free");
    check(cuArrayDestroy(resource.res.array.hArray), "destroy");
    return best;
}

} // namespace

int main(int count, char** words) {
    const int workers = count > 1 ? std::atoi(words[1]) : 1;
    setenv("CUTTLE_NUM_THREADS", count > 1 ? words[1] : "1", 1);
    CUcontext context = nullptr;
    CUmodule module = nullptr;
    CUfunction kernel = nullptr;
    check(cuInit(0), "init");
    check(cuDevicePrimaryCtxRetain(&context, 0), "context");
    check(cuCtxSetCurrent(context), "context");
    check(cuModuleLoadData(&module, text), "module");
    check(cuModuleGetFunction(&kernel, module, "fetch"), "kernel");
    struct Row {
        const char* name;
        int format;
        unsigned channels;
    };
    const Row rows[] = {{"float", CU_AD_FORMAT_FLOAT, 1}, {"float4", CU_AD_FORMAT_FLOAT, 4}, {"uchar4", CU_AD_FORMAT_UNSIGNED_INT8, 4},
                        {"ushort2", CU_AD_FORMAT_UNSIGNED_INT16, 2}};
    for (const Row& row : rows)
        for (int filter : {0, 1})
            std::printf("%-8s %-6s %7.1f ns a fetch\n", row.name, filter ? "linear" : "point",
                        nanoseconds(kernel, row.format, row.channels, filter, 0) * workers);
    return 0;
}
