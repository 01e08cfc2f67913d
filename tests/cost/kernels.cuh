// Kernels whose cost is watched, beside those of tests/bench: each is something that programs do. They also compile as
// HIP, for the peer (peer.h).
#include <cstdint>
extern "C" {
__global__ void axpy_double(int n, double a, const double* x, double* y) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) y[i] = a * x[i] + y[i];
}
__global__ void transpose(int n, const float* in, float* out) {
    __shared__ float tile[16][17];
    int x = blockIdx.x * 16 + threadIdx.x, y = blockIdx.y * 16 + threadIdx.y;
    tile[threadIdx.y][threadIdx.x] = in[y * n + x];
    __syncthreads();
    out[(blockIdx.x * 16 + threadIdx.y) * n + blockIdx.y * 16 + threadIdx.x] = tile[threadIdx.x][threadIdx.y];
}
__global__ void matvec(int rows, int columns, const float* m, const float* v, float* out) {
    int r = blockIdx.x * blockDim.x + threadIdx.x;
    if (r >= rows) return;
    float sum = 0;
    for (int c = 0; c < columns; c++) sum += m[r * columns + c] * v[c];
    out[r] = sum;
}
__global__ void convolve(int n, const float* in, const float* weights, float* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < 4 || i >= n - 4) return;
    float sum = 0;
#pragma unroll
    for (int k = -4; k <= 4; k++) sum += in[i + k] * weights[k + 4];
    out[i] = sum;
}
__global__ void sobel(int w, int h, const uint8_t* in, uint8_t* out) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x < 1 || y < 1 || x >= w - 1 || y >= h - 1) return;
    const uint8_t* p = in + y * w + x;
    int gx = p[1 - w] + 2 * p[1] + p[1 + w] - p[-1 - w] - 2 * p[-1] - p[w - 1];
    int gy = p[w - 1] + 2 * p[w] + p[w + 1] - p[-w - 1] - 2 * p[-w] - p[1 - w];
    int g = (gx < 0 ? -gx : gx) + (gy < 0 ? -gy : gy);
    out[y * w + x] = g > 255 ? 255 : g;
}
__global__ void scan_block(const unsigned* in, unsigned* out) {
    __shared__ unsigned s[256];
    int t = threadIdx.x;
    s[t] = in[blockIdx.x * 256 + t];
    __syncthreads();
    for (int d = 1; d < 256; d <<= 1) {
        unsigned other = t >= d ? s[t - d] : 0;
        __syncthreads();
        s[t] += other;
        __syncthreads();
    }
    out[blockIdx.x * 256 + t] = s[t];
}
__global__ void radix_count(int n, int shift, const unsigned* in, unsigned* counts) {
    __shared__ unsigned bins[16];
    if (threadIdx.x < 16) bins[threadIdx.x] = 0;
    __syncthreads();
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) atomicAdd(&bins[in[i] >> shift & 15], 1u);
    __syncthreads();
    if (threadIdx.x < 16) counts[blockIdx.x * 16 + threadIdx.x] = bins[threadIdx.x];
}
__global__ void jacobi(int n, const double* in, double* out) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x < 1 || y < 1 || x >= n - 1 || y >= n - 1) return;
    out[y * n + x] = 0.25 * (in[y * n + x - 1] + in[y * n + x + 1] + in[(y - 1) * n + x] + in[(y + 1) * n + x]);
}
__global__ void random_walk(int n, int steps, unsigned* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    unsigned state = i * 2654435761u + 1, at = 0;
    for (int k = 0; k < steps; k++) {
        state = state * 1664525u + 1013904223u;
        at += state >> 30 ? 1 : -1;
    }
    out[i] = at ^ state;
}
__global__ void crc32(int n, int words, const unsigned* in, unsigned* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    unsigned crc = ~0u;
    for (int w = 0; w < words; w++) {
        crc ^= in[i * words + w];
        for (int b = 0; b < 32; b++) crc = crc & 1 ? crc >> 1 ^ 0xedb88320u : crc >> 1;
    }
    out[i] = ~crc;
}
__device__ static inline unsigned rotate(unsigned x, int by) { return x >> by | x << (32 - by); }
__global__ void hash_rounds(int n, int rounds, const unsigned* in, unsigned* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    unsigned a = in[i], b = a ^ 0x6a09e667, c = a + 0xbb67ae85, d = ~a;
    for (int k = 0; k < rounds; k++) {
        unsigned mixed = (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        unsigned other = (rotate(d, 6) ^ rotate(d, 11) ^ rotate(d, 25)) + ((d & c) ^ (~d & b)) + k;
        a = mixed + other;
        d = c;
        c = b;
        b = rotate(a, 7) + d;
    }
    out[i] = a ^ b ^ c ^ d;
}
__global__ void frontier(int n, int level, const int* begins, const int* edges, int* levels, int* changed) {
    int v = blockIdx.x * blockDim.x + threadIdx.x;
    if (v >= n || levels[v] != level) return;
    for (int e = begins[v]; e < begins[v + 1]; e++)
        if (atomicCAS(&levels[edges[e]], -1, level + 1) == -1) *changed = 1;
}
__global__ void nearest(int n, int centres, const float2* points, const float2* means, int* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float2 p = points[i];
    float best = 3.0e38f;
    int which = 0;
    for (int c = 0; c < centres; c++) {
        float dx = p.x - means[c].x, dy = p.y - means[c].y, d = dx * dx + dy * dy;
        if (d < best) best = d, which = c;
    }
    out[i] = which;
}
__global__ void resize(int w, int h, int to_w, int to_h, const float* in, float* out) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= to_w || y >= to_h) return;
    float u = x * (float)w / to_w, v = y * (float)h / to_h;
    int i = (int)u, j = (int)v, i1 = i + 1 < w ? i + 1 : i, j1 = j + 1 < h ? j + 1 : j;
    float a = u - i, b = v - j;
    float top = in[j * w + i] * (1 - a) + in[j * w + i1] * a, low = in[j1 * w + i] * (1 - a) + in[j1 * w + i1] * a;
    out[y * to_w + x] = top * (1 - b) + low * b;
}
__global__ void complex_product(int n, const float2* a, const float2* b, float2* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float2 x = a[i], y = b[i];
    out[i] = make_float2(x.x * y.x - x.y * y.y, x.x * y.y + x.y * y.x);
}
__global__ void butterflies(int n, int half, const float2* roots, float2* data) {
    int t = blockIdx.x * blockDim.x + threadIdx.x;
    if (t >= n / 2) return;
    int at = t / half * 2 * half + t % half;
    float2 w = roots[t % half], a = data[at], b = data[at + half];
    float re = b.x * w.x - b.y * w.y, im = b.x * w.y + b.y * w.x;
    data[at] = make_float2(a.x + re, a.y + im);
    data[at + half] = make_float2(a.x - re, a.y - im);
}
__global__ void floyd(int n, int k, int* d) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= n || y >= n) return;
    int through = d[y * n + k] + d[k * n + x];
    if (through < d[y * n + x]) d[y * n + x] = through;
}
__global__ void gather(int n, const int* index, const float* in, float* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = in[index[i]];
}
__global__ void compact(int n, int limit, const int* in, int* out, unsigned* count) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n && in[i] < limit) out[atomicAdd(count, 1u)] = in[i];
}
__global__ void binary_search(int n, int sorted, const int* keys, const int* values, int* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int key = keys[i], low = 0, high = sorted;
    while (low < high) {
        int middle = (low + high) >> 1;
        if (values[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    out[i] = low;
}
__global__ void softmax(int columns, const float* in, float* out) {
    __shared__ float s[128];
    int t = threadIdx.x;
    const float* row = in + blockIdx.x * columns;
    float most = -3.0e38f, sum = 0;
    for (int c = t; c < columns; c += 128) most = row[c] > most ? row[c] : most;
    s[t] = most;
    __syncthreads();
    for (int d = 64; d > 0; d >>= 1) {
        if (t < d) s[t] = s[t] > s[t + d] ? s[t] : s[t + d];
        __syncthreads();
    }
    most = s[0];
    __syncthreads();
    for (int c = t; c < columns; c += 128) sum += expf(row[c] - most);
    s[t] = sum;
    __syncthreads();
    for (int d = 64; d > 0; d >>= 1) {
        if (t < d) s[t] += s[t + d];
        __syncthreads();
    }
    for (int c = t; c < columns; c += 128) out[blockIdx.x * columns + c] = expf(row[c] - most) / s[0];
}
__global__ void divide_integers(int n, const int* a, const int* b, int* quotients, int* remainders) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int by = b[i] | 1;
    quotients[i] = a[i] / by;
    remainders[i] = a[i] % by;
}
__global__ void modular_power(int n, unsigned modulus, const unsigned* base, const unsigned* exponent, unsigned* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    unsigned long long power = base[i] % modulus, result = 1;
    for (unsigned e = exponent[i]; e; e >>= 1) {
        if (e & 1) result = result * power % modulus;
        power = power * power % modulus;
    }
    out[i] = (unsigned)result;
}
__global__ void bits(int n, const unsigned* in, unsigned* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    unsigned x = in[i];
    out[i] = __popc(x) + 64u * __clz(x) + 4096u * (x & 0xff) + (__brev(x) & 0xfff00000u);
}
__global__ void newton(int n, int rounds, const double* in, double* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    double a = in[i], x = a;
    for (int k = 0; k < rounds; k++) x = 0.5 * (x + a / x);
    out[i] = x;
}
__global__ void normalize(int n, const float4* in, float4* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    float4 v = in[i];
    float inverse = 1.0f / sqrtf(v.x * v.x + v.y * v.y + v.z * v.z);
    out[i] = make_float4(v.x * inverse, v.y * inverse, v.z * inverse, v.w);
}
__global__ void insertion_sort(int n, const int* in, int* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int own[8];
    for (int k = 0; k < 8; k++) own[k] = in[i * 8 + k];
    for (int k = 1; k < 8; k++) {
        int value = own[k], at = k;
        for (; at > 0 && own[at - 1] > value; at--) own[at] = own[at - 1];
        own[at] = value;
    }
    for (int k = 0; k < 8; k++) out[i * 8 + k] = own[k];
}
__global__ void collatz(int n, int* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    long long x = i + 1;
    int steps = 0;
    while (x != 1 && steps < 1000) {
        x = x & 1 ? 3 * x + 1 : x >> 1;
        steps++;
    }
    out[i] = steps;
}
__global__ void dot_long(int n, const long long* a, const long long* b, unsigned long long* out) {
    __shared__ unsigned long long s[128];
    unsigned long long sum = 0;
    for (int i = threadIdx.x; i < n; i += 128) sum += (unsigned long long)a[i] * (unsigned long long)b[i];
    s[threadIdx.x] = sum;
    __syncthreads();
    for (int d = 64; d > 0; d >>= 1) {
        if (threadIdx.x < d) s[threadIdx.x] += s[threadIdx.x + d];
        __syncthreads();
    }
    if (threadIdx.x == 0) *out = s[0];
}
__global__ void life(int n, const uint8_t* in, uint8_t* out) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x >= n || y >= n) return;
    int alive = 0;
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++)
            if (dx | dy) alive += in[(y + dy + n) % n * n + (x + dx + n) % n];
    out[y * n + x] = alive == 3 || (alive == 2 && in[y * n + x]);
}
}
