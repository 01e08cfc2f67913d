#include "driver_fixture.h"

#include <bit>
#include <vector>
#include <xmmintrin.h>

using namespace shim;

// Kernels neither see nor change how the application's threads compute. A program of its own: the device's threads are
// made at the first launch, which must find the odd settings.
namespace {

/// out[4 i] = x + y, x * y, x / y, sqrt(x) of in[2 i], in[2 i + 1].
constexpr const char* kernel = R"(
.version 7.0
.target sm_70
.address_size 64
.visible .entry compute(.param .u64 in, .param .u64 out)
{
    .reg .b32 %r<5>;
    .reg .f32 %f<7>;
    .reg .b64 %rd<6>;
    ld.param.u64 %rd1, [in];
    ld.param.u64 %rd2, [out];
    mov.u32 %r1, %ctaid.x;
    mov.u32 %r2, %ntid.x;
    mov.u32 %r3, %tid.x;
    mad.lo.s32 %r4, %r1, %r2, %r3;
    mul.wide.u32 %rd3, %r4, 8;
    add.s64 %rd4, %rd1, %rd3;
    ld.global.v2.f32 {%f1, %f2}, [%rd4];
    add.rn.f32 %f3, %f1, %f2;
    mul.rn.f32 %f4, %f1, %f2;
    div.rn.f32 %f5, %f1, %f2;
    sqrt.rn.f32 %f6, %f1;
    mul.wide.u32 %rd3, %r4, 16;
    add.s64 %rd5, %rd2, %rd3;
    st.global.v4.f32 [%rd5], {%f3, %f4, %f5, %f6};
    ret;
}
)";

constexpr unsigned blocks = 64, block_threads = 128, count = blocks * block_threads;
constexpr unsigned usual = 0x1f80;
/// Flush to zero, denormals are zero, round up.
constexpr unsigned odd = usual | 0x8000 | 0x0040 | 0x4000;

std::vector<float> numbers() {
    std::vector<float> out;
    for (uint32_t i = 0; i < 2 * count; ++i) {
        const uint32_t bits = i * 2654435761u >> 1;
        // Every fourth is subnormal; no infinities.
        out.push_back(std::bit_cast<float>(i % 4 == 0 ? bits & 0x7fffff : bits % 0x7f800000));
    }
    return out;
}

class FloatingPoint : public Driver {
  protected:
    std::vector<float> run(unsigned mxcsr) {
        const std::vector<float> in = numbers();
        std::vector<float> out(4 * count);
        CUmodule module = nullptr;
        CUfunction function = nullptr;
        CUdeviceptr from = 0, to = 0;
        _mm_setcsr(mxcsr);
        EXPECT_OK(cuModuleLoadData(&module, kernel));
        EXPECT_OK(cuModuleGetFunction(&function, module, "compute"));
        EXPECT_OK(cuMemAlloc_v2(&from, in.size() * 4));
        EXPECT_OK(cuMemAlloc_v2(&to, out.size() * 4));
        EXPECT_OK(cuMemcpyHtoD_v2(from, in.data(), in.size() * 4));
        void* arguments[] = {&from, &to};
        EXPECT_OK(cuLaunchKernel(function, blocks, 1, 1, block_threads, 1, 1, 0, nullptr, arguments, nullptr));
        EXPECT_OK(cuCtxSynchronize());
        EXPECT_OK(cuMemcpyDtoH_v2(out.data(), to, out.size() * 4));
        // The lower six bits only tell what has happened.
        EXPECT_EQ(_mm_getcsr() & ~0x3fu, mxcsr & ~0x3fu);
        _mm_setcsr(usual);
        EXPECT_OK(cuMemFree_v2(from));
        EXPECT_OK(cuMemFree_v2(to));
        EXPECT_OK(cuModuleUnload(module));
        return out;
    }
    void TearDown() override {
        _mm_setcsr(usual);
        Driver::TearDown();
    }
};

void expect_right(const std::vector<float>& out) {
    const std::vector<float> in = numbers();
    for (unsigned i = 0; i < count; ++i) {
        const volatile float x = in[2 * i], y = in[2 * i + 1];
        const float want[] = {x + y, x * y, x / y, __builtin_sqrtf(x)};
        for (unsigned k = 0; k < 4; ++k) {
            if (want[k] != want[k]) continue;
            ASSERT_EQ(std::bit_cast<uint32_t>(out[4 * i + k]), std::bit_cast<uint32_t>(want[k])) << i << " " << k;
        }
    }
}

} // namespace

TEST_F(FloatingPoint, SettingsOfTheApplicationDoNotReachKernels) {
    expect_right(run(odd));
    expect_right(run(usual));
    // Invalid operations, divisions by zero and overflows that the application wants to hear of.
    expect_right(run(usual & ~(0x080u | 0x200u | 0x400u)));
}
