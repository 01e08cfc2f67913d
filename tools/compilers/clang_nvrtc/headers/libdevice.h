#pragma once
#pragma clang system_header

// The instructions that NVIDIA's libdevice has as functions: arithmetic with a rounding, conversions, integers, and the
// approximations of the hardware. clang's device functions are written on these names.

// libdevice's word for a rounding, and PTX's as clang's builtins write it.
#define CUTTLE_ROUNDINGS(define) define(rn, rn) define(rz, rz) define(rd, rm) define(ru, rp)

#if __CUDA_FTZ
#define CUTTLE_F(builtin) __nvvm_##builtin##_ftz_f
#define CUTTLE_FROM_F(to, rounding) __nvvm_f2##to##_##rounding##_ftz
#else
#define CUTTLE_F(builtin) __nvvm_##builtin##_f
#define CUTTLE_FROM_F(to, rounding) __nvvm_f2##to##_##rounding
#endif

// clang has no builtins that subtract.
#define CUTTLE_ARITHMETIC(name, ptx)                                                                                   \
    CUTTLE_LIBDEVICE float __nv_fadd_##name(float a, float b) { return CUTTLE_F(add_##ptx)(a, b); }                    \
    CUTTLE_LIBDEVICE float __nv_fsub_##name(float a, float b) { return CUTTLE_F(add_##ptx)(a, -b); }                   \
    CUTTLE_LIBDEVICE float __nv_fmul_##name(float a, float b) { return CUTTLE_F(mul_##ptx)(a, b); }                    \
    CUTTLE_LIBDEVICE float __nv_fdiv_##name(float a, float b) { return CUTTLE_F(div_##ptx)(a, b); }                    \
    CUTTLE_LIBDEVICE float __nv_frcp_##name(float a) { return CUTTLE_F(rcp_##ptx)(a); }                                \
    CUTTLE_LIBDEVICE float __nv_fsqrt_##name(float a) { return CUTTLE_F(sqrt_##ptx)(a); }                              \
    CUTTLE_LIBDEVICE float __nv_fmaf_##name(float a, float b, float c) { return CUTTLE_F(fma_##ptx)(a, b, c); }        \
    CUTTLE_LIBDEVICE float __nv_fmaf_ieee_##name(float a, float b, float c) { return __nvvm_fma_##ptx##_f(a, b, c); }  \
    CUTTLE_LIBDEVICE double __nv_dadd_##name(double a, double b) { return __nvvm_add_##ptx##_d(a, b); }                \
    CUTTLE_LIBDEVICE double __nv_dsub_##name(double a, double b) { return __nvvm_add_##ptx##_d(a, -b); }               \
    CUTTLE_LIBDEVICE double __nv_dmul_##name(double a, double b) { return __nvvm_mul_##ptx##_d(a, b); }                \
    CUTTLE_LIBDEVICE double __nv_ddiv_##name(double a, double b) { return __nvvm_div_##ptx##_d(a, b); }                \
    CUTTLE_LIBDEVICE double __nv_drcp_##name(double a) { return __nvvm_rcp_##ptx##_d(a); }                             \
    CUTTLE_LIBDEVICE double __nv_dsqrt_##name(double a) { return __nvvm_sqrt_##ptx##_d(a); }                           \
    CUTTLE_LIBDEVICE double __nv_fma_##name(double a, double b, double c) { return __nvvm_fma_##ptx##_d(a, b, c); }
CUTTLE_ROUNDINGS(CUTTLE_ARITHMETIC)
#undef CUTTLE_ARITHMETIC

#define CUTTLE_CONVERSIONS(name, ptx)                                                                                  \
    CUTTLE_LIBDEVICE int __nv_float2int_##name(float a) { return CUTTLE_FROM_F(i, ptx)(a); }                           \
    CUTTLE_LIBDEVICE unsigned __nv_float2uint_##name(float a) { return CUTTLE_FROM_F(ui, ptx)(a); }                    \
    CUTTLE_LIBDEVICE long long __nv_float2ll_##name(float a) { return CUTTLE_FROM_F(ll, ptx)(a); }                     \
    CUTTLE_LIBDEVICE unsigned long long __nv_float2ull_##name(float a) { return CUTTLE_FROM_F(ull, ptx)(a); }          \
    CUTTLE_LIBDEVICE int __nv_double2int_##name(double a) { return __nvvm_d2i_##ptx(a); }                              \
    CUTTLE_LIBDEVICE unsigned __nv_double2uint_##name(double a) { return __nvvm_d2ui_##ptx(a); }                       \
    CUTTLE_LIBDEVICE long long __nv_double2ll_##name(double a) { return __nvvm_d2ll_##ptx(a); }                        \
    CUTTLE_LIBDEVICE unsigned long long __nv_double2ull_##name(double a) { return __nvvm_d2ull_##ptx(a); }             \
    CUTTLE_LIBDEVICE float __nv_double2float_##name(double a) { return CUTTLE_D2F(ptx)(a); }                           \
    CUTTLE_LIBDEVICE float __nv_int2float_##name(int a) { return __nvvm_i2f_##ptx(a); }                                \
    CUTTLE_LIBDEVICE float __nv_uint2float_##name(unsigned a) { return __nvvm_ui2f_##ptx(a); }                         \
    CUTTLE_LIBDEVICE float __nv_ll2float_##name(long long a) { return __nvvm_ll2f_##ptx(a); }                          \
    CUTTLE_LIBDEVICE float __nv_ull2float_##name(unsigned long long a) { return __nvvm_ull2f_##ptx(a); }               \
    CUTTLE_LIBDEVICE double __nv_ll2double_##name(long long a) { return __nvvm_ll2d_##ptx(a); }                        \
    CUTTLE_LIBDEVICE double __nv_ull2double_##name(unsigned long long a) { return __nvvm_ull2d_##ptx(a); }
#if __CUDA_FTZ
#define CUTTLE_D2F(rounding) __nvvm_d2f_##rounding##_ftz
#else
#define CUTTLE_D2F(rounding) __nvvm_d2f_##rounding
#endif
CUTTLE_ROUNDINGS(CUTTLE_CONVERSIONS)
#undef CUTTLE_CONVERSIONS
#undef CUTTLE_D2F

CUTTLE_LIBDEVICE double __nv_int2double_rn(int a) { return a; }
CUTTLE_LIBDEVICE double __nv_uint2double_rn(unsigned a) { return a; }

// Bits.
CUTTLE_LIBDEVICE int __nv_float_as_int(float a) { return __builtin_bit_cast(int, a); }
CUTTLE_LIBDEVICE unsigned __nv_float_as_uint(float a) { return __builtin_bit_cast(unsigned, a); }
CUTTLE_LIBDEVICE float __nv_int_as_float(int a) { return __builtin_bit_cast(float, a); }
CUTTLE_LIBDEVICE float __nv_uint_as_float(unsigned a) { return __builtin_bit_cast(float, a); }
CUTTLE_LIBDEVICE unsigned long long __nv_double_as_longlong(double a) {
    return __builtin_bit_cast(unsigned long long, a);
}
CUTTLE_LIBDEVICE double __nv_longlong_as_double(long long a) { return __builtin_bit_cast(double, a); }
CUTTLE_LIBDEVICE int __nv_double2hiint(double a) { return int(__builtin_bit_cast(long long, a) >> 32); }
CUTTLE_LIBDEVICE int __nv_double2loint(double a) { return int(__builtin_bit_cast(long long, a)); }
CUTTLE_LIBDEVICE double __nv_hiloint2double(int high, int low) {
    return __builtin_bit_cast(double, (unsigned long long)(unsigned)high << 32 | (unsigned)low);
}
CUTTLE_LIBDEVICE int __nv_brev(int a) { return __builtin_bitreverse32(a); }
CUTTLE_LIBDEVICE long long __nv_brevll(long long a) { return __builtin_bitreverse64(a); }
CUTTLE_LIBDEVICE int __nv_clz(int a) { return __builtin_clzg((unsigned)a, 32); }
CUTTLE_LIBDEVICE int __nv_clzll(long long a) { return __builtin_clzg((unsigned long long)a, 64); }
CUTTLE_LIBDEVICE int __nv_ffs(int a) { return __builtin_ffs(a); }
CUTTLE_LIBDEVICE int __nv_ffsll(long long a) { return __builtin_ffsll(a); }
CUTTLE_LIBDEVICE int __nv_popc(unsigned a) { return __builtin_popcount(a); }
CUTTLE_LIBDEVICE int __nv_popcll(unsigned long long a) { return __builtin_popcountll(a); }
CUTTLE_LIBDEVICE unsigned __nv_byte_perm(unsigned a, unsigned b, unsigned selectors) {
    return __nvvm_prmt(a, b, selectors & 0x7777);
}

// Integers. Sums of 32-bit values are taken in 64 bits.
CUTTLE_LIBDEVICE int __nv_abs(int a) { return __builtin_abs(a); }
CUTTLE_LIBDEVICE long long __nv_llabs(long long a) { return __builtin_llabs(a); }
CUTTLE_LIBDEVICE int __nv_min(int a, int b) { return a < b ? a : b; }
CUTTLE_LIBDEVICE int __nv_max(int a, int b) { return a > b ? a : b; }
CUTTLE_LIBDEVICE unsigned __nv_umin(unsigned a, unsigned b) { return a < b ? a : b; }
CUTTLE_LIBDEVICE unsigned __nv_umax(unsigned a, unsigned b) { return a > b ? a : b; }
CUTTLE_LIBDEVICE long long __nv_llmin(long long a, long long b) { return a < b ? a : b; }
CUTTLE_LIBDEVICE long long __nv_llmax(long long a, long long b) { return a > b ? a : b; }
CUTTLE_LIBDEVICE unsigned long long __nv_ullmin(unsigned long long a, unsigned long long b) { return a < b ? a : b; }
CUTTLE_LIBDEVICE unsigned long long __nv_ullmax(unsigned long long a, unsigned long long b) { return a > b ? a : b; }
CUTTLE_LIBDEVICE int __nv_mulhi(int a, int b) { return int((long long)a * b >> 32); }
CUTTLE_LIBDEVICE unsigned __nv_umulhi(unsigned a, unsigned b) { return unsigned((unsigned long long)a * b >> 32); }
CUTTLE_LIBDEVICE long long __nv_mul64hi(long long a, long long b) { return (long long)((__int128)a * b >> 64); }
CUTTLE_LIBDEVICE unsigned long long __nv_umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)((unsigned __int128)a * b >> 64);
}
CUTTLE_LIBDEVICE int __nv_mul24(int a, int b) { return __nvvm_mul24_i(a, b); }
CUTTLE_LIBDEVICE unsigned __nv_umul24(unsigned a, unsigned b) { return __nvvm_mul24_ui(a, b); }
CUTTLE_LIBDEVICE int __nv_sad(int a, int b, int c) { return __nvvm_sad_i(a, b, c); }
CUTTLE_LIBDEVICE unsigned __nv_usad(unsigned a, unsigned b, unsigned c) { return __nvvm_sad_ui(a, b, c); }
CUTTLE_LIBDEVICE int __nv_hadd(int a, int b) { return int(((long long)a + b) >> 1); }
CUTTLE_LIBDEVICE int __nv_rhadd(int a, int b) { return int(((long long)a + b + 1) >> 1); }
CUTTLE_LIBDEVICE int __nv_uhadd(unsigned a, unsigned b) { return int(((unsigned long long)a + b) >> 1); }
CUTTLE_LIBDEVICE unsigned __nv_urhadd(unsigned a, unsigned b) { return unsigned(((unsigned long long)a + b + 1) >> 1); }

// The hardware's approximations.
CUTTLE_LIBDEVICE float __nv_saturatef(float a) { return CUTTLE_F(saturate)(a); }
CUTTLE_LIBDEVICE float __nv_frsqrt_rn(float a) {
    return float(__nvvm_rcp_rn_d(__nvvm_sqrt_rn_d(a))); // 53 bits are enough for one rounding more
}
CUTTLE_LIBDEVICE float __nv_fast_fdividef(float a, float b) { return CUTTLE_F(div_approx)(a, b); }
CUTTLE_LIBDEVICE float __nv_fast_sinf(float a) { return CUTTLE_F(sin_approx)(a); }
CUTTLE_LIBDEVICE float __nv_fast_cosf(float a) { return CUTTLE_F(cos_approx)(a); }
CUTTLE_LIBDEVICE void __nv_fast_sincosf(float a, float* sine, float* cosine) {
    *sine = __nv_fast_sinf(a);
    *cosine = __nv_fast_cosf(a);
}
CUTTLE_LIBDEVICE float __nv_fast_tanf(float a) { return __nv_fast_fdividef(__nv_fast_sinf(a), __nv_fast_cosf(a)); }
CUTTLE_LIBDEVICE float __nv_fast_log2f(float a) { return CUTTLE_F(lg2_approx)(a); }
CUTTLE_LIBDEVICE float __nv_fast_logf(float a) { return CUTTLE_F(lg2_approx)(a) * 0x1.62e43p-1f; }
CUTTLE_LIBDEVICE float __nv_fast_log10f(float a) { return CUTTLE_F(lg2_approx)(a) * 0x1.344136p-2f; }
CUTTLE_LIBDEVICE float __nv_fast_expf(float a) { return CUTTLE_F(ex2_approx)(a * 0x1.715476p+0f); }
CUTTLE_LIBDEVICE float __nv_fast_exp10f(float a) { return CUTTLE_F(ex2_approx)(a * 0x1.a934fp+1f); }
CUTTLE_LIBDEVICE float __nv_fast_powf(float a, float b) { return CUTTLE_F(ex2_approx)(b * CUTTLE_F(lg2_approx)(a)); }
