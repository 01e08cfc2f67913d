#include "driver_fixture.h"

#include <array>

using namespace shim;

namespace {

/// Waits 50 ms, then reads texel 1.
constexpr const char* late_read = R"(.version 7.8
.target sm_80
.address_size 64
.visible .entry late(.param .u64 texture, .param .u64 to) {
  .reg .b64 %rd<6>;
  .reg .b32 %r<6>;
  .reg .pred %p;
  ld.param.u64 %rd1, [texture];
  ld.param.u64 %rd2, [to];
  mov.u64 %rd3, %globaltimer;
wait:
  mov.u64 %rd4, %globaltimer;
  sub.u64 %rd5, %rd4, %rd3;
  setp.lt.u64 %p, %rd5, 50000000;
  @%p bra wait;
  mov.u32 %r5, 1;
  tex.1d.v4.u32.s32 {%r1, %r2, %r3, %r4}, [%rd1, {%r5}];
  st.global.u32 [%rd2], %r1;
  ret;
})";

} // namespace

using Textures = Driver;

// The sample NV12toBGRandResize does this: on a GPU the object lives as long as the kernels that were launched with it.
TEST_F(Textures, LiveUntilTheKernelsThatUseThemAreDone) {
    CUdeviceptr memory = 0;
    ASSERT_OK(cuMemAlloc_v2(&memory, 1024));
    const std::array<unsigned, 2> texels{5, 77};
    ASSERT_OK(cuMemcpyHtoD_v2(memory, texels.data(), sizeof texels));
    CUDA_RESOURCE_DESC resource{};
    resource.resType = CU_RESOURCE_TYPE_LINEAR;
    resource.res.linear = {memory, CU_AD_FORMAT_UNSIGNED_INT32, 1, sizeof texels};
    CUDA_TEXTURE_DESC how{};
    how.flags = CU_TRSF_READ_AS_INTEGER;
    CUtexObject texture = 0;
    ASSERT_OK(cuTexObjectCreate(&texture, &resource, &how, nullptr));
    CUmodule module = nullptr;
    CUfunction function = nullptr;
    ASSERT_OK(cuModuleLoadData(&module, late_read));
    ASSERT_OK(cuModuleGetFunction(&function, module, "late"));
    CUdeviceptr to = memory + 512;
    void* parameters[] = {&texture, &to};
    ASSERT_OK(cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, parameters, nullptr));
    EXPECT_OK(cuTexObjectDestroy(texture));
    unsigned read = 0;
    EXPECT_OK(cuMemcpyDtoH_v2(&read, to, sizeof read));
    EXPECT_EQ(read, 77u);
    EXPECT_OK(cuModuleUnload(module));
    EXPECT_OK(cuMemFree_v2(memory));
}
