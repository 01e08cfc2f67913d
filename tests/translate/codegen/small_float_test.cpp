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

TEST_P(SmallFloat, FromIntegers) {
    std::mt19937_64 random(13);
    std::vector<uint64_t> in(65536);
    for (uint64_t& value : in) {
        value = random() >> random() % 64;
        // On and beside the middle of two neighbours.
        if (random() % 2) value = (value & 0xff) << random() % 57 | 1ull << random() % 64;
        value += random() % 3 - 1;
    }
    for (const auto& [name, format] : {std::pair{"half", half}, std::pair{"bfloat", bfloat}}) {
        for (const bool is_signed : {false, true}) {
            const std::string cast = is_signed ? "sitofp" : "uitofp";
            const Code wide(unary_kernel("i64", 8, name, 2, ("  %r = " + cast + " i64 %x to " + name).c_str()),
                            ptx::Target::parse(GetParam()));
            const Code narrow(unary_kernel("i32", 8, name, 2, ("  %r = " + cast + " i32 %x to " + name).c_str()),
                              ptx::Target::parse(GetParam()));
            const auto out64 = map<uint64_t, uint16_t>(wide, in), out32 = map<uint64_t, uint16_t>(narrow, in);
            int wrong = 0;
            for (size_t i = 0; i < in.size(); ++i) {
                const long double value64 = is_signed ? static_cast<long double>(static_cast<int64_t>(in[i])) : in[i];
                const long double value32 =
                    is_signed ? static_cast<long double>(static_cast<int32_t>(in[i])) : static_cast<uint32_t>(in[i]);
                if (out64[i] == round_to(value64, format) && out32[i] == round_to(value32, format)) continue;
                if (++wrong <= 3)
                    ADD_FAILURE() << name << " " << cast << " " << std::hex << in[i] << ": " << out64[i] << ", "
                                  << out32[i] << " for its low half";
            }
            EXPECT_EQ(wrong, 0) << name << " " << cast;
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

/// Operations that the processor or LLVM passes on to a library: each must find one, and only fma's is libm's.
class LibraryFree : public testing::TestWithParam<std::tuple<const char*, const char*>> {};

TEST_P(LibraryFree, Links) {
    const auto [target, operation] = GetParam();
    const std::string text(operation);
    // "type|instruction": of %x, loaded, or of memory at %op.
    const size_t bar = text.find('|');
    const std::string type = text.substr(0, bar);
    const std::string body = "  %r0 = " + text.substr(bar + 1) + "\n  store volatile " + type +
                             " %r0, ptr addrspace(1) %op\n  %r = add i64 0, 0\n";
    const Code code(unary_kernel(type.c_str(), 16, "i64", 16, body.c_str()), ptx::Target::parse(target));
    std::array<uint64_t, 2> data{};
    Surroundings around;
    around.set_parameters(&data, &data);
    code.run_thread("k", around.lane);
}

constexpr const char* library_operations[] = {
    "float|call float @llvm.sin.f32(float %x)",
    "float|call float @llvm.cos.f32(float %x)",
    "float|call float @llvm.exp2.f32(float %x)",
    "float|call float @llvm.log2.f32(float %x)",
    "float|call float @llvm.tanh.f32(float %x)",
    "float|call float @llvm.roundeven.f32(float %x)",
    "float|call float @llvm.rint.f32(float %x)",
    "float|call float @llvm.round.f32(float %x)",
    "float|call float @llvm.minimum.f32(float %x, float 1.0)",
    "float|call float @llvm.maximumnum.f32(float %x, float 1.0)",
    "double|call double @llvm.ldexp.f64.i32(double %x, i32 3)",
    "half|call half @llvm.sqrt.f16(half %x)",
    "half|call half @llvm.minimumnum.f16(half %x, half %x)",
    "bfloat|call bfloat @llvm.maximum.bf16(bfloat %x, bfloat %x)",
    "<2 x half>|call <2 x half> @llvm.fma.v2f16(<2 x half> %x, <2 x half> %x, <2 x half> %x)",
    "<2 x bfloat>|fadd <2 x bfloat> %x, %x",
    "i128|mul i128 %x, %x",
    "i128|udiv i128 %x, 12345678901234567890123",
    "i128|srem i128 %x, 12345678901234567890123",
    "i64|call i64 @llvm.bitreverse.i64(i64 %x)",
    "i64|call i64 @llvm.ctpop.i64(i64 %x)",
    "half|atomicrmw fadd ptr addrspace(1) %op, half %x syncscope(\"device\") monotonic",
    "<2 x half>|atomicrmw fadd ptr addrspace(1) %op, <2 x half> %x syncscope(\"device\") monotonic",
    "double|atomicrmw fmax ptr addrspace(1) %op, double %x syncscope(\"block\") monotonic",
    "i16|atomicrmw udec_wrap ptr addrspace(1) %op, i16 %x seq_cst",
    "i128|atomicrmw xchg ptr addrspace(1) %op, i128 %x seq_cst",
    "i128|load atomic i128, ptr addrspace(1) %op acquire, align 16",
};

INSTANTIATE_TEST_SUITE_P(Targets, LibraryFree,
                         testing::Combine(testing::Values("host", "host:x86-64-v2"),
                                          testing::ValuesIn(library_operations)));

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
