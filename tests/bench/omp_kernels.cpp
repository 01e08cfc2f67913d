// (c) what a competent CPU programmer writes: plain C++ + OpenMP, -O3 -march=native, no fast-math.
#include "problem.h"
#include <map>
#ifndef NS
#define NS omp_gcc
#endif
namespace NS {
static void saxpy(Problem& p) {
    int n = p.a[0].i;
    float a = p.a[1].f;
    const float* __restrict x = p.b[0].as<float>(), * __restrict y = p.b[1].as<float>();
    float* __restrict z = p.b[2].as<float>();
#pragma omp parallel for simd
    for (int i = 0; i < n; i++) z[i] = a * x[i] + y[i];
}
static void sgemm_tiled(Problem& p) { // cache-blocked
    int n = p.a[0].i;
    const float* __restrict A = p.b[0].as<float>(), * __restrict Bm = p.b[1].as<float>();
    float* __restrict C = p.b[2].as<float>();
#pragma omp parallel for schedule(dynamic)
    for (int ii = 0; ii < n; ii += 32) {
        memset(C + (size_t)ii * n, 0, 32ull * n * 4);
        for (int jj = 0; jj < n; jj += 256)
            for (int kk = 0; kk < n; kk += 64)
                for (int i = ii; i < ii + 32; i += 4)
                    for (int k = kk; k < kk + 64; k += 4) {
                        float a[4][4];
                        for (int u = 0; u < 4; u++)
                            for (int w = 0; w < 4; w++) a[u][w] = A[(i + u) * n + k + w];
                        const float *b0 = Bm + k * n, *b1 = b0 + n, *b2 = b1 + n, *b3 = b2 + n;
                        float *c0 = C + i * n, *c1 = c0 + n, *c2 = c1 + n, *c3 = c2 + n;
#pragma omp simd
                        for (int j = jj; j < jj + 256; j++) {
                            c0[j] += a[0][0] * b0[j] + a[0][1] * b1[j] + a[0][2] * b2[j] + a[0][3] * b3[j];
                            c1[j] += a[1][0] * b0[j] + a[1][1] * b1[j] + a[1][2] * b2[j] + a[1][3] * b3[j];
                            c2[j] += a[2][0] * b0[j] + a[2][1] * b1[j] + a[2][2] * b2[j] + a[2][3] * b3[j];
                            c3[j] += a[3][0] * b0[j] + a[3][1] * b1[j] + a[3][2] * b2[j] + a[3][3] * b3[j];
                        }
                    }
    }
}
static void sgemm_naive(Problem& p) { // i-k-j, no blocking
    int n = p.a[0].i;
    const float* __restrict A = p.b[0].as<float>(), * __restrict Bm = p.b[1].as<float>();
    float* __restrict C = p.b[2].as<float>();
#pragma omp parallel for
    for (int i = 0; i < n; i++) {
        float* c = C + (size_t)i * n;
        memset(c, 0, 4ull * n);
        for (int k = 0; k < n; k++) {
            float a = A[i * n + k];
            const float* b = Bm + (size_t)k * n;
#pragma omp simd
            for (int j = 0; j < n; j++) c[j] += a * b[j];
        }
    }
}
static void reduce(Problem& p) {
    int n = p.a[0].i;
    const float* in = p.b[0].as<float>();
    float* out = p.b[1].as<float>();
#pragma omp parallel for
    for (int b = 0; b < n / 512; b++) {
        float s = 0;
        const float* q = in + b * 512;
#pragma omp simd reduction(+ : s)
        for (int i = 0; i < 512; i++) s += q[i];
        out[b] = s;
    }
}
static void stencil2d(Problem& p) {
    int n = p.a[0].i;
    const float* __restrict in = p.b[0].as<float>();
    float* __restrict out = p.b[1].as<float>();
#pragma omp parallel for
    for (int y = 0; y < n; y++) {
        const float *c = in + (size_t)y * n, *u = c - n, *d = c + n;
        float* o = out + (size_t)y * n;
        auto edge = [&](int x) {
            o[x] = 0.5f * c[x] + 0.125f * ((y > 0 ? u[x] : 0.f) + (y < n - 1 ? d[x] : 0.f) + (x > 0 ? c[x - 1] : 0.f) +
                                           (x < n - 1 ? c[x + 1] : 0.f));
        };
        if (y == 0 || y == n - 1) {
            for (int x = 0; x < n; x++) edge(x);
            continue;
        }
        edge(0);
#pragma omp simd
        for (int x = 1; x < n - 1; x++) o[x] = 0.5f * c[x] + 0.125f * (u[x] + d[x] + c[x - 1] + c[x + 1]);
        edge(n - 1);
    }
}
static void nbody(Problem& p) {
    int n = p.a[0].i;
    const float* pos = p.b[0].as<float>();
    float* acc = p.b[1].as<float>();
    std::vector<float> X(n), Y(n), Z(n), M(n); // AoS -> SoA
    for (int i = 0; i < n; i++) {
        X[i] = pos[4 * i];
        Y[i] = pos[4 * i + 1];
        Z[i] = pos[4 * i + 2];
        M[i] = pos[4 * i + 3];
    }
    const float *xs = X.data(), *ys = Y.data(), *zs = Z.data(), *ms = M.data();
#pragma omp parallel for
    for (int i = 0; i < n; i++) {
        float px = xs[i], py = ys[i], pz = zs[i], ax = 0, ay = 0, az = 0;
#pragma omp simd reduction(+ : ax, ay, az)
        for (int k = 0; k < n; k++) {
            float dx = xs[k] - px, dy = ys[k] - py, dz = zs[k] - pz, d2 = dx * dx + dy * dy + dz * dz + 0.01f,
                  inv = 1.0f / sqrtf(d2), s = ms[k] * inv * inv * inv;
            ax += dx * s;
            ay += dy * s;
            az += dz * s;
        }
        acc[4 * i] = ax;
        acc[4 * i + 1] = ay;
        acc[4 * i + 2] = az;
        acc[4 * i + 3] = 0;
    }
}
static inline float cnd(float d) {
    const float A1 = 0.31938153f, A2 = -0.356563782f, A3 = 1.781477937f, A4 = -1.821255978f, A5 = 1.330274429f;
    float K = 1.0f / (1.0f + 0.2316419f * fabsf(d)), c = 0.39894228040143267793994605993438f * expf(-0.5f * d * d) *
                                                         (K * (A1 + K * (A2 + K * (A3 + K * (A4 + K * A5)))));
    return d > 0 ? 1.0f - c : c;
}
static void blackscholes(Problem& p) {
    int n = p.a[0].i;
    float r = p.a[1].f, v = p.a[2].f;
    const float* __restrict S_ = p.b[0].as<float>(), * __restrict X_ = p.b[1].as<float>(), * __restrict T_ = p.b[2].as<float>();
    float* __restrict call = p.b[3].as<float>(), * __restrict put = p.b[4].as<float>();
#pragma omp parallel for   // not simd: logf and expf have no vector form here
    for (int i = 0; i < n; i++) {
        float S = S_[i], X = X_[i], T = T_[i], sq = sqrtf(T), d1 = (logf(S / X) + (r + 0.5f * v * v) * T) / (v * sq),
              d2 = d1 - v * sq, c1 = cnd(d1), c2 = cnd(d2), e = expf(-r * T);
        call[i] = S * c1 - X * e * c2;
        put[i] = X * e * (1.0f - c2) - S * (1.0f - c1);
    }
}
static void histogram(Problem& p) {
    int n = p.a[0].i;
    const uint8_t* in = p.b[0].as<uint8_t>();
    unsigned* out = p.b[1].as<unsigned>();
#pragma omp parallel
    {
        unsigned h[4][256] = {};
#pragma omp for
        for (int i = 0; i < n / 4; i++) {
            h[0][in[4 * i]]++;
            h[1][in[4 * i + 1]]++;
            h[2][in[4 * i + 2]]++;
            h[3][in[4 * i + 3]]++;
        }
#pragma omp critical
        for (int i = 0; i < 256; i++) out[i] += h[0][i] + h[1][i] + h[2][i] + h[3][i];
    }
}
static void mandelbrot(Problem& p) {
    int n = p.a[0].i, maxit = p.a[1].i;
    int* out = p.b[0].as<int>();
#pragma omp parallel for schedule(dynamic, 4)
    for (int py = 0; py < n; py++)
        for (int px = 0; px < n; px++) {
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
static void spmv(Problem& p) {
    int rows = p.a[0].i;
    const int *rp = p.b[0].as<int>(), *ci = p.b[1].as<int>();
    const float *v = p.b[2].as<float>(), *x = p.b[3].as<float>();
    float* y = p.b[4].as<float>();
#pragma omp parallel for schedule(dynamic, 1024)
    for (int r = 0; r < rows; r++) {
        float s = 0;
        for (int j = rp[r]; j < rp[r + 1]; j++) s += v[j] * x[ci[j]];
        y[r] = s;
    }
}
static void bitonic(Problem& p) { // a CPU programmer sorts each 1024-block with std::sort
    int n = p.a[0].i;
    const unsigned* in = p.b[0].as<unsigned>();
    unsigned* out = p.b[1].as<unsigned>();
#pragma omp parallel for schedule(dynamic, 16)
    for (int b = 0; b < n / 1024; b++) {
        memcpy(out + b * 1024, in + b * 1024, 4096);
        std::sort(out + b * 1024, out + b * 1024 + 1024);
    }
}
std::map<std::string, void (*)(Problem&)> table = {{"saxpy", saxpy},
                                                   {"sgemm_tiled", sgemm_tiled},
                                                   {"sgemm_naive", sgemm_naive},
                                                   {"reduce_shared", reduce},
                                                   {"reduce_shfl", reduce},
                                                   {"stencil2d", stencil2d},
                                                   {"nbody", nbody},
                                                   {"blackscholes", blackscholes},
                                                   {"histogram", histogram},
                                                   {"mandelbrot", mandelbrot},
                                                   {"spmv", spmv},
                                                   {"bitonic", bitonic}};
} // namespace NS
