#include "program.h"

#ifdef __CUDACC__
extern "C" __global__ void doubles(const double* in, double* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    double x = in[i];
    double* o = out + 12 * i;
    o[0] = x * x + 1.0;
    o[1] = 1.0 / x;
    o[2] = sqrt(fabs(x));
    o[3] = exp(x * 0.125);
    o[4] = sin(x);
    o[5] = log(fabs(x) + 1e-3);
    o[6] = floor(x) + trunc(x * 3.3) + rint(x * 7.7);
    o[7] = __dmul_rd(x, 1.1);
    o[8] = __dadd_ru(x, 1e-17);
    o[9] = fmin(x, 0.25) + fmax(x, -0.25);
    o[10] = pow(fabs(x), 1.5);
    o[11] = atan2(x, 2.0);
}
extern "C" __global__ void integers(const long long* in, long long* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long a = in[i], b = in[(i + 1) % n] | 1;
    unsigned long long ua = a, ub = b;
    long long* o = out + 10 * i;
    o[0] = a * b;
    o[1] = a / (b >> 40 | 1);
    o[2] = a % (b >> 40 | 1);
    o[3] = __mul64hi(a, b);
    o[4] = (long long)__umul64hi(ua, ub);
    o[5] = (a << (b & 63)) ^ (a >> (a & 63)) ^ (long long)(ua >> (ub & 63));
    o[6] = __popcll(a) + 100 * __clzll(a) + 10000 * __ffsll(a);
    o[7] = (long long)__brevll(ua);
    o[8] = (long long)(double)a + (long long)((float)b) + (long long)__double2ll_ru((double)a * 1e-5);
    o[9] = (a < b) + 2 * (ua < ub) + 4 * (a == b) + (long long)(ua / (ub >> 30 | 1)) * 8;
}
#endif

int main() {
    const int n = 512;
    std::vector<double> in(n);
    std::vector<long long> longs(n);
    for (int i = 0; i < n; i++) {
        in[i] = (unit_float(i) - 0.5) * 40 + (i == 0 ? 0.1 : 0);
        longs[i] = (long long)((unsigned long long)hash32(i) << 32 | hash32(i + n));
    }
    DeviceArray<double> din(in), dout(12 * n);
    DeviceArray<long long> lin(longs), lout(10 * n);
    LAUNCH(doubles, 4, 128, 0, 0)(din.data, dout.data, n);
    LAUNCH(integers, 4, 128, 0, 0)(lin.data, lout.data, n);
    CHECK(cudaGetLastError());
    std::vector<double> out = dout.download();
    std::vector<long long> lo = lout.download();
    for (int i = 0; i < n; i++) {
        EXPECT(out[12 * i + 1] == 1.0 / in[i] && out[12 * i + 2] == std::sqrt(std::fabs(in[i])));
        EXPECT(std::fabs(out[12 * i + 4] - std::sin(in[i])) < 1e-15);
        EXPECT(lo[10 * i] == (long long)((unsigned long long)longs[i] * (unsigned long long)(longs[(i + 1) % n] | 1)));
    }
    for (int c = 0; c < 12; c++) {
        std::vector<double> column(n);
        for (int i = 0; i < n; i++) column[i] = out[12 * i + c];
        std::printf("double %d %.17g digest %016llx\n", c, column[1], (unsigned long long)digest(column));
    }
    for (int c = 0; c < 10; c++) {
        std::vector<long long> column(n);
        for (int i = 0; i < n; i++) column[i] = lo[10 * i + c];
        std::printf("int64 %d %lld digest %016llx\n", c, column[1], (unsigned long long)digest(column));
    }
    return passed();
}
