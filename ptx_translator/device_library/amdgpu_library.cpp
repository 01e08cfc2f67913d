// Functions that code for AMD GPUs calls by name; linked as bitcode and inlined, or, the services, called as machine code
// (llvm_to_code/amdgpu_library_code.h). Compiled for waves of 32 and of 64
// lanes (CUTTLE_WAVE).
#include "amdgpu_warp.h"

#define LIBRARY extern "C" __attribute__((always_inline, convergent))

#include "warp_operations.h"

#include "amdgpu_services.h"

#include "amdgpu_barriers.h"

/// 64 cycles, some 30 ns, is what s_sleep counts in; at most 127 of them.
LIBRARY void cuttle_gpu_nanosleep(uint32_t nanoseconds) {
    const uint64_t end = __builtin_readsteadycounter() + nanoseconds / 10;
    do {
        __builtin_amdgcn_s_sleep(1);
    } while (__builtin_readsteadycounter() < end);
}

/// The counter has 100 MHz on all chips.
LIBRARY uint64_t cuttle_gpu_globaltimer() { return __builtin_readsteadycounter() * 10; }
/// Clocks of a nominal 2 GHz: RDNA3's counter of shader cycles has 20 bits.
LIBRARY uint64_t cuttle_gpu_clock() { return __builtin_readsteadycounter() * 20; }

// Directed rounding. The instruction stands between two changes of MODE in one asm statement, so that nothing can merge
// two operations that differ in their rounding alone, or move one out of its mode. LLVM may still move and merge the
// statement as a whole, a pure function of its operands.
namespace {

/// As the hardware numbers them.
enum class Rounding { rp = 1, rm = 2, rz = 3 };

#if CUTTLE_WAVE == 64
#define SET_MODE(mode) "s_setreg_imm32_b32 hwreg(HW_REG_MODE, 0, 4), " mode "\n\t"
#else
#define SET_MODE(mode) "s_round_mode " mode "\n\t"
#endif

// Twice the mode: for f32, and for f16 and f64.
#define IN_MODE(mode, instruction, result, ...)                                                                        \
    switch (mode) {                                                                                                    \
    case Rounding::rp:                                                                                                 \
        asm(SET_MODE("0x5") instruction "\n\t" SET_MODE("0x0") : result : __VA_ARGS__);                                \
        break;                                                                                                         \
    case Rounding::rm:                                                                                                 \
        asm(SET_MODE("0xa") instruction "\n\t" SET_MODE("0x0") : result : __VA_ARGS__);                                \
        break;                                                                                                         \
    case Rounding::rz:                                                                                                 \
        asm(SET_MODE("0xf") instruction "\n\t" SET_MODE("0x0") : result : __VA_ARGS__);                                \
        break;                                                                                                         \
    }

template <Rounding mode> float add(float a, float b) {
    float r;
    IN_MODE(mode, "v_add_f32_e64 %0, %1, %2", "=v"(r), "v"(a), "v"(b))
    return r;
}
template <Rounding mode> double add(double a, double b) {
    double r;
    IN_MODE(mode, "v_add_f64 %0, %1, %2", "=v"(r), "v"(a), "v"(b))
    return r;
}
template <Rounding mode> float multiply(float a, float b) {
    float r;
    IN_MODE(mode, "v_mul_f32_e64 %0, %1, %2", "=v"(r), "v"(a), "v"(b))
    return r;
}
template <Rounding mode> double multiply(double a, double b) {
    double r;
    IN_MODE(mode, "v_mul_f64 %0, %1, %2", "=v"(r), "v"(a), "v"(b))
    return r;
}
template <Rounding mode> float fuse(float a, float b, float c) {
    float r;
    IN_MODE(mode, "v_fma_f32 %0, %1, %2, %3", "=v"(r), "v"(a), "v"(b), "v"(c))
    return r;
}
template <Rounding mode> double fuse(double a, double b, double c) {
    double r;
    IN_MODE(mode, "v_fma_f64 %0, %1, %2, %3", "=v"(r), "v"(a), "v"(b), "v"(c))
    return r;
}
template <Rounding mode> float narrow(double a) {
    float r;
    IN_MODE(mode, "v_cvt_f32_f64_e32 %0, %1", "=v"(r), "v"(a))
    return r;
}
template <Rounding mode> float subtract(float a, float b) { return add<mode>(a, -b); }
template <Rounding mode> double subtract(double a, double b) { return add<mode>(a, -b); }

// A quotient or root of floats that is no float differs from every float by more than a double's rounding.
template <Rounding mode> float divide(float a, float b) { return narrow<mode>(double(a) / double(b)); }
template <Rounding mode> float root(float a) { return narrow<mode>(__builtin_sqrt(double(a))); }

/// The neighbour in the mode's direction if the exact value lies on that side of x: above it for error > 0.
template <Rounding mode> double step(double x, double error) {
    const uint64_t bits = __builtin_bit_cast(uint64_t, x);
    const bool negative = bits >> 63;
    const bool towards_zero = negative ? error > 0 : error < 0, away = negative ? error < 0 : error > 0;
    const bool inward = towards_zero && (mode == Rounding::rz || (mode == Rounding::rp) == negative);
    const bool outward = away && mode != Rounding::rz && (mode == Rounding::rm) == negative;
    return __builtin_bit_cast(double, inward ? bits - 1 : outward ? bits + 1 : bits);
}

double power_of_two(int32_t n) { return __builtin_bit_cast(double, uint64_t(n + 1023) << 52); }
bool finite(double x) { return (__builtin_bit_cast(uint64_t, x) << 1) < (uint64_t{0x7ff} << 53); }

/// The quotient of the fractions is rounded by its exact remainder, then moved to its exponent, which rounds once more,
/// in the same direction, where the result is subnormal or too large.
template <Rounding mode> double divide(double a, double b) {
    if (!finite(a) || !finite(b) || a == 0 || b == 0) return a / b;
    const double x = __builtin_amdgcn_frexp_mant(a), y = __builtin_amdgcn_frexp_mant(b);
    int32_t exponent = __builtin_amdgcn_frexp_exp(a) - __builtin_amdgcn_frexp_exp(b);
    const double quotient = x / y, remainder = __builtin_fma(-quotient, y, x);
    const double rounded = step<mode>(quotient, y < 0 ? -remainder : remainder);
    exponent = exponent > 1100 ? 1100 : exponent < -1100 ? -1100 : exponent;
    const int32_t half = exponent / 2;
    return multiply<mode>(rounded * power_of_two(half), power_of_two(exponent - half));
}

template <Rounding mode> double root(double a) {
    if (!finite(a) || a <= 0) return __builtin_sqrt(a);
    const int32_t exponent = __builtin_amdgcn_frexp_exp(a), even = exponent & ~1;
    const double x = __builtin_amdgcn_frexp_mant(a) * (exponent & 1 ? 2 : 1);
    const double r = __builtin_sqrt(x);
    return step<mode>(r, __builtin_fma(-r, r, x)) * power_of_two(even / 2);
}

} // namespace

#include "rounded_functions.h"
