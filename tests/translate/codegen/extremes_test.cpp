#include "fixture.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace codegen_test;

// A NaN loses against a number, also one that the compiler knows to be one. PTX ISA 9.7.3.11, 9.7.3.12.
namespace {

/// out[0] and out[1]: the greater and the lesser of `n`, converted, and `x`; out[2] and out[3] with the two exchanged.
std::string kernel(const std::string& type, const std::string& suffix) {
    const auto call = [&](const std::string& result, const std::string& function, const char* a, const char* b) {
        return "  %" + result + " = call " + type + " @llvm." + function + "." + suffix + "(" + type + " " + a + ", " +
               type + " " + b + ")\n";
    };
    std::string text = "define void @k() #1 {\n"
                       "  %p = call ptr addrspace(4) @cuttle.kernel.parameters()\n"
                       "  %px = getelementptr i8, ptr addrspace(4) %p, i64 8\n"
                       "  %pn = getelementptr i8, ptr addrspace(4) %p, i64 16\n"
                       "  %out = load i64, ptr addrspace(4) %p\n"
                       "  %n = load i32, ptr addrspace(4) %pn\n"
                       "  %x = load " +
                       type + ", ptr addrspace(4) %px\n  %y = uitofp i32 %n to " + type + "\n" +
                       call("r0", "maximumnum", "%y", "%x") + call("r1", "minimumnum", "%y", "%x") +
                       call("r2", "maximumnum", "%x", "%y") + call("r3", "minimumnum", "%x", "%y");
    for (int i = 0; i < 4; ++i) {
        const std::string n = std::to_string(i);
        text += "  %a" + n + " = add i64 %out, " + std::to_string(8 * i) + "\n  %o" + n + " = inttoptr i64 %a" + n +
                " to ptr addrspace(1)\n  store " + type + " %r" + n + ", ptr addrspace(1) %o" + n + "\n";
    }
    const std::string operands = "(" + type + ", " + type + ")\n";
    return "declare " + type + " @llvm.maximumnum." + suffix + operands + "declare " + type + " @llvm.minimumnum." +
           suffix + operands + text + "  ret void\n}\n";
}

template <class T> void check(const std::string& text) {
    struct Case {
        T x;
        uint32_t n;
        T greater, lesser;
    };
    const T nan = T(NAN), zero = T(0);
    const Case cases[] = {{nan, 8379, T(8379), T(8379)}, {-nan, 5, T(5), T(5)},
                          {nan, 0, zero, zero},          {T(2.5), 2, T(2.5), T(2)},
                          {T(-3), 4, T(4), T(-3)},       {-zero, 0, zero, -zero},
                          {zero, 0, zero, zero},         {T(INFINITY), 1, T(INFINITY), T(1)}};
    for (const char* target : {"host", "host:x86-64-v2"})
        for (const uint8_t level : {0, 1, 2, 3}) {
            const Code code(text, ptx::Target::parse(target), {.optimization_level = level});
            for (const Case& each : cases) {
                struct {
                    alignas(8) T value;
                } out[4] = {};
                Surroundings around;
                uint64_t bits = 0;
                std::memcpy(&bits, &each.x, sizeof each.x);
                around.set_parameters(&out[0], bits, each.n);
                code.run_thread("k", around.lane);
                for (int i = 0; i < 4; ++i) {
                    const T expected = i % 2 ? each.lesser : each.greater;
                    EXPECT_EQ(out[i].value, expected) << i << " of " << each.x << " and " << each.n;
                    EXPECT_EQ(std::signbit(out[i].value), std::signbit(expected)) << i;
                }
            }
        }
}

TEST(Extremes, ANaNLosesAgainstAConvertedIntegerF32) { check<float>(kernel("float", "f32")); }
TEST(Extremes, ANaNLosesAgainstAConvertedIntegerF64) { check<double>(kernel("double", "f64")); }

} // namespace
