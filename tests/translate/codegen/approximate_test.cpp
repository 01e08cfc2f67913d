#include "fixture.h"

#include "device_library/approximate.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

using namespace codegen_test;

// The approximate functions against the C library in double, over every 1021st float (a prime: all exponents and signs,
// ever other fractions). CUTTLE_SWEEP_STEP=1 sweeps them all. Bounds are the PTX manual's (9.7.3.13 - 9.7.3.22).
namespace {

enum class Measure { relative, absolute, lg2 };

struct Function {
    const char* name;
    float (*computed)(float);
    double (*exact)(double);
    double limit; ///< of |x|
    Measure measure;
    double bound;
};

double exact_exp2(double x) { return std::exp2(x); }
double exact_log2(double x) { return std::log2(x); }
double exact_sin(double x) { return std::sin(x); }
double exact_cos(double x) { return std::cos(x); }
double exact_tanh(double x) { return std::tanh(x); }

namespace approximate = cuttle::approximate;
constexpr double turn = 6.283185307179586;
const Function functions[] = {
    {"ex2", approximate::ex2, exact_exp2, INFINITY, Measure::relative, 0x1p-22},
    {"lg2", approximate::lg2, exact_log2, INFINITY, Measure::lg2, 0x1p-22},
    {"sin", approximate::sin, exact_sin, turn, Measure::absolute, 0x1p-20},
    {"cos", approximate::cos, exact_cos, turn, Measure::absolute, 0x1p-20},
    {"sin", approximate::sin, exact_sin, 50 * turn, Measure::absolute, 0x1p-14},
    {"cos", approximate::cos, exact_cos, 50 * turn, Measure::absolute, 0x1p-14},
    {"tanh", approximate::tanh, exact_tanh, INFINITY, Measure::relative, 0x1p-11},
};

double error_of(const Function& function, float x, float got, double want) {
    const double difference = std::fabs(got - want);
    // A result below the normal numbers may be off by its last place.
    if (std::fabs(want) < 0x1p-126) return difference <= 0x1p-149 ? 0 : INFINITY;
    const bool absolute =
        function.measure == Measure::absolute || (function.measure == Measure::lg2 && x > 0.5 && x < 2);
    return absolute ? difference : difference / std::fabs(want);
}

uint64_t step() {
    const char* text = std::getenv("CUTTLE_SWEEP_STEP");
    return text ? std::strtoull(text, nullptr, 10) : 1021;
}

TEST(Approximate, StaysWithinTheManualsBounds) {
    for (const Function& function : functions) {
        double worst = 0;
        float where = 0;
        for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += step()) {
            const float x = std::bit_cast<float>(static_cast<uint32_t>(bits));
            if (std::fabs(x) > function.limit) continue;
            const double want = function.exact(x);
            const float got = function.computed(x), nearest = static_cast<float>(want);
            if (std::isnan(want) || std::isinf(nearest) || want == 0) {
                ASSERT_TRUE(std::isnan(want) ? std::isnan(got)
                                             : got == nearest && std::signbit(got) == std::signbit(nearest))
                    << function.name << "(" << x << ") is " << got << ", not " << nearest;
                continue;
            }
            const double error = error_of(function, x, got, want);
            if (error > worst) worst = error, where = x;
        }
        EXPECT_LE(worst, function.bound) << function.name << "(" << where << ")";
        RecordProperty(function.name, std::to_string(std::log2(worst)));
        std::printf("%-5s worst error 2^%.2f at %.9g\n", function.name, std::log2(worst), static_cast<double>(where));
    }
}

TEST(Approximate, SpecialValuesAreAsOnAnH100) {
    EXPECT_EQ(approximate::ex2(-INFINITY), 0);
    EXPECT_EQ(approximate::ex2(128), INFINITY);
    EXPECT_EQ(approximate::ex2(-149), 0x1p-149f);
    EXPECT_EQ(approximate::ex2(-126), 0x1p-126f);
    EXPECT_EQ(approximate::lg2(0.0f), -INFINITY);
    EXPECT_EQ(approximate::lg2(-0.0f), -INFINITY);
    EXPECT_EQ(approximate::lg2(0x1p-149f), -149);
    EXPECT_EQ(approximate::lg2(1), 0);
    EXPECT_TRUE(std::isnan(approximate::lg2(-1)));
    EXPECT_TRUE(std::isnan(approximate::sin(INFINITY)));
    EXPECT_TRUE(std::signbit(approximate::sin(-0.0f)));
    EXPECT_TRUE(std::signbit(approximate::sin(-0x1p100f)));
    EXPECT_EQ(approximate::cos(0x1p100f), 1);
    EXPECT_EQ(approximate::tanh(-INFINITY), -1);
    EXPECT_TRUE(std::signbit(approximate::tanh(-0.0f)));
}

/// A kernel that stores what an intrinsic makes of its parameter.
std::string kernel_of(const std::string& intrinsic, const std::string& type, const std::string& suffix) {
    const std::string function = "@llvm." + intrinsic + "." + suffix;
    return "declare " + type + " " + function + "(" + type + ")\ndefine void @" + intrinsic + R"(() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %out = load i64, ptr addrspace(4) %p
  %q = getelementptr i8, ptr addrspace(4) %p, i64 8
  %x = load )" +
           type + ", ptr addrspace(4) %q\n  %y = call " + type + " " + function + "(" + type + R"( %x)
  %o = inttoptr i64 %out to ptr addrspace(1)
  store )" +
           type + R"( %y, ptr addrspace(1) %o
  ret void
})";
}

TEST(Approximate, NoCodeCallsALibrary) {
    for (const char* intrinsic : {"exp2", "log2", "sin", "cos", "tanh", "sqrt"})
        for (const auto& [type, suffix] : {std::pair("float", "f32"), std::pair("<2 x float>", "v2f32")}) {
            ptx::Target target;
            target.cpu = "x86-64-v2";
            const ptx::Image image = compile(kernel_of(intrinsic, type, suffix), target);
            const TemporaryFile file(image.code);
            const Ran ran = run_program(std::string(CODEGEN_READELF) + " --dyn-symbols " + file.path());
            // The table's first row is always undefined.
            const size_t first = ran.output.find(" UND ");
            EXPECT_NE(first, std::string::npos) << ran.output;
            EXPECT_EQ(ran.output.find(" UND ", first + 1), std::string::npos) << intrinsic << "\n" << ran.output;
            EXPECT_EQ(ran.output.find(intrinsic + std::string("f")), std::string::npos) << ran.output;
        }
}

} // namespace
