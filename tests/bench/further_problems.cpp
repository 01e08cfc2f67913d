// The problems of further_kernels.cuh.
#include "problem_parts.h"

#include <numbers>

namespace {

Buf half_floats(Rng& r, size_t n) {
    Buf x = make_buffer(n * 2);
    for (size_t i = 0; i < n; i++) x.as<_Float16>()[i] = _Float16(r.f(-1, 1));
    return x;
}

void make_radix(Problem& p, Rng& r, int n) {
    constexpr int shift = 8;
    p.b = {make_buffer(n * 4ull), make_buffer(n / 256 * 64ull), make_buffer(n * 4ull)};
    auto *keys = p.b[0].as<unsigned>(), *offsets = p.b[1].as<unsigned>();
    for (int i = 0; i < n; i++) keys[i] = r.u();
    // A digit's keys of all blocks lie together, block after block.
    unsigned sum = 0;
    for (unsigned digit = 0; digit < 16; digit++)
        for (int block = 0; block < n / 256; block++) {
            offsets[16 * block + int(digit)] = sum;
            for (int i = 0; i < 256; i++) sum += (keys[256 * block + i] >> shift & 15) == digit;
        }
    p.a = {I(n), I(shift), B(0), B(1), B(2)};
    set_grid(p, unsigned(n / 256), 1, 256, 1);
    p.out = 2;
    p.cmp = Cmp::IntExact;
    p.bytes = 8.0 * n;
}

void make_strings(Problem& p, Rng& r, int count) {
    std::vector<int> begins(size_t(count) + 1);
    for (size_t i = 0; i < size_t(count); i++) begins[i + 1] = begins[i] + 4 + int(r.u() % 29);
    p.b = {make_buffer(begins.size() * 4), make_buffer(size_t(begins.back())), make_buffer(count * 8ull)};
    memcpy(p.b[0].p, begins.data(), begins.size() * 4);
    for (int i = 0; i < begins.back(); i++) p.b[1].as<uint8_t>()[i] = uint8_t(r.u());
    p.a = {I(count), B(0), B(1), B(2)};
    set_grid(p, unsigned(count + 255) / 256, 1, 256, 1);
    p.out = 2;
    p.cmp = Cmp::IntExact;
    p.bytes = begins.back() + 12.0 * count;
}

} // namespace

bool make_further_problem(Problem& p, const std::string& name, double scale) {
    Rng r;
    if (name == "stencil3d_f64") {
        const int n = scale < 1 ? 128 : 256;
        const size_t all = size_t(n) * n * n;
        p.b = {make_buffer(all * 8), make_buffer(all * 8)};
        for (size_t i = 0; i < all; i++) p.b[0].as<double>()[i] = r.f(-1, 1);
        p.a = {I(n), B(0), B(1)};
        set_grid(p, unsigned(n / 32), unsigned(n / 8), 32, 8);
        p.out = 1;
        p.zero_out = true; // the edges
        p.cmp = Cmp::DoubleRel;
        p.tol = 1e-12;
        p.bytes = 16.0 * double(all);
    } else if (name == "fft512") {
        const int n = int(4194304 * scale);
        p.b = {random_floats(r, 2ull * n, -1, 1), make_buffer(512 * 8), make_buffer(n * 8ull)};
        for (int i = 0; i < 512; i++) {
            const double angle = -2 * std::numbers::pi * i / 512;
            p.b[1].as<float>()[2 * i] = float(std::cos(angle));
            p.b[1].as<float>()[2 * i + 1] = float(std::sin(angle));
        }
        p.a = {I(n), B(0), B(1), B(2)};
        set_grid(p, unsigned(n / 512), 1, 256, 1);
        p.out = 2;
        p.tol = 1e-4;
        p.bytes = 16.0 * n;
    } else if (name == "radix_pass") {
        make_radix(p, r, int(8388608 * scale));
    } else if (name == "scan_lookback") {
        const int n = int(16777216 * scale);
        p.b = {make_buffer(n * 4ull), make_buffer((n / 1024 + 2) * 8ull), make_buffer(n * 4ull)};
        for (int i = 0; i < n; i++) p.b[0].as<unsigned>()[i] = r.u();
        p.a = {I(n), B(0), B(1), B(2)};
        set_grid(p, unsigned(n / 1024), 1, 256, 1);
        p.out = 2;
        p.cmp = Cmp::IntExact;
        p.bytes = 8.0 * n;
    } else if (name == "transpose") {
        const int n = scale < 1 ? 2048 : 4096;
        p.b = {random_floats(r, size_t(n) * n, -1, 1), make_buffer(size_t(n) * n * 4)};
        p.a = {I(n), B(0), B(1)};
        set_grid(p, unsigned(n / 32), unsigned(n / 32), 32, 8);
        p.out = 1;
        p.cmp = Cmp::IntExact;
        p.bytes = 8.0 * n * n;
    } else if (name == "convolution") {
        const int n = scale < 1 ? 2048 : 4096;
        p.b = {random_floats(r, size_t(n) * n, -1, 1), make_buffer(size_t(n) * n * 4)};
        p.a = {I(n), B(0), B(1)};
        set_grid(p, unsigned(n / 256), unsigned(n), 256, 1);
        p.out = 1;
        p.tol = 1e-5;
        p.bytes = 8.0 * n * n;
    } else if (name == "dot_int8") {
        const int columns = 4096, words = int(1024 * scale);
        p.b = {make_buffer(size_t(columns) * words * 4), make_buffer(8ull * words * 4),
               make_buffer(8ull * columns * 4)};
        for (size_t i = 0; i < 2; i++)
            for (size_t k = 0; k < p.b[i].bytes; k++) p.b[i].as<uint8_t>()[k] = uint8_t(r.u());
        p.a = {I(columns), I(words), B(0), B(1), B(2)};
        set_grid(p, columns / 256, 8, 256, 1);
        p.out = 2;
        p.cmp = Cmp::IntExact;
        p.flops = 64.0 * columns * words;
    } else if (name == "mma_tile") {
        const int n = scale < 1 ? 512 : 1024;
        p.b = {half_floats(r, size_t(n) * n), half_floats(r, size_t(n) * n), make_buffer(size_t(n) * n * 4)};
        p.a = {I(n), B(0), B(1), B(2)};
        set_grid(p, unsigned(n / 32), unsigned(n / 16), 128, 1);
        p.out = 2;
        p.tol = 1e-3;
        p.flops = 2.0 * n * n * n;
    } else if (name == "hash_strings") {
        make_strings(p, r, int(1048576 * scale));
    } else if (name == "gather") {
        const int n = int(8388608 * scale), entries = 65536;
        p.b = {make_buffer(n * 4ull), random_floats(r, entries, -1, 1), make_buffer(n * 4ull)};
        for (int i = 0; i < n; i++) p.b[0].as<int>()[i] = int(r.u() % entries);
        p.a = {I(n), F(1.5f), B(0), B(1), B(2)};
        set_grid(p, unsigned(n + 255) / 256, 1, 256, 1);
        p.out = 2;
        p.tol = 1e-6;
        p.bytes = 12.0 * n;
    } else {
        return false;
    }
    return true;
}
