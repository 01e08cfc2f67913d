#pragma once
#pragma clang system_header

// The mathematical functions of C++ by their argument's type, min and max, and what of <utility> NVRTC knows by itself.

#define CUTTLE_FLOAT_1(name)                                                                                           \
    CUTTLE_DEVICE float name(float a) { return name##f(a); }
#define CUTTLE_FLOAT_2(name)                                                                                           \
    CUTTLE_DEVICE float name(float a, float b) { return name##f(a, b); }

CUTTLE_FLOAT_1(acos)
CUTTLE_FLOAT_1(acosh)
CUTTLE_FLOAT_1(asin)
CUTTLE_FLOAT_1(asinh)
CUTTLE_FLOAT_1(atan)
CUTTLE_FLOAT_1(atanh)
CUTTLE_FLOAT_1(cbrt)
CUTTLE_FLOAT_1(ceil)
CUTTLE_FLOAT_1(cos)
CUTTLE_FLOAT_1(cosh)
CUTTLE_FLOAT_1(cospi)
CUTTLE_FLOAT_1(erf)
CUTTLE_FLOAT_1(erfc)
CUTTLE_FLOAT_1(erfcinv)
CUTTLE_FLOAT_1(erfcx)
CUTTLE_FLOAT_1(erfinv)
CUTTLE_FLOAT_1(exp)
CUTTLE_FLOAT_1(exp10)
CUTTLE_FLOAT_1(exp2)
CUTTLE_FLOAT_1(expm1)
CUTTLE_FLOAT_1(fabs)
CUTTLE_FLOAT_1(floor)
CUTTLE_FLOAT_1(lgamma)
CUTTLE_FLOAT_1(log)
CUTTLE_FLOAT_1(log10)
CUTTLE_FLOAT_1(log1p)
CUTTLE_FLOAT_1(log2)
CUTTLE_FLOAT_1(logb)
CUTTLE_FLOAT_1(nearbyint)
CUTTLE_FLOAT_1(normcdf)
CUTTLE_FLOAT_1(normcdfinv)
CUTTLE_FLOAT_1(rcbrt)
CUTTLE_FLOAT_1(rint)
CUTTLE_FLOAT_1(round)
CUTTLE_FLOAT_1(rsqrt)
CUTTLE_FLOAT_1(sin)
CUTTLE_FLOAT_1(sinh)
CUTTLE_FLOAT_1(sinpi)
CUTTLE_FLOAT_1(sqrt)
CUTTLE_FLOAT_1(tan)
CUTTLE_FLOAT_1(tanh)
CUTTLE_FLOAT_1(tgamma)
CUTTLE_FLOAT_1(trunc)
CUTTLE_FLOAT_2(atan2)
CUTTLE_FLOAT_2(copysign)
CUTTLE_FLOAT_2(fdim)
CUTTLE_FLOAT_2(fmax)
CUTTLE_FLOAT_2(fmin)
CUTTLE_FLOAT_2(fmod)
CUTTLE_FLOAT_2(hypot)
CUTTLE_FLOAT_2(nextafter)
CUTTLE_FLOAT_2(pow)
CUTTLE_FLOAT_2(remainder)
#undef CUTTLE_FLOAT_1
#undef CUTTLE_FLOAT_2

CUTTLE_DEVICE float pow(float a, int n) { return __nv_powif(a, n); }
CUTTLE_DEVICE double pow(double a, int n) { return __nv_powi(a, n); }
CUTTLE_DEVICE float fma(float a, float b, float c) { return fmaf(a, b, c); }
CUTTLE_DEVICE float frexp(float a, int* exponent) { return frexpf(a, exponent); }
CUTTLE_DEVICE float ldexp(float a, int exponent) { return ldexpf(a, exponent); }
CUTTLE_DEVICE float scalbn(float a, int exponent) { return scalbnf(a, exponent); }
CUTTLE_DEVICE float modf(float a, float* whole) { return modff(a, whole); }
CUTTLE_DEVICE float remquo(float a, float b, int* quotient) { return remquof(a, b, quotient); }
CUTTLE_DEVICE int ilogb(float a) { return ilogbf(a); }
CUTTLE_DEVICE long lrint(float a) { return lrintf(a); }
CUTTLE_DEVICE long lround(float a) { return lroundf(a); }
CUTTLE_DEVICE long long llrint(float a) { return llrintf(a); }
CUTTLE_DEVICE long long llround(float a) { return llroundf(a); }
CUTTLE_DEVICE void sincos(float a, float* sine, float* cosine) { sincosf(a, sine, cosine); }
CUTTLE_DEVICE void sincospi(float a, float* sine, float* cosine) { sincospif(a, sine, cosine); }
CUTTLE_DEVICE float abs(float a) { return fabsf(a); }
CUTTLE_DEVICE double abs(double a) { return fabs(a); }
CUTTLE_DEVICE long abs(long a) { return a < 0 ? -a : a; }
CUTTLE_DEVICE long long abs(long long a) { return a < 0 ? -a : a; }
CUTTLE_DEVICE double nan(const char*) { return __builtin_nan(""); }
CUTTLE_DEVICE float nanf(const char*) { return __builtin_nanf(""); }

#define CUTTLE_CLASS(name, builtin)                                                                                    \
    CUTTLE_DEVICE bool name(float a) { return builtin; }                                                               \
    CUTTLE_DEVICE bool name(double a) { return builtin; }
CUTTLE_CLASS(isfinite, __builtin_isfinite(a))
CUTTLE_CLASS(isinf, __builtin_isinf(a) != 0)
CUTTLE_CLASS(isnan, __builtin_isnan(a))
CUTTLE_CLASS(signbit, __nv_signbitd(a) != 0)
#undef CUTTLE_CLASS

#define CUTTLE_MINMAX(type)                                                                                            \
    CUTTLE_DEVICE type min(type a, type b) { return a < b ? a : b; }                                                   \
    CUTTLE_DEVICE type max(type a, type b) { return a > b ? a : b; }
CUTTLE_MINMAX(unsigned)
CUTTLE_MINMAX(long)
CUTTLE_MINMAX(unsigned long)
CUTTLE_MINMAX(long long)
CUTTLE_MINMAX(unsigned long long)
#undef CUTTLE_MINMAX
// Of an int and an unsigned, and of the longer integers likewise, C++ takes the unsigned one.
#define CUTTLE_MINMAX(one, other, type)                                                                                \
    CUTTLE_DEVICE type min(one a, other b) { return min((type)a, (type)b); }                                           \
    CUTTLE_DEVICE type max(one a, other b) { return max((type)a, (type)b); }                                           \
    CUTTLE_DEVICE type min(other a, one b) { return min((type)a, (type)b); }                                           \
    CUTTLE_DEVICE type max(other a, one b) { return max((type)a, (type)b); }
CUTTLE_MINMAX(int, unsigned, unsigned)
CUTTLE_MINMAX(long, unsigned long, unsigned long)
CUTTLE_MINMAX(long long, unsigned long long, unsigned long long)
#undef CUTTLE_MINMAX
CUTTLE_DEVICE float min(float a, float b) { return fminf(a, b); }
CUTTLE_DEVICE float max(float a, float b) { return fmaxf(a, b); }
CUTTLE_DEVICE double min(double a, double b) { return fmin(a, b); }
CUTTLE_DEVICE double max(double a, double b) { return fmax(a, b); }
CUTTLE_DEVICE double min(float a, double b) { return fmin((double)a, b); }
CUTTLE_DEVICE double max(float a, double b) { return fmax((double)a, b); }
CUTTLE_DEVICE double min(double a, float b) { return fmin(a, (double)b); }
CUTTLE_DEVICE double max(double a, float b) { return fmax(a, (double)b); }

namespace std {
#ifndef CUTTLE_NO_MOVE_FORWARD
template <class T> constexpr __remove_reference_t(T) && move(T&& value) noexcept {
    return static_cast<__remove_reference_t(T) &&>(value);
}
template <class T> constexpr T&& forward(__remove_reference_t(T) & value) noexcept { return static_cast<T&&>(value); }
template <class T> constexpr T&& forward(__remove_reference_t(T) && value) noexcept { return static_cast<T&&>(value); }
#endif
#ifndef CUTTLE_NO_INITIALIZER_LIST
/// The compiler fills the two members in.
template <class T> class initializer_list {
    const T* begin_ = nullptr;
    size_t size_ = 0;

  public:
    typedef T value_type;
    typedef const T& reference;
    typedef const T& const_reference;
    typedef size_t size_type;
    typedef const T* iterator;
    typedef const T* const_iterator;
    constexpr initializer_list() noexcept = default;
    constexpr size_t size() const noexcept { return size_; }
    constexpr const T* begin() const noexcept { return begin_; }
    constexpr const T* end() const noexcept { return begin_ + size_; }
};
#endif
} // namespace std
