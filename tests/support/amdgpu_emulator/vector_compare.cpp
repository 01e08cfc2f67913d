// VOPC: RDNA3 ISA 16.9. Results are bits of a scalar register, those of v_cmpx are the new EXEC.
#include "floats.h"
#include "lanes.h"
#include "program.h"

namespace amdgpu {

namespace {

template <auto f> void compare_to_exec(Wave& wave, const Instruction& in) {
    Instruction to_exec = in;
    to_exec.scalar_destination.code = code::exec;
    vector<f>(wave, to_exec);
    // GCN writes the mask to the destination, too.
    if (wave.program.processor().gfx9) wave.write_mask(in.scalar_destination.code, wave.exec());
}

template <auto f> void add_both(Rows& rows, const std::string& what) {
    Row row = lanes<f>(scalar_result);
    rows["v_cmp_" + what] = row;
    row.execute = compare_to_exec<f>;
    rows["v_cmpx_" + what] = row;
}

template <class T> void add_ordering(Rows& rows, const std::string& suffix) {
    const auto plain = [](T a) {
        if constexpr (std::is_same_v<T, F16>)
            return a.value;
        else
            return a;
    };
    add_both<([](T a, T b) { return decltype(plain)()(a) < decltype(plain)()(b); })>(rows, "lt" + suffix);
    add_both<([](T a, T b) { return decltype(plain)()(a) == decltype(plain)()(b); })>(rows, "eq" + suffix);
    add_both<([](T a, T b) { return decltype(plain)()(a) <= decltype(plain)()(b); })>(rows, "le" + suffix);
    add_both<([](T a, T b) { return decltype(plain)()(a) > decltype(plain)()(b); })>(rows, "gt" + suffix);
    add_both<([](T a, T b) { return decltype(plain)()(a) >= decltype(plain)()(b); })>(rows, "ge" + suffix);
    add_both<([](T, T) { return false; })>(rows, "f" + suffix);
    add_both<([](T, T) { return true; })>(rows, (is_float<T> ? "tru" : "t") + suffix);
    if constexpr (!is_float<T>) {
        add_both<([](T a, T b) { return a != b; })>(rows, "ne" + suffix);
    } else {
        add_both<([](T a, T b) {
            const auto x = decltype(plain)()(a), y = decltype(plain)()(b);
            return x < y || x > y;
        })>(rows, "lg" + suffix);
        add_both<([](T a, T b) {
            const auto x = decltype(plain)()(a), y = decltype(plain)()(b);
            return x == x && y == y;
        })>(rows, "o" + suffix);
        add_both<([](T a, T b) {
            const auto x = decltype(plain)()(a), y = decltype(plain)()(b);
            return x != x || y != y;
        })>(rows, "u" + suffix);
        add_both<([](T a, T b) { return !(decltype(plain)()(a) >= decltype(plain)()(b)); })>(rows, "nge" + suffix);
        add_both<([](T a, T b) {
            const auto x = decltype(plain)()(a), y = decltype(plain)()(b);
            return !(x < y || x > y);
        })>(rows, "nlg" + suffix);
        add_both<([](T a, T b) { return !(decltype(plain)()(a) > decltype(plain)()(b)); })>(rows, "ngt" + suffix);
        add_both<([](T a, T b) { return !(decltype(plain)()(a) <= decltype(plain)()(b)); })>(rows, "nle" + suffix);
        add_both<([](T a, T b) { return !(decltype(plain)()(a) == decltype(plain)()(b)); })>(rows, "neq" + suffix);
        add_both<([](T a, T b) { return !(decltype(plain)()(a) < decltype(plain)()(b)); })>(rows, "nlt" + suffix);
    }
}

/// Bit of the class: 0 signaling, 1 quiet NaN, 2 -inf, 3 -normal, 4 -subnormal, 5 -0, 6 +0, 7 +subnormal, 8 +normal,
/// 9 +inf.
unsigned class_of(bool negative, bool zero, bool subnormal, bool infinite, bool nan, bool quiet) {
    if (nan) return quiet ? 1 : 0;
    if (infinite) return negative ? 2 : 9;
    if (zero) return negative ? 5 : 6;
    if (subnormal) return negative ? 4 : 7;
    return negative ? 3 : 8;
}
template <class T> bool has_class(T x, uint32_t classes) {
    const int exponent = exponent_field(x);
    const auto fraction = bits_of(x) << (8 * sizeof(T) - mantissa_bits<T>);
    const bool top = exponent == exponent_limit<T>;
    return classes >> class_of(sign_of(x), exponent == 0 && fraction == 0, exponent == 0, top && fraction == 0,
                               top && fraction != 0, !is_signaling(x)) &
           1;
}
bool half_has_class(uint16_t x, uint32_t classes) {
    const unsigned exponent = x >> 10 & 31, fraction = x & 0x3ff;
    return classes >> class_of(x >> 15, exponent == 0 && fraction == 0, exponent == 0, exponent == 31 && fraction == 0,
                               exponent == 31 && fraction != 0, fraction >> 9) &
           1;
}

} // namespace

void add_vector_compare(Rows& rows) {
    add_ordering<uint16_t>(rows, "_u16");
    add_ordering<int16_t>(rows, "_i16");
    add_ordering<uint32_t>(rows, "_u32");
    add_ordering<int32_t>(rows, "_i32");
    add_ordering<uint64_t>(rows, "_u64");
    add_ordering<int64_t>(rows, "_i64");
    add_ordering<F16>(rows, "_f16");
    add_ordering<float>(rows, "_f32");
    add_ordering<double>(rows, "_f64");
    add_both<([](float a, uint32_t b) { return has_class(a, b); })>(rows, "class_f32");
    add_both<([](double a, uint32_t b) { return has_class(a, b); })>(rows, "class_f64");
    add_both<([](uint16_t a, uint32_t b) { return half_has_class(a, b); })>(rows, "class_f16");
}

} // namespace amdgpu
