// Launches from kernels: grids of grids, parameters of several sizes, and the order that a stream keeps.
#include "program.h"

#ifdef __CUDACC__
struct Bytes3 {
    unsigned char b[3];
};
struct Bytes24 {
    double d;
    char tag;
    int n;
    short s;
};
struct Bytes2000 {
    int v[500];
};

__global__ void leaf(int* out, char c, short s, Bytes3 three, float f, Bytes24 mixed, long long wide) {
    const int i = blockIdx.x * blockDim.x + threadIdx.x;
    out[i] = c + s + three.b[0] + 2 * three.b[1] + 3 * three.b[2] + int(f * 2) + int(mixed.d) + mixed.tag + mixed.n +
             mixed.s + int(wide >> 33) + i;
}

__global__ void large(int* out, Bytes2000 data, int factor) {
    out[threadIdx.x] = data.v[threadIdx.x * 3] * factor;
}

__global__ void none(void) {}

__global__ void parameters(int* out, int* big) {
    if (threadIdx.x == 0) {
        Bytes3 three = {{1, 2, 3}};
        Bytes24 mixed = {100.5, 'm', -7, 12};
        none<<<1, 1>>>();
        leaf<<<4, 32>>>(out, 'c', -300, three, 2.5f, mixed, 5LL << 33);
    } else if (threadIdx.x == 1) {
        Bytes2000 data;
        for (int i = 0; i < 500; i++) data.v[i] = i * i;
        large<<<1, 160>>>(big, data, -2);
    }
}

/// A tree: each grid of `depth` launches two of depth - 1 and adds one.
__global__ void tree(int* count, int depth) {
    if (threadIdx.x == 0) atomicAdd(&count[depth], 1);
    if (depth > 0 && threadIdx.x < 2) tree<<<1, 32>>>(count, depth - 1);
}

/// Kernels that one thread launches into one stream run in their order, and see what came before.
__global__ void step(int* value, int add) { *value = *value * 3 + add; }
__global__ void sequence(int* value) {
    for (int i = 1; i <= 10; i++) step<<<1, 1>>>(value, i);
}

/// A child that uses dynamic shared memory and barriers, launched by every block.
__global__ void reverse(int* data) {
    extern __shared__ int tile[];
    tile[threadIdx.x] = data[threadIdx.x];
    __syncthreads();
    data[threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
}
__global__ void blocks(int* data) {
    const int i = blockIdx.x * 64 + threadIdx.x;
    data[i] = i;
    __syncthreads();
    if (threadIdx.x == 0) reverse<<<1, 64, 64 * sizeof(int)>>>(data + blockIdx.x * 64);
}

__device__ void (*chosen)(int*, int) = step;
__global__ void by_pointer(int* value) { chosen<<<1, 1>>>(value, 1000); }

__global__ void say(int depth) {
    printf("depth %d, block %d of %d\n", depth, blockIdx.x, gridDim.x);
    if (depth < 3) say<<<1, 1>>>(depth + 1);
}
#endif

int main() {
    DeviceArray<int> out(128), big(160), count(8), value(2), data(64 * 20);
    parameters<<<1, 32>>>(out.data, big.data);
    CHECK(cudaDeviceSynchronize());
    std::vector<int> o = out.download(), b = big.download();
    for (int i = 0; i < 128; i++) EXPECT(o[i] == o[0] + i);
    for (int i = 0; i < 160; i++) EXPECT(b[i] == -2 * (i * 3) * (i * 3));
    std::printf("leaf %d %d, digest %016llx\n", o[0], o[127], (unsigned long long)digest(o));

    CHECK(cudaMemset(count.data, 0, 8 * sizeof(int)));
    tree<<<1, 32>>>(count.data, 7);
    CHECK(cudaDeviceSynchronize());
    std::vector<int> c = count.download();
    for (int i = 0; i < 8; i++) EXPECT(c[i] == 1 << (7 - i));

    CHECK(cudaMemset(value.data, 0, 2 * sizeof(int)));
    sequence<<<1, 1>>>(value.data);
    step<<<1, 1>>>(value.data, 11); // after the parent's children
    by_pointer<<<1, 1>>>(value.data + 1);
    CHECK(cudaDeviceSynchronize());
    int expected = 0;
    for (int i = 1; i <= 11; i++) expected = expected * 3 + i;
    std::vector<int> v = value.download();
    EXPECT(v[0] == expected);
    std::printf("sequence %d, by pointer %d\n", v[0], v[1]);

    blocks<<<20, 64>>>(data.data);
    CHECK(cudaDeviceSynchronize());
    std::vector<int> d = data.download();
    for (int i = 0; i < 64 * 20; i++) EXPECT(d[i] == i / 64 * 64 + 63 - i % 64);

    say<<<1, 1>>>(0);
    CHECK(cudaDeviceSynchronize());
    std::fflush(stdout);
    return passed();
}
