#include "problem.h"
#include <cstdio>
static Buf mk(size_t bytes) {
    Buf x;
    x.bytes = bytes;
    x.p = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    memset(x.p, 0, x.bytes);
    return x;
}
struct Rng {
    uint64_t s = 0x9E3779B97F4A7C15ull;
    uint32_t u() {
        s ^= s << 13;
        s ^= s >> 7;
        s ^= s << 17;
        return (uint32_t)(s >> 32);
    }
    float f(float lo, float hi) { return lo + (hi - lo) * (u() >> 8) * (1.0f / 16777216.0f); }
};
static Buf rf(Rng& r, size_t n, float lo, float hi) {
    Buf x = mk(n * 4);
    for (size_t i = 0; i < n; i++) x.as<float>()[i] = r.f(lo, hi);
    return x;
}
static void geo(Problem& p, unsigned gx, unsigned gy, unsigned bx, unsigned by) {
    p.grid[0] = gx;
    p.grid[1] = gy;
    p.block[0] = bx;
    p.block[1] = by;
}

std::vector<std::string> problem_names() {
    return {"saxpy", "saxpy_l2",     "sgemm_tiled", "sgemm_naive", "reduce_shared", "reduce_shfl", "stencil2d",
            "nbody", "blackscholes", "histogram",   "mandelbrot",  "spmv",          "bitonic"};
}
Problem make_problem(const std::string& name, double scale) {
    Problem p;
    p.name = name;
    Rng r;
    if (name == "saxpy" || name == "saxpy_l2") {
        int n = name == "saxpy" ? (int)(16777216 * scale) : 65536;
        p.name = "saxpy";
        p.b = {rf(r, n, -1, 1), rf(r, n, -1, 1), mk(n * 4ull)};
        p.a = {I(n), F(2.5f), B(0), B(1), B(2)};
        geo(p, (n + 255) / 256, 1, 256, 1);
        p.out = 2;
        p.flops = 2.0 * n;
        p.bytes = 12.0 * n;
        p.tol = 1e-6;
    } else if (name == "sgemm_tiled" || name == "sgemm_naive") {
        int n = scale < 1 ? 512 : 1024;
        p.b = {rf(r, (size_t)n * n, -1, 1), rf(r, (size_t)n * n, -1, 1), mk((size_t)n * n * 4)};
        p.a = {I(n), B(0), B(1), B(2)};
        geo(p, n / 16, n / 16, 16, 16);
        p.out = 2;
        p.flops = 2.0 * n * n * n;
        p.tol = 1e-3;
    } else if (name == "reduce_shared" || name == "reduce_shfl") {
        int n = (int)(16777216 * scale);
        p.b = {rf(r, n, 0, 1), mk((n / 512) * 4ull)};
        p.a = {I(n), B(0), B(1)};
        geo(p, n / 512, 1, 256, 1);
        p.out = 1;
        p.flops = n;
        p.bytes = 4.0 * n;
    } else if (name == "stencil2d") {
        int n = scale < 1 ? 2048 : 4096;
        p.b = {rf(r, (size_t)n * n, -1, 1), mk((size_t)n * n * 4)};
        p.a = {I(n), B(0), B(1)};
        geo(p, n / 16, n / 16, 16, 16);
        p.out = 1;
        p.flops = 6.0 * n * n;
        p.bytes = 8.0 * n * n;
        p.tol = 1e-5;
    } else if (name == "nbody") {
        int n = scale < 1 ? 4096 : 8192;
        p.b = {rf(r, 4ull * n, -1, 1), mk(16ull * n)};
        for (int i = 0; i < n; i++) p.b[0].as<float>()[4 * i + 3] = fabsf(p.b[0].as<float>()[4 * i + 3]) + 0.1f;
        p.a = {I(n), B(0), B(1)};
        geo(p, n / 256, 1, 256, 1);
        p.out = 1;
        p.flops = 20.0 * n * n;
        p.tol = 3e-3;
    } else if (name == "blackscholes") {
        int n = (int)(4194304 * scale);
        p.b = {rf(r, n, 5, 30), rf(r, n, 1, 100), rf(r, n, 0.25f, 10), mk(n * 4ull), mk(n * 4ull)};
        p.a = {I(n), F(0.02f), F(0.30f), B(0), B(1), B(2), B(3), B(4)};
        geo(p, (n + 255) / 256, 1, 256, 1);
        p.out = 3;
        p.flops = n;
        p.bytes = 20.0 * n;
        p.tol = 2e-4;
    } else if (name == "histogram") {
        int n = (int)(16777216 * scale);
        p.b = {mk(n), mk(1024)};
        for (int i = 0; i < n; i++) {
            unsigned v = r.u();
            p.b[0].as<uint8_t>()[i] = (uint8_t)(((v & 255) + ((v >> 8) & 255)) >> 1);
        }
        p.a = {I(n), B(0), B(1)};
        geo(p, n / (256 * 64), 1, 256, 1);
        p.out = 1;
        p.zero_out = true;
        p.cmp = Cmp::IntExact;
        p.flops = n;
        p.bytes = n;
    } else if (name == "mandelbrot") {
        int n = scale < 1 ? 512 : 1024;
        p.b = {mk((size_t)n * n * 4)};
        p.a = {I(n), I(256), B(0)};
        geo(p, n / 16, n / 16, 16, 16);
        p.out = 0;
        p.cmp = Cmp::IntMostly;
        p.tol = 0.005;
        p.flops = 0;
    } else if (name == "spmv") {
        int rows = (int)(262144 * scale);
        std::vector<int> rp(rows + 1);
        for (int i = 0; i < rows; i++) {
            int k = 4 + (r.u() % 16);
            if (r.u() % 16 == 0) k += r.u() % 64;
            rp[i + 1] = rp[i] + k;
        }
        int nnz = rp[rows];
        p.b = {mk((rows + 1) * 4ull), mk(nnz * 4ull), rf(r, nnz, -1, 1), rf(r, rows, -1, 1), mk(rows * 4ull)};
        memcpy(p.b[0].p, rp.data(), (rows + 1) * 4ull);
        for (int i = 0; i < rows; i++)
            for (int j = rp[i]; j < rp[i + 1]; j++) { // banded-ish + some far columns
                int c = (r.u() % 8) ? i + (int)(r.u() % 2048) - 1024 : (int)(r.u() % rows);
                p.b[1].as<int>()[j] = c < 0 ? 0 : c >= rows ? rows - 1 : c;
            }
        p.a = {I(rows), B(0), B(1), B(2), B(3), B(4)};
        geo(p, (rows + 255) / 256, 1, 256, 1);
        p.out = 4;
        p.flops = 2.0 * nnz;
        p.bytes = 8.0 * nnz;
        p.tol = 1e-3;
    } else if (name == "bitonic") {
        int n = (int)(4194304 * scale);
        p.b = {mk(n * 4ull), mk(n * 4ull)};
        for (int i = 0; i < n; i++) p.b[0].as<uint32_t>()[i] = r.u();
        p.a = {I(n), B(0), B(1)};
        geo(p, n / 1024, 1, 512, 1);
        p.out = 1;
        p.cmp = Cmp::IntExact;
        p.bytes = 8.0 * n;
    }
    return p;
}
void free_problem(Problem& p) {
    for (auto& x : p.b) free(x.p);
    p.b.clear();
}
std::string compare_out(const Problem& p, const void* ref, const void* got) {
    size_t n = p.b[p.out].bytes / 4;
    char msg[128];
    size_t bad = 0, first = 0;
    double worst = 0;
    if (p.cmp == Cmp::FloatRel) {
        auto *r = (const float*)ref, *g = (const float*)got;
        double scale = 0;
        for (size_t i = 0; i < n; i++) scale += fabs(r[i]);
        scale = scale / n + 1e-30;
        for (size_t i = 0; i < n; i++) {
            double d = fabs((double)r[i] - g[i]) / (fabs(r[i]) + scale);
            if (!(d <= p.tol)) {
                if (!bad++) first = i;
            }
            if (d > worst) worst = d;
        }
    } else {
        auto *r = (const int*)ref, *g = (const int*)got;
        for (size_t i = 0; i < n; i++)
            if (r[i] != g[i])
                if (!bad++) first = i;
        if (p.cmp == Cmp::IntMostly && bad <= p.tol * n) bad = 0;
    }
    if (!bad) return "";
    snprintf(msg, sizeof msg, "MISMATCH %zu/%zu first@%zu worst %.2g", bad, n, first, worst);
    return msg;
}
