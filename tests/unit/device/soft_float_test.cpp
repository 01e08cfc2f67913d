// device_library/soft_float.h against the processor that runs the test, under all rounding modes.
#include "soft_float.h"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cfenv>
#include <cmath>
#include <cstdint>
#include <random>

namespace {

using namespace cuttle::soft;

struct Row {
    Mode mode;
    int host;
    const char* name;
};
constexpr Row modes[] = {{Mode::rn, FE_TONEAREST, "rn"},
                         {Mode::rm, FE_DOWNWARD, "rm"},
                         {Mode::rp, FE_UPWARD, "rp"},
                         {Mode::rz, FE_TOWARDZERO, "rz"}};

template <class T> struct Number;
template <> struct Number<double> { using Format = F64; };
template <> struct Number<float> { using Format = F32; };
template <class T> using FormatOf = typename Number<T>::Format;
template <class T> using Bits = typename FormatOf<T>::Word;

template <class T> Bits<T> bits(T value) { return std::bit_cast<Bits<T>>(value); }
template <class T> T number(Bits<T> value) { return std::bit_cast<T>(value); }
template <class T> bool same(Bits<T> a, Bits<T> b) {
    return a == b || (std::isnan(number<T>(a)) && std::isnan(number<T>(b)));
}

/// Bit patterns of every kind: any, edges with a few bits changed, exponents near those of others, short mantissas.
template <class T> class Patterns {
  public:
    Bits<T> next() {
        using F = FormatOf<T>;
        using Word = Bits<T>;
        const uint64_t choice = random_();
        const Word any = Word(random_());
        switch (choice % 8) {
        case 0:
            return any;
        case 1: // edges
            return (edges()[choice / 8 % 8] + Word(choice / 64 % 5) - 2) ^ (any & F::sign);
        case 2: // short mantissas
            return any & ~((F::hidden - 1) >> (choice / 8 % unsigned(F::fraction)));
        case 3: // runs of ones
            return any | ((F::hidden - 1) >> (choice / 8 % unsigned(F::fraction)));
        case 4: // subnormal, or nearly
            return any & (F::sign | (2 * F::hidden - 1));
        default: // near the last one
            last_ = near(any, choice);
            return last_;
        }
    }

  private:
    static const std::array<Bits<T>, 8>& edges() {
        using F = FormatOf<T>;
        static const std::array<Bits<T>, 8> all = {2,
                                                   F::hidden,
                                                   F::infinity - 4,
                                                   F::infinity,
                                                   Bits<T>(F::bias) << F::fraction,
                                                   Bits<T>(F::bias + F::fraction) << F::fraction,
                                                   Bits<T>(F::bias - 1) << F::fraction,
                                                   Bits<T>(F::bias + 63) << F::fraction};
        return all;
    }
    Bits<T> near(Bits<T> any, uint64_t choice) {
        using F = FormatOf<T>;
        const int distance = int(choice / 8 % unsigned(4 * F::fraction)) - 2 * F::fraction;
        int field = field_of<F>(choice >> 60 ? last_ : Bits<T>(F::bias) << F::fraction) + distance;
        field = field < 0 ? 0 : field > F::largest ? F::largest : field;
        const Bits<T> fraction = choice >> 58 & 1 ? last_ : any;
        return (any & F::sign) | Bits<T>(field) << F::fraction | (fraction & (F::hidden - 1));
    }

    std::mt19937_64 random_{42};
    Bits<T> last_ = 0;
};

template <class T> class SoftFloat : public testing::Test {
  protected:
    static constexpr int rounds = 400'000;
    Patterns<T> patterns;
    ~SoftFloat() override { std::fesetround(FE_TONEAREST); }

    /// `ours(mode, a, b, c)` and `host(a, b, c)`, in each mode.
    template <class Ours, class Host> void compare_all(Ours ours, Host host) {
        int wrong = 0;
        for (const Row& row : modes) {
            std::fesetround(row.host);
            for (int i = 0; i < rounds && wrong < 10; i++) {
                const Bits<T> a = patterns.next(), b = patterns.next(), c = patterns.next();
                volatile T x = number<T>(a), y = number<T>(b), z = number<T>(c);
                const volatile T expected = host(x, y, z);
                const Bits<T> got = ours(row.mode, a, b, c);
                if (same<T>(got, bits<T>(expected))) continue;
                ADD_FAILURE() << row.name << std::hex << " of " << a << " " << b << " " << c << ": " << got << ", not "
                              << bits<T>(expected);
                wrong++;
            }
        }
    }
};
using Types = testing::Types<float, double>;
TYPED_TEST_SUITE(SoftFloat, Types);

TYPED_TEST(SoftFloat, Adds) {
    using T = TypeParam;
    this->compare_all([](Mode mode, auto a, auto b, auto) { return add<FormatOf<T>>(a, b, mode); },
                      [](T a, T b, T) { return a + b; });
}
TYPED_TEST(SoftFloat, Subtracts) {
    using T = TypeParam;
    this->compare_all([](Mode mode, auto a, auto b, auto) { return subtract<FormatOf<T>>(a, b, mode); },
                      [](T a, T b, T) { return a - b; });
}
TYPED_TEST(SoftFloat, Multiplies) {
    using T = TypeParam;
    this->compare_all([](Mode mode, auto a, auto b, auto) { return multiply<FormatOf<T>>(a, b, mode); },
                      [](T a, T b, T) { return a * b; });
}
TYPED_TEST(SoftFloat, Fuses) {
    using T = TypeParam;
    this->compare_all([](Mode mode, auto a, auto b, auto c) { return fuse<FormatOf<T>>(a, b, c, mode); },
                      [](T a, T b, T c) { return std::fma(a, b, c); });
}
/// Sums that cancel but for the last bits: c is near -a * b.
TYPED_TEST(SoftFloat, FusesWhatCancels) {
    using T = TypeParam;
    using F = FormatOf<T>;
    const auto beside = [](Bits<T> a, Bits<T> b, Bits<T> c) {
        return Bits<T>((multiply<F>(a, b, Mode::rn) ^ F::sign) + c % 5 - 2);
    };
    this->compare_all([&](Mode mode, auto a, auto b, auto c) { return fuse<F>(a, b, beside(a, b, c), mode); },
                      [&](T a, T b, T c) { return std::fma(a, b, number<T>(beside(bits(a), bits(b), bits(c)))); });
}
TYPED_TEST(SoftFloat, Divides) {
    using T = TypeParam;
    this->compare_all([](Mode mode, auto a, auto b, auto) { return divide<FormatOf<T>>(a, b, mode); },
                      [](T a, T b, T) { return a / b; });
}
TYPED_TEST(SoftFloat, TakesRoots) {
    using T = TypeParam;
    this->compare_all([](Mode mode, auto a, auto, auto) { return root<FormatOf<T>>(a, mode); },
                      [](T a, T, T) { return std::sqrt(a); });
}
TYPED_TEST(SoftFloat, RoundsToWholeNumbers) {
    using T = TypeParam;
    this->compare_all([](Mode mode, auto a, auto, auto) { return round_whole<FormatOf<T>>(a, mode); },
                      [](T a, T, T) { return std::nearbyint(a); });
}
TYPED_TEST(SoftFloat, ConvertsIntegers) {
    using T = TypeParam;
    using F = FormatOf<T>;
    std::mt19937_64 random(7);
    for (const Row& row : modes) {
        std::fesetround(row.host);
        for (int i = 0; i < this->rounds; i++) {
            const uint64_t choice = random();
            volatile uint64_t value = random() >> choice % 64 << choice / 64 % 64;
            const auto as_signed = int64_t(value);
            volatile int64_t copy = as_signed;
            ASSERT_EQ(from_unsigned<F>(value, 0, row.mode), bits<T>(T(value))) << row.name << " " << value;
            ASSERT_EQ(from_signed<F>(as_signed, row.mode), bits<T>(T(copy))) << row.name << " " << as_signed;
        }
    }
}
TYPED_TEST(SoftFloat, ConvertsToIntegers) {
    using T = TypeParam;
    using F = FormatOf<T>;
    for (int i = 0; i < this->rounds; i++) {
        const Bits<T> a = this->patterns.next();
        const T x = number<T>(a);
        const int64_t as_signed = std::isnan(x)    ? 0
                                  : x >= T(0x1p63) ? INT64_MAX
                                  : x < T(-0x1p63) ? INT64_MIN
                                                   : int64_t(x);
        const uint64_t as_unsigned = std::isnan(x) || x <= 0 ? 0 : x >= T(0x1p64) ? UINT64_MAX : uint64_t(x);
        ASSERT_EQ(to_signed<F>(a), as_signed) << x;
        ASSERT_EQ(to_unsigned<F>(a), as_unsigned) << x;
    }
}
TYPED_TEST(SoftFloat, Compares) {
    using T = TypeParam;
    using F = FormatOf<T>;
    for (int i = 0; i < this->rounds; i++) {
        const Bits<T> a = this->patterns.next(), b = i % 8 ? this->patterns.next() : i % 16 ? a : a ^ F::sign;
        const T x = number<T>(a), y = number<T>(b);
        const uint32_t expected = x == y ? equal : x < y ? less : x > y ? greater : unordered;
        ASSERT_EQ(cuttle::soft::compare<F>(a, b), expected) << x << " " << y;
        for (const bool greatest : {false, true}) {
            // Not std::fmin, for which a signalling NaN is no missing number.
            const bool takes_a = std::isnan(y) || (!std::isnan(x) && (greatest ? x > y : x < y));
            Bits<T> wanted = takes_a ? a : b;
            if (std::isnan(y) && std::isnan(x)) wanted = F::nan;
            if (x == 0 && y == 0) wanted = greatest ? a & b : a | b;
            ASSERT_TRUE(same<T>(extreme<F>(a, b, greatest, true), wanted)) << x << " " << y;
            if (expected == unordered) wanted = F::nan;
            ASSERT_TRUE(same<T>(extreme<F>(a, b, greatest, false), wanted)) << x << " " << y;
        }
    }
}

TEST(SoftFloats, AreConverted) {
    Patterns<double> doubles;
    Patterns<float> floats;
    for (const Row& row : modes) {
        std::fesetround(row.host);
        for (int i = 0; i < 1'000'000; i++) {
            const uint64_t a = doubles.next();
            volatile double x = number<double>(a);
            const volatile float narrow = float(x);
            ASSERT_TRUE(same<float>(convert<F64, F32>(a, row.mode), bits<float>(narrow))) << row.name << " " << x;
            const uint32_t b = floats.next();
            ASSERT_TRUE(same<double>(convert<F32, F64>(b, row.mode), bits<double>(number<float>(b))))
                << number<float>(b);
        }
    }
    std::fesetround(FE_TONEAREST);
}

/// All 65536 of each, by way of what is known to be right: a double's product with a power of two.
template <class F> void small_format() {
    for (uint32_t a = 0; a < 0x10000; a++) {
        const uint64_t wide = convert<F, F64>(a, Mode::rn);
        const auto x = number<double>(wide);
        const int field = field_of<F>(a);
        if (is_nan<F>(a)) {
            ASSERT_TRUE(std::isnan(x)) << a;
            continue;
        }
        const double fraction = double(a & (F::hidden - 1)) / F::hidden;
        const double size = field == F::largest ? INFINITY
                            : field == 0        ? std::ldexp(fraction, 1 - F::bias)
                                                : std::ldexp(1 + fraction, field - F::bias);
        ASSERT_EQ(wide, bits<double>(a & F::sign ? -size : size)) << a;
        ASSERT_EQ((convert<F64, F>(wide, Mode::rn)), a);
        if (size_of<F>(a) >= F::infinity - 1) continue;
        // Halfway to the next, and on either side of it.
        const double middle = (x + number<double>(convert<F, F64>(a + 1, Mode::rn))) / 2;
        const uint64_t half = bits<double>(middle);
        ASSERT_EQ((convert<F64, F>(half, Mode::rn)), a + (a & 1)) << a;
        ASSERT_EQ((convert<F64, F>(half - 1, Mode::rn)), a) << a;
        ASSERT_EQ((convert<F64, F>(half + 1, Mode::rn)), a + 1) << a;
        ASSERT_EQ((convert<F64, F>(half, Mode::rz)), a) << a;
        ASSERT_EQ((convert<F64, F>(half, Mode::rp)), a & F::sign ? a : a + 1) << a;
        ASSERT_EQ((convert<F64, F>(half, Mode::rm)), a & F::sign ? a + 1 : a) << a;
    }
}
/// tests/oracle, fma_rn_f64 and others.
TEST(SoftFloats, GiveTheNaNsOfAnH100) {
    constexpr uint64_t one = 0x3ff0000000000000, infinity = F64::infinity, signalling = 0x7ff0000000000001,
                       quiet = 0x7ff8000000000000, invalid = 0xfff8000000000000;
    EXPECT_EQ(add<F64>(signalling, one, Mode::rn), signalling | quiet);
    EXPECT_EQ(add<F64>(one, signalling, Mode::rn), signalling | quiet);
    EXPECT_EQ(multiply<F64>(infinity, 0, Mode::rn), invalid);
    EXPECT_EQ(divide<F64>(0, 0, Mode::rm), invalid);
    EXPECT_EQ(root<F64>(one | F64::sign, Mode::rn), invalid);
    EXPECT_EQ(fuse<F64>(quiet, signalling, one, Mode::rn), signalling | quiet);
    EXPECT_EQ(fuse<F64>(quiet, one, signalling, Mode::rn), signalling | quiet);
    EXPECT_EQ(fuse<F64>(one, signalling, quiet, Mode::rn), signalling | quiet);
    EXPECT_EQ((convert<F32, F64>(0x7fa00001, Mode::rn)), 0x7ffc000020000000u);
    EXPECT_EQ(add<F32>(F32::infinity, F32::infinity | F32::sign, Mode::rn), 0x7fffffffu);
}

TEST(SoftFloats, HaveHalves) { small_format<F16>(); }
TEST(SoftFloats, HaveBfloats) { small_format<BF16>(); }

} // namespace
