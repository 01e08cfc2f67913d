// cvt of the 4-, 6- and 8-bit formats against the toolkit's own host code for them (cuda_fp8.h, cuda_fp6.h,
// cuda_fp4.h), which NVIDIA wrote for machines without the instructions; .rs, which it lacks, against what the manual
// says in exact arithmetic. All 16-bit inputs; of floats, every upper half with telling lower halves, and every 1021st.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <cuda_fp4.h>
#include <cuda_fp6.h>
#include <cuda_fp8.h>
#include <functional>
#include <string>
#include <vector>

#define CHECK(call)                                                                                                    \
    do {                                                                                                               \
        if (cudaError_t status = (call)) return std::printf("%s: %s\n", #call, cudaGetErrorString(status)), 1;         \
    } while (0)

namespace {

/// out[i] = instruction(in[i]): ENCODE of a float (both elements get it), PAIR of 16 bits twice, DECODE of a code.
#define KERNEL(name) __global__ void name(const uint32_t* in, uint32_t* out, uint32_t n)
#define INDEX                                                                                                          \
    const uint32_t i = blockIdx.x * blockDim.x + threadIdx.x;                                                          \
    if (i >= n) return;                                                                                                \
    uint32_t r

#define ENCODE(name, instruction)                                                                                      \
    KERNEL(name) {                                                                                                     \
        INDEX;                                                                                                         \
        asm("{ .reg .b16 h; " instruction " h, %1, %1; cvt.u32.u16 %0, h; }" : "=r"(r) : "r"(in[i]));                  \
        out[i] = r;                                                                                                    \
    }
#define ENCODE_BYTE(name, instruction, source)                                                                         \
    KERNEL(name) {                                                                                                     \
        INDEX;                                                                                                         \
        asm("{ .reg .b8 b; " instruction " b, " source "; cvt.u32.u8 %0, b; }" : "=r"(r) : "r"(in[i]));                \
        out[i] = r;                                                                                                    \
    }
#define PAIR(name, instruction)                                                                                        \
    KERNEL(name) {                                                                                                     \
        INDEX;                                                                                                         \
        asm("{ .reg .b16 h; " instruction " h, %1; cvt.u32.u16 %0, h; }" : "=r"(r) : "r"(in[i]));                      \
        out[i] = r;                                                                                                    \
    }
#define DECODE(name, instruction)                                                                                      \
    KERNEL(name) {                                                                                                     \
        INDEX;                                                                                                         \
        asm("{ .reg .b16 h; cvt.u16.u32 h, %1; " instruction " %0, h; }" : "=r"(r) : "r"(in[i]));                      \
        out[i] = r;                                                                                                    \
    }

#define OF_EIGHT_BITS(format, from_half)                                                                               \
    ENCODE(format##_f32, "cvt.rn.satfinite." #format "x2.f32")                                                         \
    ENCODE(format##_relu_f32, "cvt.rn.satfinite.relu." #format "x2.f32")                                               \
    DECODE(format##_decode, "cvt.rn.f16x2." #format "x2")                                                              \
    DECODE(format##_relu_decode, "cvt.rn.relu.f16x2." #format "x2")
OF_EIGHT_BITS(e4m3, true)
OF_EIGHT_BITS(e5m2, true)
OF_EIGHT_BITS(e2m3, false)
OF_EIGHT_BITS(e3m2, false)
PAIR(e4m3_f16, "cvt.rn.satfinite.e4m3x2.f16x2")
PAIR(e5m2_f16, "cvt.rn.satfinite.e5m2x2.f16x2")
ENCODE_BYTE(e2m1_f32, "cvt.rn.satfinite.e2m1x2.f32", "%1, %1")
ENCODE_BYTE(e2m1_relu_f32, "cvt.rn.satfinite.relu.e2m1x2.f32", "%1, %1")
ENCODE_BYTE(e2m1_f16, "cvt.rn.satfinite.e2m1x2.f16x2", "%1")
KERNEL(e2m1_decode) {
    INDEX;
    asm("{ .reg .b8 b; cvt.u8.u32 b, %1; cvt.rn.f16x2.e2m1x2 %0, b; }" : "=r"(r) : "r"(in[i]));
    out[i] = r;
}
ENCODE(ue8m0_rz, "cvt.rz.ue8m0x2.f32")
ENCODE(ue8m0_rp, "cvt.rp.ue8m0x2.f32")
ENCODE(ue8m0_rz_finite, "cvt.rz.satfinite.ue8m0x2.f32")
ENCODE(ue8m0_rp_finite, "cvt.rp.satfinite.ue8m0x2.f32")
PAIR(ue8m0_rz_bf16, "cvt.rz.satfinite.ue8m0x2.bf16x2")
PAIR(ue8m0_rp_bf16, "cvt.rp.satfinite.ue8m0x2.bf16x2")
DECODE(ue8m0_decode, "cvt.rn.bf16x2.ue8m0x2")

/// Random bits are made of the input.
__host__ __device__ uint32_t random_of(uint32_t x) {
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}
#define STOCHASTIC(name, instruction)                                                                                  \
    KERNEL(name) {                                                                                                     \
        INDEX;                                                                                                         \
        asm(instruction " %0, %1, %1, %2;" : "=r"(r) : "r"(in[i]), "r"(random_of(in[i])));                             \
        out[i] = r;                                                                                                    \
    }
#define STOCHASTIC_FOUR(name, instruction)                                                                             \
    KERNEL(name) {                                                                                                     \
        INDEX;                                                                                                         \
        asm(instruction " %0, {%1, %1, %1, %1}, %2;" : "=r"(r) : "r"(in[i]), "r"(random_of(in[i])));                   \
        out[i] = r;                                                                                                    \
    }
STOCHASTIC(rs_f16, "cvt.rs.f16x2.f32")
STOCHASTIC(rs_f16_finite, "cvt.rs.relu.satfinite.f16x2.f32")
STOCHASTIC(rs_bf16, "cvt.rs.bf16x2.f32")
STOCHASTIC(rs_bf16_finite, "cvt.rs.satfinite.bf16x2.f32")
STOCHASTIC_FOUR(rs_e4m3, "cvt.rs.satfinite.e4m3x4.f32")
STOCHASTIC_FOUR(rs_e5m2, "cvt.rs.satfinite.e5m2x4.f32")
STOCHASTIC_FOUR(rs_e2m3, "cvt.rs.relu.satfinite.e2m3x4.f32")
STOCHASTIC_FOUR(rs_e3m2, "cvt.rs.satfinite.e3m2x4.f32")
KERNEL(rs_e2m1) {
    INDEX;
    asm("{ .reg .b16 h; cvt.rs.satfinite.e2m1x4.f32 h, {%1, %1, %1, %1}, %2; cvt.u32.u16 %0, h; }"
        : "=r"(r)
        : "r"(in[i]), "r"(random_of(in[i])));
    out[i] = r;
}

// ---- what they must give

float as_float(uint32_t bits) {
    float x;
    std::memcpy(&x, &bits, 4);
    return x;
}
uint32_t twice(uint32_t code, unsigned bits) { return code << bits | code; }
float relu(float x) { return std::isnan(x) ? x : x > 0 ? x : 0.0f; }
__half_raw half_raw(uint32_t bits) {
    __half_raw h;
    h.x = uint16_t(bits);
    return h;
}
/// A NaN of a 16-bit format is as good as another one.
uint32_t without_nans(uint32_t pair, uint32_t infinity) {
    for (unsigned place : {0u, 16u})
        if ((pair >> place & 0x7fff) > infinity) pair = (pair & ~(0xffffu << place)) | 0x7fffu << place;
    return pair;
}

/// A format for .rs: bits of fraction, bias, largest finite code, infinity (0: none), NaN.
struct Format {
    unsigned fraction;
    int bias;
    uint32_t largest, infinity, nan, sign;
};

/// The neighbours of |x| and where it lies between them, in exact arithmetic; up when 2^bits of that and the random
/// bits make a whole.
uint32_t stochastic(float x, const Format& f, uint32_t random, unsigned bits, bool finite) {
    if (std::isnan(x)) return f.nan;
    const uint32_t sign = std::signbit(x) ? f.sign : 0, limit = finite ? f.largest : f.infinity;
    if (std::isinf(x)) return sign | limit;
    const double magnitude = std::fabs(double(x));
    int exponent = magnitude > 0 ? std::ilogb(magnitude) : 1 - f.bias;
    exponent = std::max(exponent, 1 - f.bias);
    const double units = std::ldexp(magnitude, int(f.fraction) - exponent), below = std::floor(units);
    const bool up = std::floor(std::ldexp(units - below, int(bits))) + random >= std::ldexp(1.0, int(bits));
    const double count = below + up;
    // Codes count units: those of an exponent follow those of the one before.
    const double code = count + std::ldexp(double(exponent + f.bias - 1), int(f.fraction));
    return sign | uint32_t(std::min(code, double(limit)));
}

uint32_t reverse16(uint32_t x) {
    uint32_t r = 0;
    for (unsigned i = 0; i < 16; i++) r |= (x >> i & 1) << (15 - i);
    return r;
}

constexpr Format f16{10, 15, 0x7bff, 0x7c00, 0x7fff, 0x8000}, bf16{7, 127, 0x7f7f, 0x7f80, 0x7fff, 0x8000};
constexpr Format e4m3{3, 7, 0x7e, 0, 0x7f, 0x80}, e5m2{2, 15, 0x7b, 0x7c, 0x7f, 0x80};
constexpr Format e2m3{3, 1, 0x1f, 0, 0x1f, 0x20}, e3m2{2, 3, 0x1f, 0, 0x1f, 0x20}, e2m1{1, 1, 7, 0, 7, 8};

uint32_t stochastic_pair(uint32_t in, const Format& f, unsigned bits, bool finite, bool clamp = false) {
    const float x = clamp ? relu(as_float(in)) : as_float(in);
    const uint32_t random = random_of(in), mask = (1u << bits) - 1;
    return stochastic(x, f, random >> 16 & mask, bits, finite) << 16 | stochastic(x, f, random & mask, bits, finite);
}
uint32_t stochastic_four(uint32_t in, const Format& f, unsigned width, bool clamp = false) {
    const float x = clamp ? relu(as_float(in)) : as_float(in);
    const uint32_t r = random_of(in);
    const bool nibbles = width == 4;
    const uint32_t upper = nibbles ? (r >> 24) << 8 | (r >> 8 & 0xff) : r >> 16;
    const uint32_t lower = nibbles ? (r >> 16 & 0xff) << 8 | (r & 0xff) : r & 0xffff;
    uint32_t result = 0;
    for (uint32_t random : {reverse16(upper), upper, reverse16(lower), lower})
        result = result << width | stochastic(x, f, random, 16, true);
    return result;
}

using Kernel = void (*)(const uint32_t*, uint32_t*, uint32_t);
using Truth = std::function<uint32_t(uint32_t)>;

struct Test {
    const char* name;
    Kernel kernel;
    bool floats; ///< inputs are floats, else a code of 16 bits, for `pairs` in both halves
    bool pairs;
    Truth truth;
};

uint32_t e8m0(uint32_t in, __nv_saturation_t finite, cudaRoundMode rounding) {
    return twice(__nv_cvt_float_to_e8m0(as_float(in), finite, rounding), 8);
}
uint32_t e8m0_of_bfloat(uint32_t in, cudaRoundMode rounding) {
    __nv_bfloat16_raw raw;
    raw.x = uint16_t(in);
    return twice(__nv_cvt_bfloat16raw_to_e8m0(raw, __NV_SATFINITE, rounding), 8);
}

#define EIGHT(format, encode, decode)                                                                                  \
    {#format ".f32", format##_f32, true, false, [](uint32_t in) { return twice(encode(as_float(in)), 8); }},           \
        {#format ".f32 relu", format##_relu_f32, true, false,                                                          \
         [](uint32_t in) { return twice(encode(relu(as_float(in))), 8); }},                                            \
        {"f16x2." #format, format##_decode, false, false, [](uint32_t in) { return halves(decode, in, false); }}, {    \
        "f16x2." #format " relu", format##_relu_decode, false, false,                                                  \
            [](uint32_t in) { return halves(decode, in, true); }                                                       \
    }

template <class F> uint32_t halves(F decode, uint32_t in, bool clamp) {
    const auto one = [&](uint32_t code) -> uint32_t {
        const uint16_t bits = decode(uint8_t(code)).x;
        return clamp && bits >> 15 && (bits & 0x7fff) <= 0x7c00 ? 0 : bits;
    };
    return without_nans(one(in >> 8) << 16 | one(in & 0xff), 0x7c00);
}

uint8_t to_e4m3(float x) { return __nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E4M3); }
uint8_t to_e5m2(float x) { return __nv_cvt_float_to_fp8(x, __NV_SATFINITE, __NV_E5M2); }
uint8_t to_e2m3(float x) { return __nv_cvt_float_to_fp6(x, __NV_E2M3, cudaRoundNearest); }
uint8_t to_e3m2(float x) { return __nv_cvt_float_to_fp6(x, __NV_E3M2, cudaRoundNearest); }
uint8_t to_e2m1(float x) { return __nv_cvt_float_to_fp4(x, __NV_E2M1, cudaRoundNearest); }
__half_raw from_e4m3(uint8_t x) { return __nv_cvt_fp8_to_halfraw(x, __NV_E4M3); }
__half_raw from_e5m2(uint8_t x) { return __nv_cvt_fp8_to_halfraw(x, __NV_E5M2); }
__half_raw from_e2m3(uint8_t x) { return __nv_cvt_fp6_to_halfraw(x & 0x3f, __NV_E2M3); }
__half_raw from_e3m2(uint8_t x) { return __nv_cvt_fp6_to_halfraw(x & 0x3f, __NV_E3M2); }
__half_raw from_e2m1(uint8_t x) { return __nv_cvt_fp4_to_halfraw(x & 15, __NV_E2M1); }

const Test tests[] = {
    EIGHT(e4m3, to_e4m3, from_e4m3),
    EIGHT(e5m2, to_e5m2, from_e5m2),
    EIGHT(e2m3, to_e2m3, from_e2m3),
    EIGHT(e3m2, to_e3m2, from_e3m2),
    {"e4m3.f16x2", e4m3_f16, false, true,
     [](uint32_t in) { return twice(__nv_cvt_halfraw_to_fp8(half_raw(in), __NV_SATFINITE, __NV_E4M3), 8); }},
    {"e5m2.f16x2", e5m2_f16, false, true,
     [](uint32_t in) { return twice(__nv_cvt_halfraw_to_fp8(half_raw(in), __NV_SATFINITE, __NV_E5M2), 8); }},
    {"e2m1.f32", e2m1_f32, true, false, [](uint32_t in) { return twice(to_e2m1(as_float(in)), 4); }},
    {"e2m1.f32 relu", e2m1_relu_f32, true, false, [](uint32_t in) { return twice(to_e2m1(relu(as_float(in))), 4); }},
    {"e2m1.f16x2", e2m1_f16, false, true,
     [](uint32_t in) { return twice(__nv_cvt_halfraw_to_fp4(half_raw(in), __NV_E2M1, cudaRoundNearest), 4); }},
    {"f16x2.e2m1", e2m1_decode, false, false,
     [](uint32_t in) -> uint32_t {
         return uint32_t(from_e2m1(uint8_t(in >> 4 & 15)).x) << 16 | from_e2m1(uint8_t(in)).x;
     }},
    {"ue8m0.f32 rz", ue8m0_rz, true, false, [](uint32_t in) { return e8m0(in, __NV_NOSAT, cudaRoundZero); }},
    {"ue8m0.f32 rp", ue8m0_rp, true, false, [](uint32_t in) { return e8m0(in, __NV_NOSAT, cudaRoundPosInf); }},
    {"ue8m0.f32 rz satfinite", ue8m0_rz_finite, true, false,
     [](uint32_t in) { return e8m0(in, __NV_SATFINITE, cudaRoundZero); }},
    {"ue8m0.f32 rp satfinite", ue8m0_rp_finite, true, false,
     [](uint32_t in) { return e8m0(in, __NV_SATFINITE, cudaRoundPosInf); }},
    {"ue8m0.bf16x2 rz", ue8m0_rz_bf16, false, true, [](uint32_t in) { return e8m0_of_bfloat(in, cudaRoundZero); }},
    {"ue8m0.bf16x2 rp", ue8m0_rp_bf16, false, true, [](uint32_t in) { return e8m0_of_bfloat(in, cudaRoundPosInf); }},
    {"bf16x2.ue8m0", ue8m0_decode, false, false,
     [](uint32_t in) -> uint32_t {
         return without_nans(uint32_t(__nv_cvt_e8m0_to_bf16raw(uint8_t(in >> 8)).x) << 16 |
                                 __nv_cvt_e8m0_to_bf16raw(uint8_t(in)).x,
                             0x7f80);
     }},
    {"rs.f16x2", rs_f16, true, false, [](uint32_t in) { return stochastic_pair(in, f16, 13, false); }},
    {"rs.relu.satfinite.f16x2", rs_f16_finite, true, false,
     [](uint32_t in) { return stochastic_pair(in, f16, 13, true, true); }},
    {"rs.bf16x2", rs_bf16, true, false, [](uint32_t in) { return stochastic_pair(in, bf16, 16, false); }},
    {"rs.satfinite.bf16x2", rs_bf16_finite, true, false,
     [](uint32_t in) { return stochastic_pair(in, bf16, 16, true); }},
    {"rs.e4m3x4", rs_e4m3, true, false, [](uint32_t in) { return stochastic_four(in, e4m3, 8); }},
    {"rs.e5m2x4", rs_e5m2, true, false, [](uint32_t in) { return stochastic_four(in, e5m2, 8); }},
    {"rs.relu.e2m3x4", rs_e2m3, true, false, [](uint32_t in) { return stochastic_four(in, e2m3, 8, true); }},
    {"rs.e3m2x4", rs_e3m2, true, false, [](uint32_t in) { return stochastic_four(in, e3m2, 8); }},
    {"rs.e2m1x4", rs_e2m1, true, false, [](uint32_t in) { return stochastic_four(in, e2m1, 4); }},
};

std::vector<uint32_t> float_inputs() {
    std::vector<uint32_t> in;
    for (uint32_t upper = 0; upper < 0x10000; upper++)
        for (uint32_t lower : {0u, 1u, 0x4000u, 0x7fffu, 0x8000u, 0x8001u, 0xffffu}) in.push_back(upper << 16 | lower);
    for (uint64_t bits = 0; bits <= 0xffffffff; bits += 1021) in.push_back(uint32_t(bits));
    return in;
}

std::vector<uint32_t> short_inputs(bool pairs) {
    std::vector<uint32_t> in;
    for (uint32_t bits = 0; bits < 0x10000; bits++) in.push_back(pairs ? twice(bits, 16) : bits);
    return in;
}

} // namespace

int main() {
    const std::vector<uint32_t> floats = float_inputs(), codes = short_inputs(false), pairs = short_inputs(true);
    uint32_t *in, *out;
    CHECK(cudaMalloc(&in, floats.size() * 4));
    CHECK(cudaMalloc(&out, floats.size() * 4));
    size_t failures = 0, compared = 0;
    for (const Test& test : tests) {
        const std::vector<uint32_t>& inputs = test.floats ? floats : test.pairs ? pairs : codes;
        const auto n = uint32_t(inputs.size());
        std::vector<uint32_t> results(n);
        CHECK(cudaMemcpy(in, inputs.data(), n * 4, cudaMemcpyHostToDevice));
        test.kernel<<<(n + 255) / 256, 256>>>(in, out, n);
        CHECK(cudaGetLastError());
        CHECK(cudaMemcpy(results.data(), out, n * 4, cudaMemcpyDeviceToHost));
        size_t wrong = 0;
        for (uint32_t i = 0; i < n; i++) {
            const uint32_t wanted = test.truth(inputs[i]);
            if (results[i] == wanted) continue;
            if (wrong++ < 5) std::printf("%s of %08x: %08x, but got %08x\n", test.name, inputs[i], wanted, results[i]);
        }
        if (wrong) std::printf("%s: %zu of %u wrong\n", test.name, wrong, n);
        failures += wrong;
        compared += n;
    }
    std::printf("%zu conversions by %zu instructions, %zu wrong\n", compared, std::size(tests), failures);
    return failures != 0;
}
