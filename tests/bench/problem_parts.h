#pragma once

#include "problem.h"

/// What problems are made of.
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
Buf make_buffer(size_t bytes); ///< zero
Buf random_floats(Rng& r, size_t n, float lo, float hi);
void set_grid(Problem& p, unsigned gx, unsigned gy, unsigned bx, unsigned by);

/// The problem of further_kernels.cuh of that name; false if there is none.
bool make_further_problem(Problem& p, const std::string& name, double scale);
