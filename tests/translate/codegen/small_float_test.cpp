#include "fixture.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

using namespace codegen_test;

// Half and bfloat16 where the processor has little or nothing of them, against conversions written out here.
namespace {

/// A 16-bit format: exponent and fraction bits.
struct Format {
    int exponent_bits, fraction_bits;
    int bias() const { return (1 << (exponent_bits - 1)) - 1; }
};
constexpr Format half{5, 10}, bfloat{8, 7};

long double value_of(uint16_t bits, Format format) {
    const int exponent = bits >> format.fraction_bits & ((1 << format.exponent_bits) - 1);
    const int fraction = bits & ((1 << format.fraction_bits) - 1);
    long double value;
    if (exponent == (1 << format.exponent_bits) - 1)
        value = fraction ? NAN : INFINITY;
    else if (exponent == 0)
        value = std::ldexp(static_cast<long double>(fraction), 1 - format.bias() - format.fraction_bits);
    else
        value = std::ldexp(static_cast<long double>(fraction + (1 << format.fraction_bits)),
                           exponent - format.bias() - format.fraction_bits);
    return bits >> 15 ? -value : value;
}

/// Nearest, ties to even, by searching the magnitudes in order.
uint16_t round_to(long double value, Format format) {
    const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
    const uint16_t infinity = static_cast<uint16_t>(((1 << format.exponent_bits) - 1) << format.fraction_bits);
    if (std::isnan(value)) return sign | infinity | 1;
    const long double magnitude = std::fabs(value);
    uint16_t low = 0, high = infinity;
    while (high - low > 1) {
        const uint16_t middle = static_cast<uint16_t>((low + high) / 2);
        (value_of(middle, format) <= magnitude ? low : high) = middle;
    }
    if (std::isinf(magnitude)) return sign | infinity;
    const long double below = value_of(low, format);
    // Beyond the largest number, as if the exponent went on.
    const long double above = high == infinity ? std::ldexp(1.0L, format.bias() + 1) : value_of(high, format);
    const long double middle = (below + above) / 2;
    if (magnitude < middle || (magnitude == middle && low % 2 == 0)) return sign | low;
    return sign | high;
}

bool is_nan(uint16_t bits, Format format) { return std::isnan(value_of(bits, format)); }

/// out[i] = f(in[i]) for i = tid.x + ntid.x * ctaid.x.
std::string unary_kernel(const char* in, int in_bytes, const char* out, int out_bytes, const char* body) {
    return std::string("define void @k() #1 {\n") + R"(
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %q = getelementptr i8, ptr addrspace(4) %p, i64 8
  %in = load i64, ptr addrspace(4) %p
  %out = load i64, ptr addrspace(4) %q
  %t = call i32 @cuttle.sreg.tid.x()
  %n = call i32 @cuttle.sreg.ntid.x()
  %cta = call i32 @cuttle.sreg.ctaid.x()
  %cn = mul i32 %cta, %n
  %i = add i32 %cn, %t
  %w = zext i32 %i to i64
  %wi = mul i64 %w, )" +
           std::to_string(in_bytes) + R"(
  %wo = mul i64 %w, )" +
           std::to_string(out_bytes) + R"(
  %ia = add i64 %in, %wi
  %oa = add i64 %out, %wo
  %ip = inttoptr i64 %ia to ptr addrspace(1)
  %op = inttoptr i64 %oa to ptr addrspace(1)
  %x = load )" +
           in + ", ptr addrspace(1) %ip\n" + body + "\n  store " + out + R"( %r, ptr addrspace(1) %op
  ret void
})";
}

template <class In, class Out> std::vector<Out> map(const Code& code, const std::vector<In>& in) {
    const uint32_t threads = 256;
    std::vector<Out> out(in.size());
    Surroundings around;
    around.grid.block_dim[0] = threads;
    around.set_parameters(in.data(), out.data());
    for (uint32_t block = 0; block < in.size() / threads; ++block) {
        around.lane.block[0] = block;
        code.run_block("k", around.lane);
    }
    return out;
}

template <class T, class Bits> std::vector<T> wide_values() {
    std::mt19937_64 random(11);
    std::vector<T> values;
    while (values.size() < 65536) {
        const uint16_t bits = static_cast<uint16_t>(random());
        const Format format = random() % 2 ? half : bfloat;
        T value;
        if (random() % 4 == 0) {
            const Bits any = static_cast<Bits>(random());
            std::memcpy(&value, &any, sizeof value);
        } else { // on, half way between, and a little beside numbers of the format
            value = static_cast<T>((value_of(bits, format) + value_of(static_cast<uint16_t>(bits + 1), format)) / 2);
            if (random() % 3 == 0) value = std::nextafter(value, T(0));
            if (random() % 3 == 0) value = std::nextafter(value, T(1e30));
        }
        values.push_back(value);
    }
    return values;
}

template <class T, class Bits> void check_narrowing(const char* type, const char* target) {
    const std::vector<T> in = wide_values<T, Bits>();
    for (const auto& [name, format] : {std::pair{"half", half}, std::pair{"bfloat", bfloat}}) {
        const std::string body = std::string("  %r = fptrunc ") + type + " %x to " + name;
        const Code code(unary_kernel(type, sizeof(T), name, 2, body.c_str()), ptx::Target::parse(target));
        const std::vector<uint16_t> out = map<T, uint16_t>(code, in);
        int wrong = 0;
        for (size_t i = 0; i < in.size(); ++i) {
            const uint16_t right = round_to(in[i], format);
            if (is_nan(right, format) ? is_nan(out[i], format) : right == out[i]) continue;
            if (++wrong <= 3)
                ADD_FAILURE() << type << " to " << name << std::hexfloat << ": " << in[i] << std::hex << " gives "
                              << out[i] << ", not " << right;
        }
        EXPECT_EQ(wrong, 0) << type << " to " << name;
    }
}

class SmallFloat : public testing::TestWithParam<const char*> {};

TEST_P(SmallFloat, FromFloat) { check_narrowing<float, uint32_t>("float", GetParam()); }
TEST_P(SmallFloat, FromDouble) { check_narrowing<double, uint64_t>("double", GetParam()); }

TEST_P(SmallFloat, ToFloatAndDouble) {
    std::vector<uint16_t> in(65536);
    for (size_t i = 0; i < in.size(); ++i) in[i] = static_cast<uint16_t>(i);
    for (const auto& [name, format] : {std::pair{"half", half}, std::pair{"bfloat", bfloat}}) {
        const std::string to_float = std::string("  %r = fpext ") + name + " %x to float";
        const std::string to_double = std::string("  %r = fpext ") + name + " %x to double";
        const ptx::Target target = ptx::Target::parse(GetParam());
        const auto floats = map<uint16_t, float>(Code(unary_kernel(name, 2, "float", 4, to_float.c_str()), target), in);
        const auto doubles =
            map<uint16_t, double>(Code(unary_kernel(name, 2, "double", 8, to_double.c_str()), target), in);
        for (size_t i = 0; i < in.size(); ++i) {
            const long double right = value_of(in[i], format);
            if (std::isnan(right)) {
                EXPECT_TRUE(std::isnan(floats[i]) && std::isnan(doubles[i])) << i;
            } else {
                EXPECT_EQ(floats[i], right) << name << " " << i;
                EXPECT_EQ(doubles[i], right) << name << " " << i;
            }
        }
    }
}

/// Exact product and sum in 64-bit long double wherever that is exact, so that the last rounding is the only one.
TEST_P(SmallFloat, ArithmeticRoundsOnce) {
    std::mt19937_64 random(5);
    std::vector<std::array<uint16_t, 4>> in(65536);
    for (auto& row : in)
        for (uint16_t& bits : row) bits = static_cast<uint16_t>(random());
    for (const auto& [name, format] : {std::pair{"half", half}, std::pair{"bfloat", bfloat}}) {
        const std::string t = name, v = "<4 x " + t + ">";
        const std::string body =
            "  %a = extractelement " + v + " %x, i32 0\n  %b = extractelement " + v +
            " %x, i32 1\n  %c = extractelement " + v + " %x, i32 2\n  %s = fadd " + t + " %a, %b\n  %m = fmul " + t +
            " %a, %b\n  %f = call " + t + " @llvm.fma." + (t == "half" ? "f16" : "bf16") + "(" + t + " %a, " + t +
            " %b, " + t + " %c)\n  %r0 = insertelement " + v + " poison, " + t + " %s, i32 0\n  %r1 = insertelement " +
            v + " %r0, " + t + " %m, i32 1\n  %r2 = insertelement " + v + " %r1, " + t +
            " %f, i32 2\n  %r = insertelement " + v + " %r2, " + t + " %a, i32 3";
        const Code code(unary_kernel(v.c_str(), 8, v.c_str(), 8, body.c_str()), ptx::Target::parse(GetParam()));
        const auto out = map<std::array<uint16_t, 4>, std::array<uint16_t, 4>>(code, in);
        int checked = 0, wrong = 0;
        for (size_t i = 0; i < in.size(); ++i) {
            const long double a = value_of(in[i][0], format), b = value_of(in[i][1], format),
                              c = value_of(in[i][2], format);
            const long double product = a * b, sum = product + c;
            auto expect = [&](long double right, uint16_t got, const char* what) {
                const uint16_t bits = round_to(right, format);
                ++checked;
                if (is_nan(bits, format) ? is_nan(got, format) : bits == got) return;
                if (++wrong <= 3)
                    ADD_FAILURE() << name << " " << what << " of row " << i << ": " << got << ", not " << bits;
            };
            auto exact = [](long double x, long double y, long double total) {
                return !std::isfinite(total) || (total - x == y && total - y == x);
            };
            if (exact(a, b, a + b)) expect(a + b, out[i][0], "sum");
            expect(product, out[i][1], "product");
            if (exact(product, c, sum)) expect(sum, out[i][2], "fma");
        }
        EXPECT_EQ(wrong, 0) << name;
        EXPECT_GT(checked, 100000) << name;
    }
}

/// The case that two roundings get wrong: a product half way between two numbers, and an addend too small to see.
TEST_P(SmallFloat, FmaSeesTheSmallestAddend) {
    // bfloat: (1 + 2^-7)(1 + 2^-7)... a * b = 1.5 * (1 + 2^-7) = 1.51171875, half way; c = +-2^-126.
    const Code code(unary_kernel("<4 x bfloat>", 8, "bfloat", 2, R"(
  %a = extractelement <4 x bfloat> %x, i32 0
  %b = extractelement <4 x bfloat> %x, i32 1
  %c = extractelement <4 x bfloat> %x, i32 2
  %r = call bfloat @llvm.fma.bf16(bfloat %a, bfloat %b, bfloat %c))"),
                    ptx::Target::parse(GetParam()));
    std::vector<std::array<uint16_t, 4>> in(256);
    in[0] = {0x3fc0, 0x3f81, 0x0080, 0};
    in[1] = {0x3fc0, 0x3f81, 0x8080, 0};
    in[2] = {0x3fc0, 0x3f81, 0x0000, 0};
    const auto out = map<std::array<uint16_t, 4>, uint16_t>(code, in);
    EXPECT_EQ(out[0], 0x3fc2); // above the middle
    EXPECT_EQ(out[1], 0x3fc1); // below
    EXPECT_EQ(out[2], 0x3fc2); // a tie, to even
}

INSTANTIATE_TEST_SUITE_P(Targets, SmallFloat, testing::Values("host", "host:x86-64-v2"));

/// fma.rn without FMA instructions: one rounding all the same.
TEST(FmaWithoutInstruction, RoundsOnce) {
    const Code code(unary_kernel("<2 x double>", 16, "double", 8, R"(
  %a = extractelement <2 x double> %x, i32 0
  %c = extractelement <2 x double> %x, i32 1
  %r = call double @llvm.fma.f64(double %a, double %a, double %c))"),
                    ptx::Target::parse("host:x86-64-v2"));
    std::mt19937_64 random(3);
    std::vector<std::array<double, 2>> in(65536);
    for (auto& row : in) {
        row[0] = std::ldexp(static_cast<double>(random()), -64) + 1;
        row[1] = std::nextafter(-row[0] * row[0], static_cast<double>(random() % 3));
    }
    const auto out = map<std::array<double, 2>, double>(code, in);
    int inexact = 0;
    for (size_t i = 0; i < in.size(); ++i) {
        EXPECT_EQ(out[i], std::fma(in[i][0], in[i][0], in[i][1])) << i;
        inexact += out[i] != in[i][0] * in[i][0] + in[i][1];
    }
    EXPECT_GT(inexact, 1000);
}

} // namespace
