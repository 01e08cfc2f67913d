// Functions that host code calls by name; linked as bitcode, so that they inline. llvm_to_code/host_library.cpp.
//
// Directed rounding: the instruction runs between two writes of MXCSR, all in one asm statement, so that no compiler
// can merge two operations that differ in their rounding alone, or move one out of its mode. The mode written masks
// every exception and keeps denormals.
#include "approximate.h"
#include "atomic_bits.h"
#include "exact_fma.h"
#include "round_to_odd.h"

#include <stdint.h>

namespace {

constexpr uint32_t default_mxcsr = 0x1f80;

constexpr uint32_t mxcsr(Rounding mode) { return default_mxcsr | static_cast<uint32_t>(mode) << 13; }

} // namespace

#define UNARY(name, instruction, type)                                                                                 \
    static inline type name(type a, uint32_t mode) {                                                                   \
        uint32_t old;                                                                                                  \
        asm("stmxcsr %[old]\n\tldmxcsr %[mode]\n\t" instruction "\n\tldmxcsr %[old]"                                   \
            : [a] "+x"(a), [old] "=m"(old)                                                                             \
            : [mode] "m"(mode));                                                                                       \
        return a;                                                                                                      \
    }
#define BINARY(name, instruction, type)                                                                                \
    static inline type name(type a, type b, uint32_t mode) {                                                           \
        uint32_t old;                                                                                                  \
        asm("stmxcsr %[old]\n\tldmxcsr %[mode]\n\t" instruction "\n\tldmxcsr %[old]"                                   \
            : [a] "+x"(a), [old] "=m"(old)                                                                             \
            : [b] "x"(b), [mode] "m"(mode));                                                                           \
        return a;                                                                                                      \
    }
#define TERNARY(name, instruction, type)                                                                               \
    static inline type name(type a, type b, type c, uint32_t mode) {                                                   \
        uint32_t old;                                                                                                  \
        asm("stmxcsr %[old]\n\tldmxcsr %[mode]\n\t" instruction "\n\tldmxcsr %[old]"                                   \
            : [a] "+x"(a), [old] "=m"(old)                                                                             \
            : [b] "x"(b), [c] "x"(c), [mode] "m"(mode));                                                               \
        return a;                                                                                                      \
    }

BINARY(fadd_f32, "addss %[b], %[a]", float)
BINARY(fsub_f32, "subss %[b], %[a]", float)
BINARY(fmul_f32, "mulss %[b], %[a]", float)
BINARY(fdiv_f32, "divss %[b], %[a]", float)
UNARY(sqrt_f32, "sqrtss %[a], %[a]", float)
BINARY(fadd_f64, "addsd %[b], %[a]", double)
BINARY(fsub_f64, "subsd %[b], %[a]", double)
BINARY(fmul_f64, "mulsd %[b], %[a]", double)
BINARY(fdiv_f64, "divsd %[b], %[a]", double)
UNARY(sqrt_f64, "sqrtsd %[a], %[a]", double)
// The same for processors with AVX, where the old encodings may cost a state transition.
BINARY(fadd_f32_avx, "vaddss %[b], %[a], %[a]", float)
BINARY(fsub_f32_avx, "vsubss %[b], %[a], %[a]", float)
BINARY(fmul_f32_avx, "vmulss %[b], %[a], %[a]", float)
BINARY(fdiv_f32_avx, "vdivss %[b], %[a], %[a]", float)
UNARY(sqrt_f32_avx, "vsqrtss %[a], %[a], %[a]", float)
BINARY(fadd_f64_avx, "vaddsd %[b], %[a], %[a]", double)
BINARY(fsub_f64_avx, "vsubsd %[b], %[a], %[a]", double)
BINARY(fmul_f64_avx, "vmulsd %[b], %[a], %[a]", double)
BINARY(fdiv_f64_avx, "vdivsd %[b], %[a], %[a]", double)
UNARY(sqrt_f64_avx, "vsqrtsd %[a], %[a], %[a]", double)
TERNARY(fma_f32_avx, "vfmadd213ss %[c], %[b], %[a]", float)
TERNARY(fma_f64_avx, "vfmadd213sd %[c], %[b], %[a]", double)

/// Without FMA: the product of two floats is exact in double; the sum rounded to odd can be rounded again.
static inline float narrow(double value, uint32_t mode) {
    uint32_t old;
    float result = 0;
    asm("stmxcsr %[old]\n\tldmxcsr %[mode]\n\tcvtsd2ss %[value], %[result]\n\tldmxcsr %[old]"
        : [result] "+x"(result), [old] "=m"(old)
        : [value] "x"(value), [mode] "m"(mode));
    return result;
}

/// A sum of unlike signs that is exactly zero takes its sign from the rounding mode, of which `+` knows nothing.
static inline float fma_f32_soft(float a, float b, float c, Rounding mode) {
    const double product = static_cast<double>(a) * b, addend = c;
    if (product == -addend && (product != 0 || __builtin_signbit(product) != __builtin_signbit(addend)))
        return product - product != 0 ? static_cast<float>(product + addend) : mode == Rounding::rm ? -0.0f : 0.0f;
    return narrow(cuttle::add_to_odd(product, addend), mxcsr(mode));
}

#define FUNCTIONS(mode, type, t)                                                                                       \
    extern "C" t cuttle_round_fadd_##mode##_##type(t a, t b) { return fadd_##type(a, b, mxcsr(Rounding::mode)); }      \
    extern "C" t cuttle_round_fsub_##mode##_##type(t a, t b) { return fsub_##type(a, b, mxcsr(Rounding::mode)); }      \
    extern "C" t cuttle_round_fmul_##mode##_##type(t a, t b) { return fmul_##type(a, b, mxcsr(Rounding::mode)); }      \
    extern "C" t cuttle_round_fdiv_##mode##_##type(t a, t b) { return fdiv_##type(a, b, mxcsr(Rounding::mode)); }      \
    extern "C" t cuttle_round_sqrt_##mode##_##type(t a) { return sqrt_##type(a, mxcsr(Rounding::mode)); }

#define FUNCTIONS_AVX(mode, type, t)                                                                                   \
    extern "C" t cuttle_round_fadd_##mode##_##type##_avx(t a, t b) {                                                   \
        return fadd_##type##_avx(a, b, mxcsr(Rounding::mode));                                                         \
    }                                                                                                                  \
    extern "C" t cuttle_round_fsub_##mode##_##type##_avx(t a, t b) {                                                   \
        return fsub_##type##_avx(a, b, mxcsr(Rounding::mode));                                                         \
    }                                                                                                                  \
    extern "C" t cuttle_round_fmul_##mode##_##type##_avx(t a, t b) {                                                   \
        return fmul_##type##_avx(a, b, mxcsr(Rounding::mode));                                                         \
    }                                                                                                                  \
    extern "C" t cuttle_round_fdiv_##mode##_##type##_avx(t a, t b) {                                                   \
        return fdiv_##type##_avx(a, b, mxcsr(Rounding::mode));                                                         \
    }                                                                                                                  \
    extern "C" t cuttle_round_sqrt_##mode##_##type##_avx(t a) { return sqrt_##type##_avx(a, mxcsr(Rounding::mode)); }  \
    extern "C" t cuttle_round_fma_##mode##_##type##_avx(t a, t b, t c) {                                               \
        return fma_##type##_avx(a, b, c, mxcsr(Rounding::mode));                                                       \
    }

#define MODE(mode)                                                                                                     \
    FUNCTIONS(mode, f32, float)                                                                                        \
    FUNCTIONS(mode, f64, double)                                                                                       \
    FUNCTIONS_AVX(mode, f32, float)                                                                                    \
    FUNCTIONS_AVX(mode, f64, double)                                                                                   \
    extern "C" float cuttle_round_fma_##mode##_f32(float a, float b, float c) {                                        \
        return fma_f32_soft(a, b, c, Rounding::mode);                                                                  \
    }                                                                                                                  \
    extern "C" double cuttle_round_fma_##mode##_f64(double a, double b, double c) {                                    \
        return fma_f64(a, b, c, Rounding::mode);                                                                       \
    }

MODE(rz)
MODE(rm)
MODE(rp)

/// fma of bfloat16 values given and returned as double, to be rounded once more (to bfloat16). The product is exact.
extern "C" double cuttle_fma_to_odd(double a, double b, double c) { return cuttle::add_to_odd(a * b, c); }

// What llvm_to_code/approximations.cpp calls instead of libm.
#define APPROXIMATE(name, function)                                                                                    \
    extern "C" float cuttle_approximate_##name(float x) { return cuttle::approximate::function(x); }

APPROXIMATE(exp2, ex2)
APPROXIMATE(log2, lg2)
APPROXIMATE(sin, sin)
APPROXIMATE(cos, cos)
APPROXIMATE(tanh, tanh)

/// atom.add.f32 on global memory, where the magnitude of a subnormal is zero, or on whatever memory; gives what was
/// there.
extern "C" float cuttle_atomic_add_ftz_f32(uint32_t* place, float value, bool flush) {
    const uint32_t addend = __builtin_bit_cast(uint32_t, value);
    uint32_t old = __atomic_load_n(place, __ATOMIC_RELAXED), sum = 0;
    do {
        sum = flush ? cuttle::sum_without_subnormals(old, addend)
                    : __builtin_bit_cast(uint32_t, __builtin_bit_cast(float, old) + value);
    } while (!__atomic_compare_exchange_n(place, &old, sum, true, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
    return __builtin_bit_cast(float, old);
}

/// atom.min and atom.max of .f16 and .bf16; gives what was there.
extern "C" uint16_t cuttle_atomic_extreme_16(uint16_t* place, uint16_t value, uint16_t infinity, uint32_t greatest) {
    uint16_t old = __atomic_load_n(place, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(place, &old, cuttle::extreme(old, value, infinity, greatest), true, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
    }
    return old;
}
