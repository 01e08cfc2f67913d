#pragma once
#pragma clang system_header

// Functions of libdevice that libclc lacks: norms, the inverses of the error function, the normal distribution. Those
// for float compute in double.

// Scaled by the power of two in the largest of the values, so that squares neither overflow nor vanish.
CUTTLE_DEVICE double cuttle_norm(int count, const double* values) {
    double largest = 0, sum = 0;
    for (int i = 0; i < count; i++) {
        if (__builtin_isinf(values[i])) return __builtin_inf();
        const double size = __builtin_fabs(values[i]);
        largest = size > largest || size != size ? size : largest;
    }
    if (!(largest > 0)) return largest;
    const int exponent = __nv_ilogb(largest);
    for (int i = 0; i < count; i++) {
        const double one = __nv_ldexp(values[i], -exponent);
        sum = __builtin_fma(one, one, sum);
    }
    return __nv_ldexp(__builtin_sqrt(sum), exponent);
}
CUTTLE_DEVICE double cuttle_norm(int count, const float* values) {
    double sum = 0;
    bool infinite = false;
    for (int i = 0; i < count; i++) {
        infinite |= __builtin_isinf(values[i]) != 0;
        sum = __builtin_fma((double)values[i], (double)values[i], sum);
    }
    return infinite ? __builtin_inf() : __builtin_sqrt(sum);
}

#define CUTTLE_NORMS(type, suffix, d)                                                                                  \
    CUTTLE_LIBDEVICE type __nv_norm##suffix(int count, const type* values) {                                           \
        return type(cuttle_norm(count, values));                                                                       \
    }                                                                                                                  \
    CUTTLE_LIBDEVICE type __nv_rnorm##suffix(int count, const type* values) {                                          \
        return type(1 / cuttle_norm(count, values));                                                                   \
    }                                                                                                                  \
    CUTTLE_LIBDEVICE type __nv_norm3d##suffix(type a, type b, type c) {                                                \
        const type all[] = {a, b, c};                                                                                  \
        return type(cuttle_norm(3, all));                                                                              \
    }                                                                                                                  \
    CUTTLE_LIBDEVICE type __nv_norm4d##suffix(type a, type b, type c, type d) {                                        \
        const type all[] = {a, b, c, d};                                                                               \
        return type(cuttle_norm(4, all));                                                                              \
    }                                                                                                                  \
    CUTTLE_LIBDEVICE type __nv_rhypot##suffix(type a, type b) {                                                        \
        const type all[] = {a, b};                                                                                     \
        return type(1 / cuttle_norm(2, all));                                                                          \
    }                                                                                                                  \
    CUTTLE_LIBDEVICE type __nv_rnorm3d##suffix(type a, type b, type c) {                                               \
        const type all[] = {a, b, c};                                                                                  \
        return type(1 / cuttle_norm(3, all));                                                                          \
    }                                                                                                                  \
    CUTTLE_LIBDEVICE type __nv_rnorm4d##suffix(type a, type b, type c, type d) {                                       \
        const type all[] = {a, b, c, d};                                                                               \
        return type(1 / cuttle_norm(4, all));                                                                          \
    }
CUTTLE_NORMS(double, , )
CUTTLE_NORMS(float, f, f)
#undef CUTTLE_NORMS

// exp(x^2) erfc(x): as a product while erfc is far from underflow, then by its asymptotic series.
CUTTLE_LIBDEVICE double __nv_erfcx(double x) {
    constexpr double inverse_root_pi = 0x1.20dd750429b6dp-1;
    if (x < 20) {
        const double square = x * x, rest = __builtin_fma(x, x, -square);
        const double power = __nv_exp(square);
        return __builtin_isinf(power) ? power : __builtin_fma(power, rest, power) * __nv_erfc(x);
    }
    const double t = 0.5 / (x * x);
    double series = 1;
    for (int k = 15; k > 0; k -= 2) series = __builtin_fma(-k * t, series, 1);
    return inverse_root_pi / x * series;
}

// The y >= 0 with erfc(y) = x, for 0 < x <= 1: a closed approximation of three digits, then Halley's steps.
CUTTLE_DEVICE double cuttle_erfc_inverse(double x, bool of_erf, double complement) {
    constexpr double two_by_root_pi = 0x1.20dd750429b6dp+0, a = 0.147;
    const double l = of_erf ? __nv_log1p(-complement * complement) : __nv_log(x * (2 - x));
    const double h = 2 / (0x1.921fb54442d18p+1 * a) + l / 2;
    double y = __builtin_sqrt(__builtin_sqrt(h * h - l / a) - h);
    for (int i = 0; i < 5; i++) {
        const double wrong = of_erf ? complement - __nv_erf(y) : __nv_erfc(y) - x;
        const double step = wrong / (two_by_root_pi * __nv_exp(-y * y));
        if (!(__builtin_fabs(step) > 0)) break;
        y += step / (1 + y * step);
    }
    return y;
}
CUTTLE_LIBDEVICE double __nv_erfinv(double x) {
    const double size = __builtin_fabs(x);
    if (!(size < 1)) return size == 1 ? x * __builtin_inf() : __builtin_nan("");
    if (size < 0x1p-28) return x * 0x1.c5bf891b4ef6bp-1; // sqrt(pi) / 2
    return __builtin_copysign(cuttle_erfc_inverse(1 - size, size < 0.5, size), x);
}
CUTTLE_LIBDEVICE double __nv_erfcinv(double x) {
    if (!(x > 0 && x < 2)) return x == 0 ? __builtin_inf() : x == 2 ? -__builtin_inf() : __builtin_nan("");
    if (x > 0.5 && x < 1.5) return __nv_erfinv(1 - x);
    return x < 1 ? cuttle_erfc_inverse(x, false, 0) : -cuttle_erfc_inverse(2 - x, false, 0);
}
CUTTLE_LIBDEVICE double __nv_normcdf(double x) { return 0.5 * __nv_erfc(x * -0x1.6a09e667f3bcdp-1); }
CUTTLE_LIBDEVICE double __nv_normcdfinv(double x) { return -0x1.6a09e667f3bcdp+0 * __nv_erfcinv(2 * x); }
CUTTLE_LIBDEVICE float __nv_erfcxf(float x) { return float(__nv_erfcx(x)); }
CUTTLE_LIBDEVICE float __nv_erfinvf(float x) { return float(__nv_erfinv(x)); }
CUTTLE_LIBDEVICE float __nv_erfcinvf(float x) { return float(__nv_erfcinv(x)); }
CUTTLE_LIBDEVICE float __nv_normcdff(float x) { return float(__nv_normcdf(x)); }
CUTTLE_LIBDEVICE float __nv_normcdfinvf(float x) { return float(__nv_normcdfinv(x)); }
