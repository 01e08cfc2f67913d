#include "program.h"

#ifdef __CUDACC__
__device__ __noinline__ int ackermann(int m, int n) {
    if (m == 0) return n + 1;
    if (n == 0) return ackermann(m - 1, 1);
    return ackermann(m - 1, ackermann(m, n - 1));
}
struct Big { long long v[5]; double d; char tag; };
__device__ __noinline__ Big mix(Big b, int depth, const Big* origin) {
    if (depth == 0) return b;
    for (int i = 0; i < 5; i++) b.v[i] = b.v[i] * 3 + origin->v[4 - i];
    b.d *= 1.5;
    b.tag++;
    return mix(b, depth - 1, origin);
}
typedef int (*Operation)(int, int);
__device__ __noinline__ int plus(int a, int b) { return a + b; }
__device__ __noinline__ int times(int a, int b) { return a * b; }
__device__ __noinline__ int minus(int a, int b) { return a - b; }
__device__ Operation operations[3] = {plus, times, minus};

struct Shape {
    __device__ virtual float area() const = 0;
    __device__ virtual ~Shape() {}
};
struct Square : Shape {
    float side;
    __device__ explicit Square(float s) : side(s) {}
    __device__ float area() const override { return side * side; }
};
struct Strip : Square {
    float length;
    __device__ Strip(float s, float l) : Square(s), length(l) {}
    __device__ float area() const override { return side * length; }
};

extern "C" __global__ void recursion(int* out) { out[threadIdx.x] = ackermann(2, threadIdx.x); }
extern "C" __global__ void aggregates(long long* out) {
    Big b;
    for (int i = 0; i < 5; i++) b.v[i] = threadIdx.x + i;
    b.d = threadIdx.x;
    b.tag = 'a';
    Big origin = b, r = mix(b, 3 + threadIdx.x % 3, &origin);
    out[threadIdx.x] = r.v[0] + r.v[1] + r.v[2] + r.v[3] + r.v[4] + (long long)(r.d * 8) + r.tag;
}
extern "C" __global__ void pointers(int* out) { out[threadIdx.x] = operations[threadIdx.x % 3](threadIdx.x, 7); }
extern "C" __global__ void virtuals(float* out) {
    Square square(threadIdx.x + 1.0f);
    Strip strip(2.0f, threadIdx.x + 0.5f);
    const Shape* shapes[2] = {&square, &strip};
    out[threadIdx.x] = shapes[threadIdx.x & 1]->area() + shapes[threadIdx.x >> 1 & 1]->area();
}
#endif

int main() {
    DeviceArray<int> a(32), p(32);
    DeviceArray<long long> g(32);
    DeviceArray<float> v(32);
    CHECK(cudaDeviceSetLimit(cudaLimitStackSize, 16 << 10));
    LAUNCH(recursion, 1, 32, 0, 0)(a.data);
    LAUNCH(aggregates, 1, 32, 0, 0)(g.data);
    LAUNCH(pointers, 1, 32, 0, 0)(p.data);
    LAUNCH(virtuals, 1, 32, 0, 0)(v.data);
    CHECK(cudaGetLastError());
    CHECK(cudaDeviceSynchronize());
    std::vector<int> ack = a.download(), op = p.download();
    std::vector<long long> big = g.download();
    std::vector<float> areas = v.download();
    for (int i = 0; i < 32; i++) {
        EXPECT(ack[i] == 2 * i + 3);
        EXPECT(op[i] == (i % 3 == 0 ? i + 7 : i % 3 == 1 ? i * 7 : i - 7));
        float square = (i + 1.0f) * (i + 1.0f), strip = 2 * (i + 0.5f);
        EXPECT(areas[i] == (i & 1 ? strip : square) + (i >> 1 & 1 ? strip : square));
    }
    std::printf("big %lld %lld %lld digest %016llx\n", big[0], big[1], big[31], (unsigned long long)digest(big));
    return passed();
}
