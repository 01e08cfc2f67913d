#include "program.h"

#ifdef __CUDACC__
struct Results {
    int sum, minimum, maximum;
    unsigned andv, orv, xorv, inc, dec;
    unsigned long long sum64, max64;
    float fsum;
    double dsum;
    int exchanged, swaps;
};
extern "C" __global__ void reduce_atomic(const int* in, int n, Results* r) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int v = in[i];
    atomicAdd(&r->sum, v);
    atomicMin(&r->minimum, v);
    atomicMax(&r->maximum, v);
    atomicAnd(&r->andv, (unsigned)v | 0xf0f0u);
    atomicOr(&r->orv, (unsigned)v & 0xff00ffu);
    atomicXor(&r->xorv, (unsigned)v);
    atomicInc(&r->inc, 1000u);
    atomicDec(&r->dec, 777u);
    atomicAdd(&r->sum64, (unsigned long long)(v + 1000) << 20);
    atomicMax(&r->max64, (unsigned long long)(v + 1000) << 33);
    atomicAdd(&r->fsum, (float)(v & 7));
    atomicAdd(&r->dsum, (double)v);
    atomicExch(&r->exchanged, 42);
    int old = r->swaps, seen;
    do {   // compare and swap as a counter
        seen = old;
        old = atomicCAS(&r->swaps, seen, seen + 1);
    } while (old != seen);
}
#else
struct Results {
    int sum, minimum, maximum;
    unsigned andv, orv, xorv, inc, dec;
    unsigned long long sum64, max64;
    float fsum;
    double dsum;
    int exchanged, swaps;
};
#endif

int main() {
    const int n = 20000;
    std::vector<int> in(n);
    Results e{0, 1 << 30, -(1 << 30), ~0u, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0};
    std::vector<Results> start{e};
    for (int i = 0; i < n; i++) {
        int v = in[i] = int(hash32(i) % 2001) - 1000;
        e.sum += v;
        e.minimum = v < e.minimum ? v : e.minimum;
        e.maximum = v > e.maximum ? v : e.maximum;
        e.andv &= (unsigned)v | 0xf0f0u;
        e.orv |= (unsigned)v & 0xff00ffu;
        e.xorv ^= (unsigned)v;
        e.inc = e.inc >= 1000 ? 0 : e.inc + 1;
        e.dec = e.dec == 0 || e.dec > 777 ? 777 : e.dec - 1;
        e.sum64 += (unsigned long long)(v + 1000) << 20;
        unsigned long long w = (unsigned long long)(v + 1000) << 33;
        e.max64 = w > e.max64 ? w : e.max64;
        e.fsum += float(v & 7);
        e.dsum += v;
    }
    DeviceArray<int> din(in);
    DeviceArray<Results> dr(start);
    LAUNCH(reduce_atomic, (n + 127) / 128, 128, 0, 0)(din.data, n, dr.data);
    CHECK(cudaGetLastError());
    Results r = dr.download()[0];
    std::printf("%d %d %d %08x %08x %08x %u %u %llu %llu %.1f %.1f %d %d\n", r.sum, r.minimum, r.maximum, r.andv, r.orv,
                r.xorv, r.inc, r.dec, r.sum64, r.max64, r.fsum, r.dsum, r.exchanged, r.swaps);
    EXPECT(r.sum == e.sum && r.minimum == e.minimum && r.maximum == e.maximum && r.andv == e.andv && r.orv == e.orv);
    EXPECT(r.xorv == e.xorv && r.inc == e.inc && r.dec == e.dec && r.sum64 == e.sum64 && r.max64 == e.max64);
    EXPECT(r.fsum == e.fsum && r.dsum == e.dsum && r.exchanged == 42 && r.swaps == n);
    return passed();
}
