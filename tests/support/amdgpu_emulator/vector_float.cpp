// Floating point of 16, 32 and 64 bits: RDNA3 ISA 16.7 to 16.10, and 16.11 for division.
#include "floats.h"
#include "lanes.h"

#include <cmath>

namespace amdgpu {

namespace {

using u32 = uint32_t;
using i32 = int32_t;

constexpr double pi = 3.14159265358979323846;

// Numbers that the hardware's transcendental unit approximates are correctly rounded here. It flushes subnormals of
// logarithms, powers, sine and cosine whatever the mode says.
float flushed(float x) { return is_denormal(x) ? std::copysign(0.0f, x) : x; }
float power_of_two(float x) { return flushed(float(std::exp2(double(flushed(x))))); }
float logarithm(float x) { return float(std::log2(double(flushed(x)))); }
float turns(float x, double (*f)(double)) {
    if (!std::isfinite(x)) return std::numeric_limits<float>::quiet_NaN();
    if (std::fabs(x) > 256) return f(0.0) == 0.0 ? 0.0f : 1.0f;
    return float(f(double(x) * 2 * pi));
}
template <class T> T reciprocal_root(T x) { return T(1.0L / std::sqrt((long double)x)); }

template <class T> T fraction(T x) {
    const T result = x - std::floor(x);
    // x - floor(x) of a small negative x rounds to 1.
    return result >= T(1) ? std::nextafter(T(1), T(0)) : result;
}
template <class T> T mantissa(T x) {
    if (!std::isfinite(x) || x == T(0)) return x;
    int exponent;
    return std::frexp(x, &exponent);
}
template <class T> i32 exponent(T x) {
    if (!std::isfinite(x) || x == T(0)) return 0;
    int result;
    std::frexp(x, &result);
    return result;
}

/// How far v_div_scale moves numbers, and from which exponents on.
template <class T> inline constexpr int division_scale = sizeof(T) == 8 ? 128 : 64;
template <class T> inline constexpr int far_apart = sizeof(T) == 8 ? 768 : 96;
template <class T> inline constexpr int tiny_numerator = sizeof(T) == 8 ? 53 : 23;

/// Is the quotient below the normal range?
template <class T> bool quotient_is_denormal(T numerator, T denominator) {
    const long double quotient = std::fabs((long double)numerator / (long double)denominator);
    return quotient != 0 && quotient < (long double)std::numeric_limits<T>::min();
}

/// Scales `value`, one of the others, so that the division of `numerator` by `denominator` stays in range; the flag
/// asks v_div_fmas to undo it.
template <class T> WithFlag<T> division_scaled(T value, T denominator, T numerator) {
    if (numerator == T(0) || denominator == T(0)) return {std::numeric_limits<T>::quiet_NaN(), 1};
    const bool is_denominator = bits_of(value) == bits_of(denominator);
    const bool is_numerator = bits_of(value) == bits_of(numerator);
    const auto up = [&](bool doing) { return doing ? scaled(value, division_scale<T>) : value; };
    if (exponent_field(numerator) - exponent_field(denominator) >= far_apart<T>) return {up(is_denominator), 1};
    if (is_denormal(denominator)) return {up(true), 0};
    const bool tiny_reciprocal = quotient_is_denormal(T(1), denominator);
    const bool tiny_quotient = quotient_is_denormal(numerator, denominator);
    // The manual has the denominator grow here, too; it would overflow, and the quotient is to be scaled down.
    if (tiny_reciprocal && tiny_quotient) return {is_denominator ? scaled(value, -division_scale<T>) : value, 1};
    if (tiny_reciprocal) return {scaled(value, -division_scale<T>), 0};
    if (tiny_quotient) return {up(is_numerator), 1};
    return {up(exponent_field(numerator) <= tiny_numerator<T>), 0};
}

/// a * b + c as a number that rounds to any shorter one as the exact sum does ("round to odd").
long double odd_sum(double a, double b, double c) {
    const double product = a * b, product_rest = std::fma(a, b, -product);
    const double sum = product + c, part = sum - product;
    const double sum_rest = (product - (sum - part)) + (c - part);
    if (!std::isfinite(sum)) return sum;
    const long double rest = (long double)product_rest + sum_rest, total = sum + rest;
    const long double back = total - sum, lost = (sum - (total - back)) + (rest - back);
    if (lost == 0) return total;
    const long double other = std::nextafter(total, lost > 0 ? INFINITY : -INFINITY);
    uint64_t fraction;
    std::memcpy(&fraction, &total, sizeof fraction);
    return fraction & 1 ? total : other;
}

template <class T> T division_fused(T a, T b, T c, Bit scale) {
    if (!scale.value) return std::fma(a, b, c);
    const int amount = exponent_field(c) > exponent_bias<T> ? division_scale<T> : -division_scale<T>;
    return T(std::ldexp(odd_sum(a, b, c), amount));
}

template <class T> T division_fixed(T quotient, T denominator, T numerator) {
    const bool negative = sign_of(denominator) != sign_of(numerator);
    const auto with_sign = [&](T magnitude) { return negative ? -magnitude : magnitude; };
    const T infinity = std::numeric_limits<T>::infinity(), nan = -std::numeric_limits<T>::quiet_NaN();
    const bool infinite_n = std::isinf(numerator), infinite_d = std::isinf(denominator);
    if (is_nan(numerator)) return quieted(numerator);
    if (is_nan(denominator)) return quieted(denominator);
    if ((denominator == T(0) && numerator == T(0)) || (infinite_n && infinite_d)) return nan;
    if (denominator == T(0) || infinite_n) return with_sign(infinity);
    if (infinite_d || numerator == T(0)) return with_sign(T(0));
    const int distance = exponent_field(numerator) - exponent_field(denominator);
    if (distance < (sizeof(T) == 8 ? -1075 : -150)) return with_sign(T(0));
    // The refinement of a quotient that overflows ends in a NaN. The manual does not say that it is replaced; division
    // would be wrong on the hardware otherwise.
    if (is_nan(quotient)) return with_sign(infinity);
    return with_sign(std::fabs(quotient));
}

/// Operations that all three sizes have; F converts from a T to what is computed with and back.
template <class T> struct Plain {
    using Stored = T;
    static T in(T x) { return x; }
    static T out(T x) { return x; }
};
struct AsFloat {
    using Stored = F16;
    static float in(F16 x) { return x.value; }
    static F16 out(float x) { return {x}; }
};

template <class F> void add_common(Rows& rows, const std::string& suffix) {
    using S = typename F::Stored;
    const auto name = [&](const char* stem) { return std::string(stem) + suffix; };
    rows[name("v_add")] = lanes<([](S a, S b) { return F::out(F::in(a) + F::in(b)); })>();
    rows[name("v_sub")] = lanes<([](S a, S b) { return F::out(F::in(a)-F::in(b)); })>();
    rows[name("v_subrev")] = lanes<([](S a, S b) { return F::out(F::in(b)-F::in(a)); })>();
    rows[name("v_mul")] = lanes<([](S a, S b) { return F::out(F::in(a)*F::in(b)); })>();
    rows[name("v_min")] = lanes<([](S a, S b) { return F::out(minimum(F::in(a), F::in(b))); })>();
    rows[name("v_max")] = lanes<([](S a, S b) { return F::out(maximum(F::in(a), F::in(b))); })>();
    rows[name("v_rcp")] = lanes<([](S a) { return F::out(1 / F::in(a)); })>();
    rows[name("v_rsq")] = lanes<([](S a) { return F::out(reciprocal_root(F::in(a))); })>();
    rows[name("v_sqrt")] = lanes<([](S a) { return F::out(std::sqrt(F::in(a))); })>();
    rows[name("v_floor")] = lanes<([](S a) { return F::out(std::floor(F::in(a))); })>();
    rows[name("v_ceil")] = lanes<([](S a) { return F::out(std::ceil(F::in(a))); })>();
    rows[name("v_trunc")] = lanes<([](S a) { return F::out(std::trunc(F::in(a))); })>();
    rows[name("v_rndne")] = lanes<([](S a) { return F::out(to_even(F::in(a))); })>();
    rows[name("v_frexp_mant")] = lanes<([](S a) { return F::out(mantissa(F::in(a))); })>();
    rows[name("v_med3")] = lanes<([](S a, S b, S c) { return F::out(median_of(F::in(a), F::in(b), F::in(c))); })>();
    rows[name("v_min3")] =
        lanes<([](S a, S b, S c) { return F::out(minimum(minimum(F::in(a), F::in(b)), F::in(c))); })>();
    rows[name("v_max3")] =
        lanes<([](S a, S b, S c) { return F::out(maximum(maximum(F::in(a), F::in(b)), F::in(c))); })>();
    rows[name("v_maxmin")] =
        lanes<([](S a, S b, S c) { return F::out(minimum(maximum(F::in(a), F::in(b)), F::in(c))); })>();
    rows[name("v_minmax")] =
        lanes<([](S a, S b, S c) { return F::out(maximum(minimum(F::in(a), F::in(b)), F::in(c))); })>();
}

template <class T> void add_large(Rows& rows, const std::string& suffix) {
    const auto name = [&](const char* stem) { return std::string(stem) + suffix; };
    rows[name("v_fma")] = lanes<([](T a, T b, T c) { return std::fma(a, b, c); })>();
    rows[name("v_fmac")] = lanes<([](T a, T b, T c) { return std::fma(a, b, c); })>(reads_destination);
    rows[name("v_fract")] = lanes<([](T a) { return fraction(a); })>();
    rows[name("v_ldexp")] = lanes<([](T a, i32 e) { return scaled(a, e); })>();
    rows["v_frexp_exp_i32" + suffix] = lanes<([](T a) { return exponent(a); })>();
    rows[name("v_div_scale")] = lanes<([](T value, T d, T n) { return division_scaled(value, d, n); })>(second_scalar);
    rows[name("v_div_fixup")] = lanes<([](T q, T d, T n) { return division_fixed(q, d, n); })>();
    rows[name("v_div_fmas")] = {[](Wave& wave, const Instruction& in) {
        Instruction with_vcc = in;
        with_vcc.source[3].code = code::vcc;
        vector<([](T a, T b, T c, Bit s) { return division_fused(a, b, c, s); })>(wave, with_vcc);
    }};
}

void fuse_halves(Wave& wave, const Instruction& in) {
    Room<F16> rooms[3];
    const F16* from[3];
    for (unsigned i = 0; i < 3; i++) from[i] = fetch<F16>(wave, in.source[i], rooms[i]);
    Room<F16> out;
    each_lane(wave, [&](unsigned i) {
        out.lane[i].value = odd_half_sum(from[0][i].value, from[1][i].value, from[2][i].value);
    });
    wave.float_mode_64();
    put(wave, in, out.lane);
}

void add_halves(Rows& rows) {
    const Row fma{fuse_halves, nullptr, 0, 15};
    rows["v_fma_f16"] = fma;
    for (auto [name, flag] : {std::pair{"v_fmac_f16", reads_destination}, std::pair{"v_fmamk_f16", constant_factor},
                              std::pair{"v_fmaak_f16", constant_addend}}) {
        rows[name] = fma;
        rows[name].flags = flag;
    }
    rows["v_exp_f16"] = lanes<([](F16 a) { return F16{float(std::exp2(double(a.value)))}; })>();
    rows["v_log_f16"] = lanes<([](F16 a) { return F16{float(std::log2(double(a.value)))}; })>();
    rows["v_fract_f16"] = lanes<([](F16 a) { return F16{a.value - std::floor(a.value)}; })>();
    rows["v_ldexp_f16"] = lanes<([](F16 a, int16_t e) { return F16{scaled(a.value, e)}; })>();
    rows["v_frexp_exp_i16_f16"] = lanes<([](F16 a) { return int16_t(exponent(a.value)); })>();
    rows["v_div_fixup_f16"] =
        lanes<([](F16 q, F16 d, F16 n) { return F16{division_fixed(q.value, d.value, n.value)}; })>();
}

} // namespace

void add_vector_float(Rows& rows) {
    add_common<AsFloat>(rows, "_f16");
    add_common<Plain<float>>(rows, "_f32");
    add_common<Plain<double>>(rows, "_f64");
    add_large<float>(rows, "_f32");
    add_large<double>(rows, "_f64");
    add_halves(rows);
    rows["v_fmamk_f32"] = lanes<([](float a, float b, float c) { return std::fma(a, b, c); })>(constant_factor);
    rows["v_fmaak_f32"] = lanes<([](float a, float b, float c) { return std::fma(a, b, c); })>(constant_addend);
    rows["v_rcp_iflag_f32"] = rows["v_rcp_f32"];
    // 0 times anything is 0 there.
    rows["v_mul_legacy_f32"] = rows["v_mul_dx9_zero_f32"] =
        lanes<([](float a, float b) { return a == 0 || b == 0 ? 0.0f : a * b; })>();
    rows["v_exp_f32"] = lanes<([](float a) { return power_of_two(a); })>();
    rows["v_log_f32"] = lanes<([](float a) { return logarithm(a); })>();
    rows["v_sin_f32"] = lanes<([](float a) { return turns(a, std::sin); })>();
    rows["v_cos_f32"] = lanes<([](float a) { return turns(a, std::cos); })>();
}

} // namespace amdgpu
