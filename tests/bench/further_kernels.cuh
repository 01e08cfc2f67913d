// Ten kernels more, of the kinds that the first ones leave out.
#include <cstdint>
extern "C" {
// Seven points in double, planes one after another: what lies above and below stays in registers.
__global__ void stencil3d_f64(int n, const double* in, double* out) {
    int x = blockIdx.x * blockDim.x + threadIdx.x, y = blockIdx.y * blockDim.y + threadIdx.y;
    if (x < 1 || x >= n - 1 || y < 1 || y >= n - 1) return;
    int plane = n * n, i = y * n + x + plane;
    double below = in[i - plane], here = in[i];
    for (int z = 1; z < n - 1; z++, i += plane) {
        double above = in[i + plane];
        out[i] = 0.4 * here + 0.1 * (above + below + in[i - 1] + in[i + 1] + in[i - n] + in[i + n]);
        below = here;
        here = above;
    }
}
// Complex numbers of 512 points for each block; `twiddle` has exp(-2 pi i k / 512).
__global__ void fft512(int n, const float2* in, const float2* twiddle, float2* out) {
    __shared__ float2 s[512];
    int t = threadIdx.x, base = blockIdx.x * 512;
    s[__brev(t) >> 23] = in[base + t];
    s[__brev(t + 256) >> 23] = in[base + t + 256];
    for (int half = 1; half < 512; half <<= 1) {
        __syncthreads();
        int k = t & (half - 1), a = 2 * t - k, b = a + half;
        float2 w = twiddle[k * (256 / half)], u = s[a], v = s[b];
        float re = v.x * w.x - v.y * w.y, im = v.x * w.y + v.y * w.x;
        s[a] = make_float2(u.x + re, u.y + im);
        s[b] = make_float2(u.x - re, u.y - im);
    }
    __syncthreads();
    out[base + t] = s[t];
    out[base + t + 256] = s[t + 256];
}
// A pass of a radix sort, four bits: each block's keys go to where `offsets` says that its digits begin, in their order.
__global__ void radix_pass(int n, int shift, const unsigned* keys, const unsigned* offsets, unsigned* out) {
    __shared__ unsigned counts[8][16];
    int t = threadIdx.x, lane = t & 31, warp = t >> 5;
    if (t < 128) counts[t >> 4][t & 15] = 0;
    __syncthreads();
    unsigned key = keys[blockIdx.x * 256 + t], digit = key >> shift & 15, same = 0xffffffffu;
    for (int bit = 0; bit < 4; bit++) {
        unsigned ones = __ballot_sync(0xffffffffu, digit >> bit & 1);
        same &= digit >> bit & 1 ? ones : ~ones;
    }
    unsigned before = __popc(same & ((1u << lane) - 1));
    if (before == 0) counts[warp][digit] = __popc(same);
    __syncthreads();
    if (t < 16) {
        unsigned sum = offsets[blockIdx.x * 16 + t];
        for (int w = 0; w < 8; w++) {
            unsigned count = counts[w][t];
            counts[w][t] = sum;
            sum += count;
        }
    }
    __syncthreads();
    out[counts[warp][digit] + before] = key;
}
// Inclusive sums in one pass: a block looks back at what those before it have published. state[0] is the next block's
// number, state[1] counts blocks that have ended, and the last of them leaves all as it was.
__global__ void scan_lookback(int n, const unsigned* in, unsigned long long* state, unsigned* out) {
    __shared__ unsigned warps[8], block, before;
    int t = threadIdx.x, lane = t & 31, warp = t >> 5;
    if (t == 0) block = (unsigned)atomicAdd(&state[0], 1ull);
    __syncthreads();
    uint4 four = reinterpret_cast<const uint4*>(in)[block * 256 + t];
    four.y += four.x;
    four.z += four.y;
    four.w += four.z;
    unsigned sum = four.w;
    for (int d = 1; d < 32; d <<= 1) {
        unsigned other = __shfl_up_sync(0xffffffffu, sum, d);
        if (lane >= d) sum += other;
    }
    if (lane == 31) warps[warp] = sum;
    __syncthreads();
    unsigned prefix = sum - four.w;
    for (int w = 0; w < 8; w++)
        if (w < warp) prefix += warps[w];
    if (t == 255) {
        volatile unsigned long long* published = state + 2;
        unsigned own = prefix + four.w, all = 0;
        // The upper half says what the lower one is: 1 the block's own sum, 2 all up to it.
        published[block] = (block ? 1ull : 2ull) << 32 | own;
        for (int i = (int)block - 1; i >= 0;) {
            unsigned long long word = published[i];
            if (word >> 32 == 0) continue;
            all += (unsigned)word;
            if (word >> 32 == 2) break;
            i--;
        }
        if (block) published[block] = 2ull << 32 | (unsigned)(all + own);
        before = all;
        __threadfence();
        if (atomicAdd(&state[1], 1ull) == gridDim.x - 1) {
            for (unsigned i = 0; i < gridDim.x + 2; i++) state[i] = 0;
        }
    }
    __syncthreads();
    prefix += before;
    reinterpret_cast<uint4*>(out)[block * 256 + t] =
        make_uint4(four.x + prefix, four.y + prefix, four.z + prefix, four.w + prefix);
}
__global__ void transpose(int n, const float* in, float* out) {
    __shared__ float tile[32][33];
    int x = blockIdx.x * 32 + threadIdx.x, y = blockIdx.y * 32 + threadIdx.y;
    for (int j = 0; j < 32; j += 8) tile[threadIdx.y + j][threadIdx.x] = in[(y + j) * n + x];
    __syncthreads();
    x = blockIdx.y * 32 + threadIdx.x;
    y = blockIdx.x * 32 + threadIdx.y;
    for (int j = 0; j < 32; j += 8) out[(y + j) * n + x] = tile[threadIdx.x][threadIdx.y + j];
}
__constant__ float taps[17] = {0.005f, 0.01f, 0.02f, 0.035f, 0.05f, 0.075f, 0.09f, 0.1f, 0.23f,
                               0.1f, 0.09f, 0.075f, 0.05f, 0.035f, 0.02f, 0.01f, 0.005f};
// Rows of an image whose edges are repeated.
__global__ void convolution(int n, const float* in, float* out) {
    __shared__ float s[256 + 16];
    int t = threadIdx.x, x = blockIdx.x * 256 + t;
    const float* row = in + blockIdx.y * n;
    s[t] = row[max(x - 8, 0)];
    if (t < 16) s[t + 256] = row[min(x + 248, n - 1)];
    __syncthreads();
    float sum = 0;
#pragma unroll
    for (int k = 0; k < 17; k++) sum += taps[k] * s[t + k];
    out[blockIdx.y * n + x] = sum;
}
// Weights of a layer, four of a column in a word, times vectors of eight inputs.
__global__ void dot_int8(int columns, int words, const int* weights, const int* inputs, int* out) {
    int column = blockIdx.x * blockDim.x + threadIdx.x, batch = blockIdx.y;
    if (column >= columns) return;
    int sum = 0;
    for (int k = 0; k < words; k++) sum = __dp4a(weights[k * columns + column], inputs[batch * words + k], sum);
    out[batch * columns + column] = sum;
}
// Four warps of a block, 16 x 8 of the product each; A by rows, B by columns.
__global__ void mma_tile(int n, const uint32_t* A, const uint32_t* B, float* C) {
    int lane = threadIdx.x & 31, warp = threadIdx.x >> 5, group = lane >> 2, four = lane & 3, half = n / 2;
    int row = blockIdx.y * 16, column = (blockIdx.x * 4 + warp) * 8;
    float c0 = 0, c1 = 0, c2 = 0, c3 = 0;
    for (int k = 0; k < half; k += 8) {
        const uint32_t *a = A + (row + group) * half + k + four, *b = B + (column + group) * half + k + four;
        uint32_t a0 = a[0], a1 = a[8 * half], a2 = a[4], a3 = a[8 * half + 4], b0 = b[0], b1 = b[4];
        asm("mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
            : "+f"(c0), "+f"(c1), "+f"(c2), "+f"(c3)
            : "r"(a0), "r"(a1), "r"(a2), "r"(a3), "r"(b0), "r"(b1));
    }
    float* c = C + (row + group) * n + column + 2 * four;
    c[0] = c0;
    c[1] = c1;
    c[8 * n] = c2;
    c[8 * n + 1] = c3;
}
// FNV-1a, and a step that mixes, of strings that lie one after another.
__global__ void hash_strings(int count, const int* begins, const uint8_t* text, unsigned long long* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    unsigned long long hash = 14695981039346656037ull;
    for (int at = begins[i], end = begins[i + 1]; at < end; at++) hash = (hash ^ text[at]) * 1099511628211ull;
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccdull;
    hash ^= hash >> 33;
    out[i] = hash;
}
__global__ void gather(int n, float scale, const int* index, const float* table, float* out) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) out[i] = scale * table[index[i]];
}
}
