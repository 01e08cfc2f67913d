// The CUDA kernels, as users write them.
#include <cstdint>
extern "C" {
__global__ void saxpy(int n, float a, const float* x, const float* y, float* z) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) z[i] = a * x[i] + y[i];
}
#define TILE 16
__global__ void sgemm_tiled(int n, const float* A, const float* Bm, float* C) {
    __shared__ float As[TILE][TILE], Bs[TILE][TILE];
    int tx = threadIdx.x, ty = threadIdx.y;
    int row = blockIdx.y * TILE + ty, col = blockIdx.x * TILE + tx;
    float acc = 0;
    for (int t = 0; t < n / TILE; t++) {
        As[ty][tx] = A[row * n + t * TILE + tx];
        Bs[ty][tx] = Bm[(t * TILE + ty) * n + col];
        __syncthreads();
#pragma unroll
        for (int k = 0; k < TILE; k++) acc += As[ty][k] * Bs[k][tx];
        __syncthreads();
    }
    C[row * n + col] = acc;
}
__global__ void sgemm_naive(int n, const float* A, const float* Bm, float* C) {
    int col = blockIdx.x * blockDim.x + threadIdx.x, row = blockIdx.y * blockDim.y + threadIdx.y;
    if (row < n && col < n) {
        float acc = 0;
        for (int k = 0; k < n; k++) acc += A[row * n + k] * Bm[k * n + col];
        C[row * n + col] = acc;
    }
}
__global__ void reduce_shared(int n, const float* in, float* out) {
    __shared__ float s[256];
    int t = threadIdx.x, i = blockIdx.x * 512 + t;
    s[t] = (i < n ? in[i] : 0.f) + (i + 256 < n ? in[i + 256] : 0.f);
    __syncthreads();
    for (int d = 128; d > 0; d >>= 1) {
        if (t < d) s[t] += s[t + d];
        __syncthreads();
    }
    if (t == 0) out[blockIdx.x] = s[0];
}
__global__ void reduce_shfl(int n, const float* in, float* out) {
    __shared__ float s[8];
    int t = threadIdx.x, i = blockIdx.x * 512 + t;
    float v = (i < n ? in[i] : 0.f) + (i + 256 < n ? in[i + 256] : 0.f);
    for (int d = 16; d > 0; d >>= 1) v += __shfl_down_sync(0xffffffffu, v, d);
    if ((t & 31) == 0) s[t >> 5] = v;
    __syncthreads();
    if (t < 32) {
        v = t < 8 ? s[t] : 0.f;
        for (int d = 4; d > 0; d >>= 1) v += __shfl_down_sync(0xffffffffu, v, d);
        if (t == 0) out[blockIdx.x] = v;
    }
}
__global__ void stencil2d(int n, const float* in, float* out) {
    __shared__ float s[TILE + 2][TILE + 2];
    int tx = threadIdx.x, ty = threadIdx.y, x = blockIdx.x * TILE + tx, y = blockIdx.y * TILE + ty;
    int lx = tx + 1, ly = ty + 1;
    s[ly][lx] = in[y * n + x];
    if (tx == 0) s[ly][0] = x > 0 ? in[y * n + x - 1] : 0.f;
    if (tx == TILE - 1) s[ly][TILE + 1] = x < n - 1 ? in[y * n + x + 1] : 0.f;
    if (ty == 0) s[0][lx] = y > 0 ? in[(y - 1) * n + x] : 0.f;
    if (ty == TILE - 1) s[TILE + 1][lx] = y < n - 1 ? in[(y + 1) * n + x] : 0.f;
    __syncthreads();
    out[y * n + x] = 0.5f * s[ly][lx] + 0.125f * (s[ly - 1][lx] + s[ly + 1][lx] + s[ly][lx - 1] + s[ly][lx + 1]);
}
__global__ void nbody(int n, const float4* pos, float4* acc) {
    __shared__ float4 sp[256];
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    float4 p = pos[i];
    float ax = 0, ay = 0, az = 0;
    for (int t = 0; t < n; t += 256) {
        sp[threadIdx.x] = pos[t + threadIdx.x];
        __syncthreads();
        for (int k = 0; k < 256; k++) {
            float dx = sp[k].x - p.x, dy = sp[k].y - p.y, dz = sp[k].z - p.z;
            float d2 = dx * dx + dy * dy + dz * dz + 0.01f, inv = rsqrtf(d2), s = sp[k].w * inv * inv * inv;
            ax += dx * s;
            ay += dy * s;
            az += dz * s;
        }
        __syncthreads();
    }
    acc[i] = make_float4(ax, ay, az, 0.f);
}
__device__ static inline float cnd(float d) {
    const float A1 = 0.31938153f, A2 = -0.356563782f, A3 = 1.781477937f, A4 = -1.821255978f, A5 = 1.330274429f;
    float K = 1.0f / (1.0f + 0.2316419f * fabsf(d));
    float c = 0.39894228040143267793994605993438f * expf(-0.5f * d * d) *
              (K * (A1 + K * (A2 + K * (A3 + K * (A4 + K * A5)))));
    return d > 0 ? 1.0f - c : c;
}
__global__ void blackscholes(int n, float r, float v, const float* S_, const float* X_, const float* T_, float* call,
                             float* put) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < n) {
        float S = S_[i], X = X_[i], T = T_[i], sq = sqrtf(T);
        float d1 = (logf(S / X) + (r + 0.5f * v * v) * T) / (v * sq), d2 = d1 - v * sq;
        float c1 = cnd(d1), c2 = cnd(d2), e = expf(-r * T);
        call[i] = S * c1 - X * e * c2;
        put[i] = X * e * (1.0f - c2) - S * (1.0f - c1);
    }
}
__global__ void histogram(int n, const uint8_t* in, unsigned* out) {
    __shared__ unsigned h[256];
    h[threadIdx.x] = 0;
    __syncthreads();
    int stride = gridDim.x * blockDim.x;
    for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < n; i += stride) atomicAdd(&h[in[i]], 1u);
    __syncthreads();
    atomicAdd(&out[threadIdx.x], h[threadIdx.x]);
}
__global__ void mandelbrot(int n, int maxit, int* out) {
    int px = blockIdx.x * blockDim.x + threadIdx.x, py = blockIdx.y * blockDim.y + threadIdx.y;
    if (px < n && py < n) {
        float cx = -2.0f + 3.0f * px / n, cy = -1.5f + 3.0f * py / n, x = 0, y = 0;
        int it = 0;
        while (it < maxit && x * x + y * y < 4.0f) {
            float xt = x * x - y * y + cx;
            y = 2 * x * y + cy;
            x = xt;
            it++;
        }
        out[py * n + px] = it;
    }
}
__global__ void spmv(int rows, const int* rp, const int* ci, const float* v, const float* x, float* y) {
    int r = blockIdx.x * blockDim.x + threadIdx.x;
    if (r < rows) {
        float s = 0;
        for (int j = rp[r]; j < rp[r + 1]; j++) s += v[j] * x[ci[j]];
        y[r] = s;
    }
}
__global__ void bitonic(int n, const unsigned* in, unsigned* out) {
    __shared__ unsigned s[1024];
    int t = threadIdx.x, base = blockIdx.x * 1024;
    s[t] = in[base + t];
    s[t + 512] = in[base + t + 512];
    for (int size = 2; size <= 1024; size <<= 1)
        for (int st = size >> 1; st > 0; st >>= 1) {
            __syncthreads();
            int pos = 2 * t - (t & (st - 1));
            bool up = ((t & (size >> 1)) == 0);
            if (size == 1024) up = true;
            unsigned a = s[pos], b = s[pos + st];
            if ((a > b) == up) {
                s[pos] = b;
                s[pos + st] = a;
            }
        }
    __syncthreads();
    out[base + t] = s[t];
    out[base + t + 512] = s[t + 512];
}
}
