#include "problem_parts.h"
#include <cstdio>
Buf make_buffer(size_t bytes) {
    Buf x;
    x.bytes = bytes;
    x.p = aligned_alloc(4096, (bytes + 4095) / 4096 * 4096);
    memset(x.p, 0, x.bytes);
    return x;
}
Buf random_floats(Rng& r, size_t n, float lo, float hi) {
    Buf x = make_buffer(n * 4);
    for (size_t i = 0; i < n; i++) x.as<float>()[i] = r.f(lo, hi);
    return x;
}
void set_grid(Problem& p, unsigned gx, unsigned gy, unsigned bx, unsigned by) {
    p.grid[0] = gx;
    p.grid[1] = gy;
    p.block[0] = bx;
    p.block[1] = by;
}

std::vector<std::string> problem_names() {
    return {"saxpy", "saxpy_l2",     "sgemm_tiled", "sgemm_naive", "reduce_shared", "reduce_shfl", "stencil2d",
            "nbody", "blackscholes", "histogram",   "mandelbrot",  "spmv",          "bitonic",     "stencil3d_f64",
            "fft512", "radix_pass",  "scan_lookback", "transpose", "convolution",   "dot_int8",    "mma_tile",
            "hash_strings", "gather"};
}
Problem make_problem(const std::string& name, double scale) {
    Problem p;
    p.name = name;
    if (make_further_problem(p, name, scale)) return p;
    Rng r;
    if (name == "saxpy" || name == "saxpy_l2") {
        int n = name == "saxpy" ? (int)(16777216 * scale) : 65536;
        p.name = "saxpy";
        p.b = {random_floats(r, n, -1, 1), random_floats(r, n, -1, 1), make_buffer(n * 4ull)};
        p.a = {I(n), F(2.5f), B(0), B(1), B(2)};
        set_grid(p, (n + 255) / 256, 1, 256, 1);
        p.out = 2;
        p.flops = 2.0 * n;
        p.bytes = 12.0 * n;
        p.tol = 1e-6;
    } else if (name == "sgemm_tiled" || name == "sgemm_naive") {
        int n = scale < 1 ? 512 : 1024;
        p.b = {random_floats(r, (size_t)n * n, -1, 1), random_floats(r, (size_t)n * n, -1, 1), make_buffer((size_t)n * n * 4)};
        p.a = {I(n), B(0), B(1), B(2)};
        set_grid(p, n / 16, n / 16, 16, 16);
        p.out = 2;
        p.flops = 2.0 * n * n * n;
        p.tol = 1e-3;
    } else if (name == "reduce_shared" || name == "reduce_shfl") {
        int n = (int)(16777216 * scale);
        p.b = {random_floats(r, n, 0, 1), make_buffer((n / 512) * 4ull)};
        p.a = {I(n), B(0), B(1)};
        set_grid(p, n / 512, 1, 256, 1);
        p.out = 1;
        p.flops = n;
        p.bytes = 4.0 * n;
    } else if (name == "stencil2d") {
        int n = scale < 1 ? 2048 : 4096;
        p.b = {random_floats(r, (size_t)n * n, -1, 1), make_buffer((size_t)n * n * 4)};
        p.a = {I(n), B(0), B(1)};
        set_grid(p, n / 16, n / 16, 16, 16);
        p.out = 1;
        p.flops = 6.0 * n * n;
        p.bytes = 8.0 * n * n;
        p.tol = 1e-5;
    } else if (name == "nbody") {
        int n = scale < 1 ? 4096 : 8192;
        p.b = {random_floats(r, 4ull * n, -1, 1), make_buffer(16ull * n)};
        for (int i = 0; i < n; i++) p.b[0].as<float>()[4 * i + 3] = fabsf(p.b[0].as<float>()[4 * i + 3]) + 0.1f;
        p.a = {I(n), B(0), B(1)};
        set_grid(p, n / 256, 1, 256, 1);
        p.out = 1;
        p.flops = 20.0 * n * n;
        p.tol = 3e-3;
    } else if (name == "blackscholes") {
        int n = (int)(4194304 * scale);
        p.b = {random_floats(r, n, 5, 30), random_floats(r, n, 1, 100), random_floats(r, n, 0.25f, 10), make_buffer(n * 4ull), make_buffer(n * 4ull)};
        p.a = {I(n), F(0.02f), F(0.30f), B(0), B(1), B(2), B(3), B(4)};
        set_grid(p, (n + 255) / 256, 1, 256, 1);
        p.out = 3;
        p.bytes = 20.0 * n;
        p.tol = 2e-4;
    } else if (name == "histogram") {
        int n = (int)(16777216 * scale);
        p.b = {make_buffer(n), make_buffer(1024)};
        for (int i = 0; i < n; i++) {
            unsigned v = r.u();
            p.b[0].as<uint8_t>()[i] = (uint8_t)(((v & 255) + ((v >> 8) & 255)) >> 1);
        }
        p.a = {I(n), B(0), B(1)};
        set_grid(p, n / (256 * 64), 1, 256, 1);
        p.out = 1;
        p.zero_out = true;
        p.cmp = Cmp::IntExact;
        p.bytes = n;
    } else if (name == "mandelbrot") {
        int n = scale < 1 ? 512 : 1024;
        p.b = {make_buffer((size_t)n * n * 4)};
        p.a = {I(n), I(256), B(0)};
        set_grid(p, n / 16, n / 16, 16, 16);
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
        p.b = {make_buffer((rows + 1) * 4ull), make_buffer(nnz * 4ull), random_floats(r, nnz, -1, 1), random_floats(r, rows, -1, 1), make_buffer(rows * 4ull)};
        memcpy(p.b[0].p, rp.data(), (rows + 1) * 4ull);
        for (int i = 0; i < rows; i++)
            for (int j = rp[i]; j < rp[i + 1]; j++) { // banded-ish + some far columns
                int c = (r.u() % 8) ? i + (int)(r.u() % 2048) - 1024 : (int)(r.u() % rows);
                p.b[1].as<int>()[j] = c < 0 ? 0 : c >= rows ? rows - 1 : c;
            }
        p.a = {I(rows), B(0), B(1), B(2), B(3), B(4)};
        set_grid(p, (rows + 255) / 256, 1, 256, 1);
        p.out = 4;
        p.flops = 2.0 * nnz;
        p.bytes = 8.0 * nnz;
        p.tol = 1e-3;
    } else if (name == "bitonic") {
        int n = (int)(4194304 * scale);
        p.b = {make_buffer(n * 4ull), make_buffer(n * 4ull)};
        for (int i = 0; i < n; i++) p.b[0].as<uint32_t>()[i] = r.u();
        p.a = {I(n), B(0), B(1)};
        set_grid(p, n / 1024, 1, 512, 1);
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
    const auto compare_numbers = [&](auto* r, auto* g) {
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
    };
    if (p.cmp == Cmp::FloatRel) {
        compare_numbers((const float*)ref, (const float*)got);
    } else if (p.cmp == Cmp::DoubleRel) {
        n /= 2;
        compare_numbers((const double*)ref, (const double*)got);
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
