// cp.async.bulk.tensor along W only, as a kernel uses it. Devices of compute capability 10.0, which no machine at hand had:
// the expected tiles are made here, from PTX ISA 5.5.5; tests/unit/cpu/tensor_tile_test.cpp says what is interpretation.
#include "driver_fixture.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

using namespace shim;

namespace {

constexpr int width = 10, height = 3, images = 20, channels = 64;

std::string text_of(const std::string& mode) {
    return R"(.version 8.6
.target sm_100
.address_size 64
.extern .shared .align 1024 .b8 tile[];
.visible .entry load(.param .align 64 .b8 map[128], .param .u64 to, .param .u32 bytes, .param .u16 halo, .param .u16 offset) {
  .shared .align 8 .b64 bar;
  .reg .b64 %rd<6>;
  .reg .b32 %r<12>;
  .reg .b16 %h<3>;
  .reg .pred %p;
  ld.param.u64 %rd1, [to];
  ld.param.u32 %r1, [bytes];
  ld.param.u16 %h1, [halo];
  ld.param.u16 %h2, [offset];
  mov.b64 %rd2, map;
  mov.b32 %r2, tile;
  mov.b32 %r3, bar;
  mov.b32 %r4, 0;
  mov.b32 %r5, 2;
  mov.b32 %r6, 1;
  mov.b32 %r7, 3;
  mbarrier.init.shared::cta.b64 [%r3], 1;
  mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r3], %r1;
  cp.async.bulk.tensor.4d.shared::cluster.global.)" + mode + R"(.mbarrier::complete_tx::bytes [%r2], [%rd2, {%r4, %r5, %r6, %r7}], [%r3], {%h1, %h2};
wait:
  mbarrier.try_wait.parity.shared::cta.b64 %p, [%r3], 0;
  @!%p bra wait;
  mov.b32 %r8, 0;
store:
  add.u32 %r9, %r2, %r8;
  ld.shared.v4.b32 {%r4, %r5, %r6, %r7}, [%r9];
  st.global.v4.b32 [%rd1], {%r4, %r5, %r6, %r7};
  add.u64 %rd1, %rd1, 16;
  add.u32 %r8, %r8, 16;
  setp.lt.u32 %p, %r8, %r1;
  @%p bra store;
  ret;
})";
}

uint16_t element(int image, int line, int column, int channel) {
    return uint16_t(((image * height + line) * width + column) * channels + channel + 1);
}

/// The tile of pixels: first `pixels` of them and a halo, `group` at a time.
std::vector<uint16_t> expected(int pixels, int group, int halo, int offset, int lower, int upper, int step) {
    std::vector<uint16_t> tile;
    const int columns = (width - 1 + upper - lower) / step + 1, before = (2 - lower) / step;
    for (int begin = 0; begin < pixels; begin += group)
        for (int k = 0; k < std::min(group, pixels - begin) + halo; k++) {
            const int walked = before + begin + k, column = lower + offset + walked % columns * step;
            const int image = 3 + walked / columns;
            const bool inside = column >= 0 && column < width && image < images;
            for (int c = 0; c < channels; c++) tile.push_back(inside ? element(image, 1, column, c) : 0);
        }
    return tile;
}

struct Im2colW : Driver {
    void check(bool by_32, int pixels, int halo, int offset, int lower, int upper, int step, int swizzle = 0) {
        std::vector<uint16_t> source;
        for (int n = 0; n < images; n++)
            for (int y = 0; y < height; y++)
                for (int x = 0; x < width; x++)
                    for (int c = 0; c < channels; c++) source.push_back(element(n, y, x, c));
        const auto tile = expected(by_32 ? 128 : pixels, by_32 ? 32 : pixels, halo, offset, lower, upper, step);
        CUdeviceptr memory = 0;
        const size_t source_bytes = source.size() * 2, bytes = tile.size() * 2;
        ASSERT_OK(cuMemAlloc_v2(&memory, source_bytes + bytes));
        ASSERT_OK(cuMemcpyHtoD_v2(memory, source.data(), source_bytes));
        alignas(64) CUtensorMap map;
        const cuuint64_t extents[] = {channels, width, height, images},
                         strides[] = {2 * channels, 2 * channels * width, 2 * channels * width * height};
        const cuuint32_t steps[] = {1, cuuint32_t(step), 1, 1};
        ASSERT_OK(cuTensorMapEncodeIm2colWide(&map, 1, 4, reinterpret_cast<void*>(memory), extents, strides, lower, upper,
                                              channels, cuuint32_t(pixels), steps, 0, by_32, swizzle, 0, 0));
        CUmodule module = nullptr;
        CUfunction function = nullptr;
        ASSERT_OK(cuModuleLoadData(&module, text_of(by_32 ? "im2col::w::128" : "im2col::w").c_str()));
        ASSERT_OK(cuModuleGetFunction(&function, module, "load"));
        CUdeviceptr to = memory + source_bytes;
        auto size = unsigned(bytes);
        uint16_t halo16 = uint16_t(halo), offset16 = uint16_t(offset);
        void* parameters[] = {&map, &to, &size, &halo16, &offset16};
        ASSERT_OK(cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, size, nullptr, parameters, nullptr));
        std::vector<uint16_t> got(tile.size());
        ASSERT_OK(cuMemcpyDtoH_v2(got.data(), to, bytes));
        // 16 bytes of a row of 128 lie where the row's number says.
        for (size_t k = 0; k < tile.size(); k++) {
            const size_t row = k / 64, at = swizzle == 3 ? k ^ (row & 7) << 3 : k;
            ASSERT_EQ(got[at], tile[k]) << "pixel " << row << ", channel " << k % 64;
        }
        EXPECT_OK(cuModuleUnload(module));
        EXPECT_OK(cuMemFree_v2(memory));
    }
};

} // namespace

TEST_F(Im2colW, WithHalo) { check(false, 48, 2, 0, 0, 0, 1); }
TEST_F(Im2colW, WithoutHalo) { check(false, 48, 0, 0, -1, -1, 1); }
TEST_F(Im2colW, WithOffset) { check(false, 40, 1, 2, 0, -2, 1); }
TEST_F(Im2colW, WithSteps) { check(false, 40, 1, 1, -2, 0, 2); }
TEST_F(Im2colW, Swizzled) { check(false, 40, 2, 0, 0, 0, 1, 3); }
TEST_F(Im2colW, By32) { check(true, 1, 2, 0, 0, 0, 1); }
TEST_F(Im2colW, By32WithOffsetAndSteps) { check(true, 1, 1, 1, -2, 0, 2, 3); }
