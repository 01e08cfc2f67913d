#include "fixture.h"

#include <gtest/gtest.h>

#include <cfenv>
#include <cmath>
#include <random>

using namespace codegen_test;

// Directed rounding against the C library's rounding modes, bit for bit (any NaN equals any NaN).
namespace {

struct Mode {
    const char* name;
    int fenv;
};
constexpr Mode modes[] = {{"rz", FE_TOWARDZERO}, {"rm", FE_DOWNWARD}, {"rp", FE_UPWARD}};
constexpr const char* operations[] = {"fadd", "fsub", "fmul", "fdiv", "sqrt", "fma"};

/// out[i] = op(in[3i], in[3i + 1], in[3i + 2]), i = tid + ntid * ctaid; kernels named op_mode.
std::string kernels_for(const std::string& type, const std::string& suffix, int bytes) {
    std::string text;
    for (const char* operation : operations) {
        const std::string name = operation;
        const int arity = name == "sqrt" ? 1 : name == "fma" ? 3 : 2;
        for (const Mode& mode : modes) {
            const std::string function = "@cuttle.round." + name + "." + mode.name + "." + suffix;
            std::string types, values;
            for (int k = 0; k < arity; ++k) {
                types += (k ? ", " : "") + type;
                values += (k ? ", " : "") + type + " %v" + std::to_string(k);
            }
            text += "declare " + type + " " + function + "(" + types + ") #0\n";
            text += "define void @" + name + "_" + mode.name + R"(() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %q = getelementptr i8, ptr addrspace(4) %p, i64 8
  %in = load i64, ptr addrspace(4) %p
  %out = load i64, ptr addrspace(4) %q
  %t = call i32 @cuttle.sreg.tid.x()
  %n = call i32 @cuttle.sreg.ntid.x()
  %c = call i32 @cuttle.sreg.ctaid.x()
  %cn = mul i32 %c, %n
  %i = add i32 %cn, %t
  %w = zext i32 %i to i64
  %inp = inttoptr i64 %in to ptr addrspace(1)
  %outp = inttoptr i64 %out to ptr addrspace(1)
  %row = getelementptr [3 x )" +
                    type + "], ptr addrspace(1) %inp, i64 %w\n";
            for (int k = 0; k < arity; ++k) {
                const std::string n = std::to_string(k);
                text +=
                    "  %a" + n + " = getelementptr i8, ptr addrspace(1) %row, i64 " + std::to_string(k * bytes) + "\n";
                text += "  %v" + n + " = load " + type + ", ptr addrspace(1) %a" + n + "\n";
            }
            text += "  %r = call " + type + " " + function + "(" + values + ")\n  %o = getelementptr " + type +
                    ", ptr addrspace(1) %outp, i64 %w\n  store " + type + " %r, ptr addrspace(1) %o\n  ret void\n}\n";
        }
    }
    return text;
}

template <class T> T reference(const std::string& operation, T a, T b, T c) {
    if (operation == "fadd") return a + b;
    if (operation == "fsub") return a - b;
    if (operation == "fmul") return a * b;
    if (operation == "fdiv") return a / b;
    if (operation == "sqrt") return std::sqrt(a);
    return std::fma(a, b, c);
}

template <class T, class Bits> T from_bits(Bits bits) {
    T value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

/// Values that meet the corners: any bits, near each other, tiny, huge, exact, special.
template <class T, class Bits> std::vector<T> inputs(size_t rows) {
    std::mt19937_64 random(7);
    constexpr T special[] = {0,
                             T(-0.0),
                             1,
                             -1,
                             3,
                             std::numeric_limits<T>::infinity(),
                             -std::numeric_limits<T>::infinity(),
                             std::numeric_limits<T>::quiet_NaN(),
                             std::numeric_limits<T>::max(),
                             std::numeric_limits<T>::lowest(),
                             std::numeric_limits<T>::min(),
                             std::numeric_limits<T>::denorm_min(),
                             -std::numeric_limits<T>::denorm_min()};
    std::vector<T> values;
    for (size_t row = 0; row < rows; ++row) {
        T triple[3];
        for (T& value : triple) {
            switch (random() % 6) {
            case 0:
                value = special[random() % std::size(special)];
                break;
            case 1:
                value = static_cast<T>(static_cast<int64_t>(random() % 2001) - 1000);
                break;
            case 2:
                value = std::ldexp(static_cast<T>(random() % 4096), static_cast<int>(random() % 40) - 20);
                break;
            case 3:
                value = from_bits<T, Bits>(static_cast<Bits>(random()) & ~(~Bits(0) << (8 * sizeof(T) - 10)));
                break;
            default:
                value = from_bits<T, Bits>(static_cast<Bits>(random()));
                break;
            }
        }
        // Sums that cancel nearly or wholly.
        if (random() % 4 == 0) triple[2] = -(triple[0] * triple[1]);
        if (random() % 8 == 0) triple[2] = std::nextafter(triple[2], T(0));
        if (random() % 8 == 0) triple[1] = -triple[0];
        values.insert(values.end(), triple, triple + 3);
    }
    return values;
}

template <class T, class Bits> void check_all(const char* type, const char* suffix, const char* target) {
    constexpr uint32_t blocks = 128, threads = 1024;
    const Code code(kernels_for(type, suffix, sizeof(T)), ptx::Target::parse(target));
    const std::vector<T> in = inputs<T, Bits>(blocks * threads);
    std::vector<T> out(blocks * threads);
    Surroundings around;
    around.grid.block_dim[0] = threads;
    around.set_parameters(in.data(), out.data());
    for (const char* operation : operations) {
        for (const Mode& mode : modes) {
            for (uint32_t block = 0; block < blocks; ++block) {
                around.lane.block[0] = block;
                code.run_block(std::string(operation) + "_" + mode.name, around.lane);
            }
            ASSERT_EQ(std::fegetround(), FE_TONEAREST);
            int wrong = 0;
            for (size_t i = 0; i < out.size(); ++i) {
                std::fesetround(mode.fenv);
                const T right = reference<T>(operation, in[3 * i], in[3 * i + 1], in[3 * i + 2]);
                std::fesetround(FE_TONEAREST);
                if (std::isnan(right) ? std::isnan(out[i]) : std::memcmp(&right, &out[i], sizeof right) == 0) continue;
                if (++wrong > 3) continue;
                ADD_FAILURE() << operation << "." << mode.name << "." << suffix << std::hexfloat << "(" << in[3 * i]
                              << ", " << in[3 * i + 1] << ", " << in[3 * i + 2] << ") = " << out[i] << ", not "
                              << right;
            }
            EXPECT_EQ(wrong, 0) << operation << "." << mode.name;
        }
    }
}

class Rounding : public testing::TestWithParam<const char*> {};

TEST_P(Rounding, Float) { check_all<float, uint32_t>("float", "f32", GetParam()); }
TEST_P(Rounding, Double) { check_all<double, uint64_t>("double", "f64", GetParam()); }

INSTANTIATE_TEST_SUITE_P(Targets, Rounding, testing::Values("host", "host:x86-64-v2"));

TEST(RoundingModes, AreNotMerged) {
    const Code code(R"(
declare float @cuttle.round.fdiv.rm.f32(float, float) #0
declare float @cuttle.round.fdiv.rp.f32(float, float) #0
define void @k() #1 {
  %p = call ptr addrspace(4) @cuttle.kernel.parameters()
  %out = load i64, ptr addrspace(4) %p
  %o = inttoptr i64 %out to ptr addrspace(1)
  %a = load float, ptr addrspace(1) %o
  %low = call float @cuttle.round.fdiv.rm.f32(float %a, float 3.0)
  %high = call float @cuttle.round.fdiv.rp.f32(float %a, float 3.0)
  %near = fdiv float %a, 3.0
  store float %low, ptr addrspace(1) %o
  %o1 = getelementptr i8, ptr addrspace(1) %o, i64 4
  store float %high, ptr addrspace(1) %o1
  %o2 = getelementptr i8, ptr addrspace(1) %o, i64 8
  store float %near, ptr addrspace(1) %o2
  ret void
})");
    uint32_t data[3] = {0x3f800000, 0, 0};
    Surroundings around;
    around.set_parameters(&data[0]);
    code.run_thread("k", around.lane);
    EXPECT_EQ(data[0], 0x3eaaaaaau);
    EXPECT_EQ(data[1], 0x3eaaaaabu);
    EXPECT_EQ(data[2], 0x3eaaaaabu);
}

} // namespace
