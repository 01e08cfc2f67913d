#pragma once

#include <stdint.h>

/// IEEE 754 arithmetic in integers, for every rounding mode, with subnormals: for GPUs without doubles, and without
/// directed rounding. Numbers travel as their bits. NaNs are an H100's: of doubles, an operand made quiet, or else the
/// one with its sign set; of other formats, F::nan.
namespace cuttle::soft {

enum class Mode : uint32_t { rn, rm, rp, rz };

/// An interchange format. The sign is the bit above the exponent; the word may be wider.
template <class W, int fraction_bits, int exponent_bits> struct Format {
    using Word = W;
    static constexpr int fraction = fraction_bits, width = 8 * int(sizeof(W));
    static constexpr int largest = (1 << exponent_bits) - 1, bias = largest / 2; ///< of the exponent's field
    static constexpr Word hidden = Word{1} << fraction, sign = Word{1} << (fraction + exponent_bits);
    static constexpr Word infinity = Word{largest} << fraction, nan = infinity | (hidden - 1);
};
using F64 = Format<uint64_t, 52, 11>;
using F32 = Format<uint32_t, 23, 8>;
using F16 = Format<uint32_t, 10, 5>;
using BF16 = Format<uint32_t, 7, 8>;

inline int leading_zeros(uint32_t value) { return value ? __builtin_clz(value) : 32; }
inline int leading_zeros(uint64_t value) { return value ? __builtin_clzll(value) : 64; }
inline int trailing_zeros(uint32_t value) { return value ? __builtin_ctz(value) : 32; }
inline int trailing_zeros(uint64_t value) { return value ? __builtin_ctzll(value) : 64; }

/// To the right by `count` >= 0. What falls out is or-ed into the last bit. The value's first bit is not that of the
/// word.
template <class W> W shift_sticky(W value, int count) {
    constexpr int last = 8 * int(sizeof(W)) - 1;
    return value >> (count < last ? count : last) | W(value != 0 && trailing_zeros(value) < count);
}

/// Two words.
template <class W> struct Wide { W high, low; };

inline Wide<uint32_t> product_of(uint32_t a, uint32_t b) {
    const uint64_t product = uint64_t{a} * b;
    return {uint32_t(product >> 32), uint32_t(product)};
}
inline Wide<uint64_t> product_of(uint64_t a, uint64_t b) {
    const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
    return {uint64_t(product >> 64), uint64_t(product)};
}

/// The difference with `minus`; modulo the width.
template <class W> Wide<W> sum_of(Wide<W> a, Wide<W> b, bool minus) {
    const W flip = minus ? ~W{0} : W{0};
    const W part = a.low + (b.low ^ flip), low = part + W(minus);
    return {W(a.high + (b.high ^ flip) + W(part < a.low) + W(low < part)), low};
}

template <class W> Wide<W> shift_sticky(Wide<W> value, int count) {
    constexpr int width = 8 * int(sizeof(W));
    const bool far = count >= width;
    const W high = far ? 0 : value.high, low = far ? value.high | W(value.low != 0) : value.low;
    const int rest = far ? count - width : count, by = rest < width - 1 ? rest : width - 1;
    const bool lost = low != 0 && trailing_zeros(low) < rest;
    return {W(high >> by), W(low >> by | high << 1 << (width - 1 - by) | W(lost))};
}

template <class F> typename F::Word size_of(typename F::Word x) { return x & (F::sign - 1); }
template <class F> bool is_nan(typename F::Word x) { return size_of<F>(x) > F::infinity; }
template <class F> int field_of(typename F::Word x) { return int(size_of<F>(x) >> F::fraction); }

/// What becomes of these operands, of which one is NaN, or their operation is invalid.
template <class F> typename F::Word nan_of(typename F::Word a, typename F::Word b = 0, typename F::Word c = 0) {
    if (F::width != 64) return F::nan;
    constexpr typename F::Word quiet = F::hidden >> 1;
    return quiet | (is_nan<F>(b) ? b : is_nan<F>(c) ? c : is_nan<F>(a) ? a : F::sign | F::infinity);
}

/// Towards greater size.
template <class F> bool rounds_away(typename F::Word sign, Mode mode) {
    return mode == Mode::rp ? sign == 0 : mode == Mode::rm ? sign != 0 : false;
}

/// The nearest number of the format. `mantissa` is 0 or has its first bit behind the word's highest one, is exact but
/// for its last bit, which may be sticky, and counts so that `exponent` is the field of a normal number.
template <class F, class M> typename F::Word pack(typename F::Word sign, int exponent, M mantissa, Mode mode) {
    using Word = typename F::Word;
    constexpr int guard = 8 * int(sizeof(M)) - 2 - F::fraction;
    constexpr M half = M{1} << (guard - 1), rest = 2 * half - 1;
    if (exponent < 1) {
        mantissa = shift_sticky(mantissa, 1 - exponent);
        exponent = 1;
    }
    if (exponent > F::largest) exponent = F::largest;
    const bool away = rounds_away<F>(sign, mode);
    M rounded = (mantissa + (mode == Mode::rn ? half : away ? rest : 0)) >> guard;
    if (mode == Mode::rn && (mantissa & rest) == half) rounded &= ~M{1};
    // The hidden bit counts one up.
    const Word result = (Word(exponent - 1) << F::fraction) + Word(rounded);
    if (result >= F::infinity) return sign | (mode == Mode::rn || away ? F::infinity : F::infinity - 1);
    return sign | result;
}

/// A finite number, normalised: the first bit of a mantissa that is not 0 is F::hidden.
template <class F> struct Parts {
    typename F::Word mantissa;
    int exponent; ///< as a field, below 1 for subnormals
};
template <class F> Parts<F> split(typename F::Word x) {
    const int field = field_of<F>(x);
    const typename F::Word fraction = x & (F::hidden - 1);
    if (field) return {fraction | F::hidden, field};
    const int shift = leading_zeros(fraction) - (F::width - 1 - F::fraction);
    return {shift >= F::width ? 0 : typename F::Word(fraction << shift), 1 - shift};
}

/// The same, but subnormals have no first bit there, which is good enough for the greater of two factors, and for what
/// a product is added to: what is then lost is less than counts.
template <class F> Parts<F> split_as_is(typename F::Word x) {
    const int field = field_of<F>(x);
    const typename F::Word fraction = x & (F::hidden - 1);
    return {field ? fraction | F::hidden : fraction, field ? field : 1};
}

/// Exact zero of terms with these signs. IEEE 754, 6.3.
template <class F> typename F::Word zero_sum(typename F::Word a_sign, typename F::Word b_sign, Mode mode) {
    return a_sign == b_sign ? a_sign : mode == Mode::rm ? F::sign : 0;
}

template <class F> typename F::Word add(typename F::Word a, typename F::Word b, Mode mode) {
    using Word = typename F::Word;
    constexpr int guard = F::width - 3 - F::fraction;
    const bool swap = size_of<F>(a) < size_of<F>(b);
    const Word x = swap ? b : a, y = swap ? a : b, sign = x & F::sign;
    const bool unlike = (x ^ y) & F::sign;
    const int x_field = field_of<F>(x), y_field = field_of<F>(y);
    if (x_field == F::largest) {
        const bool invalid = unlike && size_of<F>(y) == F::infinity;
        return is_nan<F>(x) || invalid ? nan_of<F>(a, b) : x;
    }
    const Word large = ((x & (F::hidden - 1)) | (x_field ? F::hidden : 0)) << guard;
    const Word small = ((y & (F::hidden - 1)) | (y_field ? F::hidden : 0)) << guard;
    const int exponent = x_field ? x_field : 1;
    const Word shifted = shift_sticky(small, exponent - (y_field ? y_field : 1));
    const Word sum = unlike ? large - shifted : large + shifted;
    if (sum == 0) return zero_sum<F>(sign, y & F::sign, mode);
    const int shift = leading_zeros(sum) - 1;
    return pack<F>(sign, exponent + 1 - shift, Word(sum << shift), mode);
}

template <class F> typename F::Word subtract(typename F::Word a, typename F::Word b, Mode mode) {
    return add<F>(a, b ^ F::sign, mode);
}

template <class F> typename F::Word multiply(typename F::Word a, typename F::Word b, Mode mode) {
    using Word = typename F::Word;
    constexpr int guard = F::width - 1 - F::fraction;
    const Word sign = (a ^ b) & F::sign, x = size_of<F>(a), y = size_of<F>(b);
    if (x >= F::infinity || y >= F::infinity) {
        const bool invalid = x > F::infinity || y > F::infinity || x == 0 || y == 0;
        return invalid ? nan_of<F>(a, b) : sign | F::infinity;
    }
    if (x == 0 || y == 0) return sign;
    const Parts<F> p = split<F>(x < y ? x : y), q = split_as_is<F>(x < y ? y : x);
    const Wide<Word> product = product_of(p.mantissa << guard, q.mantissa << (guard - 1));
    Word high = product.high | Word(product.low != 0);
    const bool carried = high >> (F::width - 2);
    high <<= !carried;
    return pack<F>(sign, p.exponent + q.exponent - F::bias + carried, high, mode);
}

/// a * b + c, rounded once.
template <class F> typename F::Word fuse(typename F::Word a, typename F::Word b, typename F::Word c, Mode mode) {
    using Word = typename F::Word;
    // The terms' first bits have three bits before them, or two with a carry of the product's.
    constexpr int guard = F::width - 4 - F::fraction, factor_guard = F::width - 2 - F::fraction;
    constexpr int nothing = -8 * F::largest; ///< the exponent of zero, below all others
    const Word a_size = size_of<F>(a), b_size = size_of<F>(b), c_size = size_of<F>(c);
    const Word product_sign = (a ^ b) & F::sign, c_sign = c & F::sign;
    if (a_size >= F::infinity || b_size >= F::infinity || c_size >= F::infinity) {
        const bool infinite = a_size == F::infinity || b_size == F::infinity;
        const bool invalid = a_size > F::infinity || b_size > F::infinity || c_size > F::infinity ||
                             (infinite && (a_size == 0 || b_size == 0)) ||
                             (infinite && c_size == F::infinity && product_sign != c_sign);
        return invalid ? nan_of<F>(a, b, c) : infinite ? product_sign | F::infinity : c;
    }
    const bool a_less = a_size < b_size;
    const Parts<F> x = split<F>(a_less ? a_size : b_size), y = split_as_is<F>(a_less ? b_size : a_size),
                   z = split_as_is<F>(c_size);
    const Wide<Word> product = product_of(x.mantissa << factor_guard, y.mantissa << factor_guard);
    const Wide<Word> addend = {z.mantissa << guard, 0};
    const int product_exponent = (product.high | product.low) == 0 ? nothing : x.exponent + y.exponent - F::bias;
    const int addend_exponent = addend.high == 0 ? nothing : z.exponent;
    const bool swap = product_exponent < addend_exponent;
    const int distance = swap ? addend_exponent - product_exponent : product_exponent - addend_exponent;
    const Wide<Word> first = swap ? addend : product, second = shift_sticky(swap ? product : addend, distance);
    Wide<Word> sum = sum_of(first, second, product_sign != c_sign);
    if ((sum.high | sum.low) == 0) return zero_sum<F>(product_sign, c_sign, mode);
    const bool negated = sum.high >> (F::width - 1);
    if (negated) sum = {Word(~sum.high + (sum.low == 0)), Word(-sum.low)};
    int exponent = (swap ? addend_exponent : product_exponent) + 2;
    if (sum.high == 0) {
        sum = {Word(sum.low >> 1), Word(sum.low << (F::width - 1))};
        exponent -= F::width - 1;
    }
    const int shift = leading_zeros(sum.high) - 1;
    const Word mantissa = sum.high << shift | sum.low >> 1 >> (F::width - 1 - shift);
    const bool more = trailing_zeros(sum.low) < F::width - shift;
    const Word sign = (swap ? c_sign : product_sign) ^ (negated ? F::sign : 0);
    return pack<F>(sign, exponent - shift, mantissa | Word(more), mode);
}

/// A quotient's or root's first bits and whether there are more, as pack wants them.
template <class F> typename F::Word with_rest(typename F::Word bits, bool inexact) {
    return bits << (F::width - 4 - F::fraction) | typename F::Word(inexact);
}

/// 2^63 / divisor, of which it has 29 bits at least. The divisor's first bit is set.
inline uint32_t reciprocal(uint32_t divisor) {
    const auto high_product = [](uint32_t a, uint32_t b) { return uint32_t(uint64_t{a} * b >> 32); };
    // 48/17 - 32/17 x is 1/x to within 1/17 between 1/2 and 1; each of Newton's steps, all from below, doubles the
    // bits.
    uint32_t inverse = 1768707734u - high_product(divisor, 4042322160u);
    for (int i = 0; i < 3; ++i) inverse = uint32_t(uint64_t{inverse} * ~high_product(inverse, divisor) >> 31);
    return inverse;
}

/// The highest 32 bits of a mantissa, or of a rest, which is less.
template <class F> uint32_t top_bits(typename F::Word mantissa) {
    return uint32_t(uint64_t{mantissa} << (63 - F::fraction) >> 32);
}

template <class F> typename F::Word divide(typename F::Word a, typename F::Word b, Mode mode) {
    using Word = typename F::Word;
    const Word sign = (a ^ b) & F::sign, x = size_of<F>(a), y = size_of<F>(b);
    if (x >= F::infinity || y >= F::infinity || x == 0 || y == 0) {
        const bool invalid = x > F::infinity || y > F::infinity || (x == y && (x == 0 || x == F::infinity));
        return invalid ? nan_of<F>(a, b) : sign | (x == F::infinity || y == 0 ? F::infinity : 0);
    }
    const Parts<F> p = split<F>(x), q = split<F>(y);
    const bool less = p.mantissa < q.mantissa;
    Word rest = Word(p.mantissa << less) - q.mantissa, quotient = 1;
    const uint32_t inverse = reciprocal(top_bits<F>(q.mantissa));
    constexpr int digits = F::width == 64 ? 2 : 1, digit = (F::fraction + 2) / digits;
    for (int i = 0; i < digits; ++i) {
        // One more or less than it should be at most: `inverse` makes it err by 1/4, what top_bits leaves out by 1/16
        // each.
        Word next = Word(uint64_t{top_bits<F>(rest)} * inverse >> (63 - digit));
        rest = Word(rest << digit) - next * q.mantissa;
        if (rest >> (F::width - 1)) {
            rest += q.mantissa;
            --next;
        } else if (rest >= q.mantissa) {
            rest -= q.mantissa;
            ++next;
        }
        quotient = Word(quotient << digit) + next;
    }
    return pack<F>(sign, p.exponent - q.exponent + F::bias - less, with_rest<F>(quotient, rest != 0), mode);
}

template <class F> typename F::Word root(typename F::Word a, Mode mode) {
    using Word = typename F::Word;
    if (size_of<F>(a) == 0) return a;
    if (a >= F::infinity) return a == F::infinity ? a : nan_of<F>(a);
    const Parts<F> p = split<F>(a);
    const int power = p.exponent - F::bias, odd = power & 1;
    Word digits = p.mantissa << (F::width - 2 - F::fraction + odd), rest = 0, root = 0;
#pragma clang loop unroll(disable)
    for (int i = 0; i < F::fraction + 3; ++i) {
        rest = rest << 2 | digits >> (F::width - 2);
        digits <<= 2;
        const Word trial = root << 2 | 1;
        const bool one = rest >= trial;
        if (one) rest -= trial;
        root = root << 1 | Word(one);
    }
    return pack<F>(0, (power - odd) / 2 + F::bias, with_rest<F>(root, rest != 0), mode);
}

/// To a whole number.
template <class F> typename F::Word round_whole(typename F::Word x, Mode mode) {
    using Word = typename F::Word;
    const int field = field_of<F>(x);
    const Word sign = x & F::sign;
    if (is_nan<F>(x)) return nan_of<F>(x);
    if (field >= F::bias + F::fraction) return x;
    const bool away = rounds_away<F>(sign, mode);
    if (field < F::bias) {
        const bool one = mode == Mode::rn ? size_of<F>(x) > (Word{F::bias - 1} << F::fraction) : away && size_of<F>(x);
        return sign | (one ? Word{F::bias} << F::fraction : 0);
    }
    const Word unit = Word{1} << (F::bias + F::fraction - field), rest = unit - 1;
    // A carry makes the next exponent.
    const Word up = mode == Mode::rn ? rest / 2 + ((x & unit) != 0) : away ? rest : 0;
    return (x + up) & ~rest;
}

/// Into another format. A wider one has the number itself.
template <class From, class To> typename To::Word convert(typename From::Word x, Mode mode) {
    const typename To::Word sign = x & From::sign ? To::sign : 0;
    const typename From::Word size = size_of<From>(x);
    if (size >= From::infinity) {
        const auto fraction = typename To::Word(typename To::Word(size & (From::hidden - 1))
                                                << (To::fraction > From::fraction ? To::fraction - From::fraction : 0));
        if (size == From::infinity) return sign | To::infinity;
        return nan_of<To>(sign | To::infinity | fraction);
    }
    if (size == 0) return sign;
    const Parts<From> p = split<From>(size);
    const uint64_t mantissa = uint64_t{p.mantissa} << (62 - From::fraction);
    return pack<To>(sign, p.exponent - From::bias + To::bias, mantissa, mode);
}

template <class F> typename F::Word from_unsigned(uint64_t value, typename F::Word sign, Mode mode) {
    if (value == 0) return 0;
    const int zeros = leading_zeros(value);
    const uint64_t mantissa = zeros ? value << (zeros - 1) : shift_sticky(value, 1);
    return pack<F>(sign, F::bias + 63 - zeros, mantissa, mode);
}
template <class F> typename F::Word from_signed(int64_t value, Mode mode) {
    return value < 0 ? from_unsigned<F>(-uint64_t(value), F::sign, mode) : from_unsigned<F>(uint64_t(value), 0, mode);
}

/// Towards zero; `most` if it is more, and 0 for NaN. Without the sign.
template <class F> uint64_t whole_size(typename F::Word x, uint64_t most) {
    const int power = field_of<F>(x) - F::bias;
    if (is_nan<F>(x) || power < 0) return 0;
    if (power > 63) return most;
    const uint64_t first = uint64_t((x & (F::hidden - 1)) | F::hidden) << (63 - F::fraction);
    const uint64_t value = first >> (63 - power);
    return value < most ? value : most;
}
/// Saturating, as llvm.fptosi.sat and llvm.fptoui.sat.
template <class F> int64_t to_signed(typename F::Word x) {
    const bool negative = x & F::sign;
    const uint64_t size = whole_size<F>(x, uint64_t(INT64_MAX) + negative);
    return int64_t(negative ? -size : size);
}
template <class F> uint64_t to_unsigned(typename F::Word x) { return x & F::sign ? 0 : whole_size<F>(x, UINT64_MAX); }

/// One of these is set.
enum Order : uint32_t { equal = 1, greater = 2, less = 4, unordered = 8 };
template <class F> uint32_t compare(typename F::Word a, typename F::Word b) {
    const bool differ = a != b && size_of<F>(a | b) != 0;
    const bool both_negative = a & b & F::sign;
    // As numbers with a sign, of which negative ones count the other way.
    const bool below = (a ^ b) & F::sign ? (a & F::sign) != 0 : (a < b) != both_negative;
    return is_nan<F>(a) || is_nan<F>(b) ? unordered : !differ ? equal : below ? less : greater;
}

/// IEEE 754-2019's minimum and maximum, or minimumNumber and maximumNumber.
template <class F>
typename F::Word extreme(typename F::Word a, typename F::Word b, bool greatest, bool prefers_numbers) {
    const bool a_nan = is_nan<F>(a), b_nan = is_nan<F>(b);
    if (a_nan || b_nan) return !prefers_numbers || (a_nan && b_nan) ? nan_of<F>(a, b) : a_nan ? b : a;
    const bool below = (a ^ b) & F::sign ? (a & F::sign) != 0 : (a < b) != ((a & F::sign) != 0);
    return below != greatest ? a : b;
}

} // namespace cuttle::soft
