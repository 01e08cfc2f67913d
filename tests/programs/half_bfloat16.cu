#include "program.h"

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>

extern "C" __global__ void halves(const float* in, unsigned short* out, float* wide, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    __half a = __float2half_rn(in[i]), b = __float2half_rz(in[(i + 1) % n]);
    unsigned short* o = out + 10 * i;
    o[0] = __half_as_ushort(a);
    o[1] = __half_as_ushort(b);
    o[2] = __half_as_ushort(__hadd(a, b));
    o[3] = __half_as_ushort(__hmul(a, b));
    o[4] = __half_as_ushort(__hfma(a, b, a));
    o[5] = __half_as_ushort(__hsub_sat(a, b));
    o[6] = (unsigned short)(__hlt(a, b) + 2 * __heq(a, a) + 4 * __hge(b, a));
    o[7] = __half_as_ushort(__int2half_rn(i * 37 - 9000));
    __half2 p = __hfma2(__halves2half2(a, b), __float2half2_rn(1.5f), __halves2half2(b, a));
    o[8] = __half_as_ushort(__low2half(p));
    o[9] = __half_as_ushort(__high2half(p));
    wide[i] = __half2float(__hneg(b)) + (float)__half2int_rd(a);
}
extern "C" __global__ void bfloats(const float* in, unsigned short* out, float* wide, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    __nv_bfloat16 a = __float2bfloat16_rn(in[i]), b = __float2bfloat16_rn(in[(i + 1) % n]);
    unsigned short* o = out + 5 * i;
    o[0] = __bfloat16_as_ushort(a);
    o[1] = __bfloat16_as_ushort(__hadd(a, b));
    o[2] = __bfloat16_as_ushort(__hmul(a, b));
    o[3] = __bfloat16_as_ushort(__hfma(a, b, a));
    o[4] = __bfloat16_as_ushort(__hmax(a, b));
    wide[i] = __bfloat162float(b);
}
#endif

int main() {
    const int n = 1024;
    std::vector<float> in(n);
    for (int i = 0; i < n; i++) in[i] = (unit_float(i) - 0.5f) * std::ldexp(1.0f, int(hash32(i + n) % 20) - 8);
    DeviceArray<float> din(in), wide(n);
    DeviceArray<unsigned short> out(10 * n), bout(5 * n);
    LAUNCH(halves, 8, 128, 0, 0)(din.data, out.data, wide.data, n);
    CHECK(cudaGetLastError());
    std::vector<unsigned short> o = out.download();
    for (int c = 0; c < 10; c++) {
        std::vector<unsigned short> column(n);
        for (int i = 0; i < n; i++) column[i] = o[10 * i + c];
        std::printf("half %d %04x digest %016llx\n", c, column[3], (unsigned long long)digest(column));
    }
    std::printf("wide digest %016llx\n", (unsigned long long)digest(wide.download()));
    LAUNCH(bfloats, 8, 128, 0, 0)(din.data, bout.data, wide.data, n);
    CHECK(cudaGetLastError());
    o = bout.download();
    for (int i = 0; i < n; i++) {   // rounding to nearest even of the upper half
        uint32_t bits;
        std::memcpy(&bits, &in[i], 4);
        EXPECT(o[5 * i] == (unsigned short)((bits + 0x7fff + (bits >> 16 & 1)) >> 16));
    }
    for (int c = 0; c < 5; c++) {
        std::vector<unsigned short> column(n);
        for (int i = 0; i < n; i++) column[i] = o[5 * i + c];
        std::printf("bfloat %d %04x digest %016llx\n", c, column[3], (unsigned long long)digest(column));
    }
    std::printf("wide digest %016llx\n", (unsigned long long)digest(wide.download()));
    return passed();
}
