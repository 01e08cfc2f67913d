#pragma once
#pragma clang system_header

// The mathematical functions of libdevice, on those of libclc (LLVM's library for OpenCL), whose names are C++'s
// manglings.

#ifdef CUTTLE_NO_LIBCLC
#define CUTTLE_CLC(result, name, label, ...)                                                                           \
    extern "C" __attribute__((error("this function needs libclc (bitcode for nvptx64), or NVIDIA's NVRTC")))           \
    __device__ result cuttle_clc_##name(__VA_ARGS__) __asm__(label)
#else
#define CUTTLE_CLC(result, name, label, ...) extern "C" __device__ result cuttle_clc_##name(__VA_ARGS__) __asm__(label)
#endif

// One argument: libdevice's name, the length of the name in libclc, and that name.
#define CUTTLE_MATH_1(name, length, clc)                                                                               \
    CUTTLE_CLC(double, name, "_Z" length #clc "d", double);                                                            \
    CUTTLE_CLC(float, name##f, "_Z" length #clc "f", float);                                                           \
    CUTTLE_LIBDEVICE double __nv_##name(double a) { return cuttle_clc_##name(a); }                                     \
    CUTTLE_LIBDEVICE float __nv_##name##f(float a) { return cuttle_clc_##name##f(a); }
#define CUTTLE_MATH_2(name, length, clc)                                                                               \
    CUTTLE_CLC(double, name, "_Z" length #clc "dd", double, double);                                                   \
    CUTTLE_CLC(float, name##f, "_Z" length #clc "ff", float, float);                                                   \
    CUTTLE_LIBDEVICE double __nv_##name(double a, double b) { return cuttle_clc_##name(a, b); }                        \
    CUTTLE_LIBDEVICE float __nv_##name##f(float a, float b) { return cuttle_clc_##name##f(a, b); }

CUTTLE_MATH_1(acos, "4", acos)
CUTTLE_MATH_1(acosh, "5", acosh)
CUTTLE_MATH_1(asin, "4", asin)
CUTTLE_MATH_1(asinh, "5", asinh)
CUTTLE_MATH_1(atan, "4", atan)
CUTTLE_MATH_1(atanh, "5", atanh)
CUTTLE_MATH_1(cbrt, "4", cbrt)
CUTTLE_MATH_1(cos, "3", cos)
CUTTLE_MATH_1(cosh, "4", cosh)
CUTTLE_MATH_1(cospi, "5", cospi)
CUTTLE_MATH_1(erf, "3", erf)
CUTTLE_MATH_1(erfc, "4", erfc)
CUTTLE_MATH_1(exp, "3", exp)
CUTTLE_MATH_1(exp10, "5", exp10)
CUTTLE_MATH_1(exp2, "4", exp2)
CUTTLE_MATH_1(expm1, "5", expm1)
CUTTLE_MATH_1(lgamma, "6", lgamma)
CUTTLE_MATH_1(log, "3", log)
CUTTLE_MATH_1(log10, "5", log10)
CUTTLE_MATH_1(log1p, "5", log1p)
CUTTLE_MATH_1(log2, "4", log2)
CUTTLE_MATH_1(logb, "4", logb)
CUTTLE_MATH_1(sin, "3", sin)
CUTTLE_MATH_1(sinh, "4", sinh)
CUTTLE_MATH_1(sinpi, "5", sinpi)
CUTTLE_MATH_1(tan, "3", tan)
CUTTLE_MATH_1(tanh, "4", tanh)
CUTTLE_MATH_1(tgamma, "6", tgamma)
CUTTLE_MATH_2(atan2, "5", atan2)
CUTTLE_MATH_2(fdim, "4", fdim)
CUTTLE_MATH_2(fmod, "4", fmod)
CUTTLE_MATH_2(hypot, "5", hypot)
CUTTLE_MATH_2(nextafter, "9", nextafter)
CUTTLE_MATH_2(pow, "3", pow)
CUTTLE_MATH_2(remainder, "9", remainder)
#undef CUTTLE_MATH_1
#undef CUTTLE_MATH_2

#define CUTTLE_MATH_INT(type, letter, suffix)                                                                          \
    CUTTLE_CLC(int, ilogb##suffix, "_Z5ilogb" letter, type);                                                           \
    CUTTLE_CLC(type, ldexp##suffix, "_Z5ldexp" letter "i", type, int);                                                 \
    CUTTLE_CLC(type, pown##suffix, "_Z4pown" letter "i", type, int);                                                   \
    CUTTLE_CLC(type, frexp##suffix, "_Z5frexp" letter "Pi", type, int*);                                               \
    CUTTLE_CLC(type, remquo##suffix, "_Z6remquo" letter letter "Pi", type, type, int*);                                \
    CUTTLE_LIBDEVICE int __nv_ilogb##suffix(type a) { return cuttle_clc_ilogb##suffix(a); }                            \
    CUTTLE_LIBDEVICE type __nv_ldexp##suffix(type a, int n) { return cuttle_clc_ldexp##suffix(a, n); }                 \
    CUTTLE_LIBDEVICE type __nv_scalbn##suffix(type a, int n) { return cuttle_clc_ldexp##suffix(a, n); }                \
    CUTTLE_LIBDEVICE type __nv_powi##suffix(type a, int n) { return cuttle_clc_pown##suffix(a, n); }                   \
    CUTTLE_LIBDEVICE type __nv_frexp##suffix(type a, int* n) { return cuttle_clc_frexp##suffix(a, n); }                \
    CUTTLE_LIBDEVICE type __nv_remquo##suffix(type a, type b, int* n) { return cuttle_clc_remquo##suffix(a, b, n); }
CUTTLE_MATH_INT(double, "d", )
CUTTLE_MATH_INT(float, "f", f)
#undef CUTTLE_MATH_INT
#undef CUTTLE_CLC

// What instructions do, and what is made of other functions.
#define CUTTLE_MATH(type, suffix, is)                                                                                  \
    CUTTLE_LIBDEVICE type __nv_fabs##suffix(type a) { return __builtin_fabs##suffix(a); }                              \
    CUTTLE_LIBDEVICE type __nv_ceil##suffix(type a) { return __builtin_ceil##suffix(a); }                              \
    CUTTLE_LIBDEVICE type __nv_floor##suffix(type a) { return __builtin_floor##suffix(a); }                            \
    CUTTLE_LIBDEVICE type __nv_trunc##suffix(type a) { return __builtin_trunc##suffix(a); }                            \
    CUTTLE_LIBDEVICE type __nv_rint##suffix(type a) { return __builtin_rint##suffix(a); }                              \
    CUTTLE_LIBDEVICE type __nv_round##suffix(type a) { return __builtin_round##suffix(a); }                            \
    CUTTLE_LIBDEVICE type __nv_sqrt##suffix(type a) { return __builtin_sqrt##suffix(a); }                              \
    CUTTLE_LIBDEVICE type __nv_copysign##suffix(type a, type b) { return __builtin_copysign##suffix(a, b); }           \
    CUTTLE_LIBDEVICE type __nv_fma##suffix(type a, type b, type c) { return __builtin_fma##suffix(a, b, c); }          \
    CUTTLE_LIBDEVICE type __nv_fmin##suffix(type a, type b) { return __builtin_fmin##suffix(a, b); }                   \
    CUTTLE_LIBDEVICE type __nv_fmax##suffix(type a, type b) { return __builtin_fmax##suffix(a, b); }                   \
    CUTTLE_LIBDEVICE int __nv_isnan##is(type a) { return __builtin_isnan(a); }                                         \
    CUTTLE_LIBDEVICE int __nv_isinf##is(type a) { return __builtin_isinf(a) != 0; }                                    \
    CUTTLE_LIBDEVICE int __nv_signbit##is(type a) { return __builtin_signbit##suffix(a) != 0; }                        \
    CUTTLE_LIBDEVICE long long __nv_llround##suffix(type a) { return (long long)__builtin_round##suffix(a); }          \
    CUTTLE_LIBDEVICE void __nv_sincos##suffix(type a, type* sine, type* cosine) {                                      \
        *sine = __nv_sin##suffix(a);                                                                                   \
        *cosine = __nv_cos##suffix(a);                                                                                 \
    }                                                                                                                  \
    CUTTLE_LIBDEVICE void __nv_sincospi##suffix(type a, type* sine, type* cosine) {                                    \
        *sine = __nv_sinpi##suffix(a);                                                                                 \
        *cosine = __nv_cospi##suffix(a);                                                                               \
    }                                                                                                                  \
    CUTTLE_LIBDEVICE type __nv_modf##suffix(type a, type* whole) {                                                     \
        *whole = __builtin_trunc##suffix(a);                                                                           \
        return __builtin_copysign##suffix(__builtin_isinf(a) ? type(0) : a - *whole, a);                               \
    }                                                                                                                  \
    CUTTLE_LIBDEVICE type __nv_rcbrt##suffix(type a) { return 1 / __nv_cbrt##suffix(a); }
CUTTLE_MATH(double, , d)
CUTTLE_MATH(float, f, f)
#undef CUTTLE_MATH

CUTTLE_LIBDEVICE long long __nv_llrint(double a) { return __nvvm_d2ll_rn(a); }
CUTTLE_LIBDEVICE long long __nv_llrintf(float a) { return __nvvm_f2ll_rn(a); }
CUTTLE_LIBDEVICE int __nv_isfinited(double a) { return __builtin_isfinite(a); }
CUTTLE_LIBDEVICE int __nv_finitef(float a) { return __builtin_isfinite(a); }
CUTTLE_LIBDEVICE double __nv_rsqrt(double a) { return 1 / __builtin_sqrt(a); }
CUTTLE_LIBDEVICE float __nv_rsqrtf(float a) { return CUTTLE_F(rsqrt_approx)(a); }
