#include "code/code_cache.h"
#include "rt/module.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>

namespace {

using namespace rt;
using Clock = std::chrono::steady_clock;

const std::string head = ".version 8.0\n.target sm_80\n.address_size 64\n";

std::string kernel(const std::string& name, const std::string& body) {
    return ".visible .entry " + name + "(.param .u64 p)\n{\n.reg .b32 %r<4>;\n.reg .b64 %rd<4>;\n" + body + "ret;\n}\n";
}
const std::string store = "ld.param.u64 %rd1, [p];\nmov.u32 %r1, %tid.x;\nst.global.u32 [%rd1], %r1;\n";

TEST(RealTranslator, MakesAnElfObject) {
    const auto program = Program::load({{head + kernel("first", store) + kernel("second", store)}}, {});
    ASSERT_EQ(program->info().kernels.size(), 2u);
    EXPECT_EQ(program->info().version, 80u);
    EXPECT_EQ(program->info().target, "sm_80");
    EXPECT_EQ(program->info().kernel("first")->parameter_bytes, 8u);
    const auto image = program->translate("second", {});
    ASSERT_EQ(image->kernels.size(), 1u);
    EXPECT_TRUE(image->kernels[0].translated);
    ASSERT_GT(image->code.size(), 64u);
    EXPECT_EQ(std::memcmp(image->code.data(),
                          "\x7f"
                          "ELF",
                          4),
              0);
}

TEST(RealTranslator, SaysWhereTheTextIsWrong) {
    std::string errors;
    JitOptions jit;
    jit.error_log = &errors;
    const auto program =
        Program::load({{head + kernel("good", store) + kernel("bad", "frobnicate.b32 %r1, %r2;\n")}}, jit);
    EXPECT_NE(errors.find("kernel bad: line "), std::string::npos) << errors;
    EXPECT_NO_THROW(program->translate("good", {}));
    try {
        program->translate("bad", {});
        ADD_FAILURE() << "translated";
    } catch (const Error& error) {
        EXPECT_EQ(error.status(), Status::invalid_ptx);
        EXPECT_NE(std::string(error.what()).find("frobnicate"), std::string::npos) << error.what();
    }
    EXPECT_THROW(Program::load({{"this is no PTX at all"}}, {}), Error);
    EXPECT_THROW(Program::load({{head + kernel("bad", "frobnicate.b32 %r1, %r2;\n")}}, {}), Error);
}

TEST(RealTranslator, CachedKernelsAreQuick) {
    const std::string text = head + kernel("quick", store);
    const auto first = Program::load({{text}}, {})->translate("quick", {});
    const auto start = Clock::now();
    const auto again = Program::load({{text}}, {})->translate("quick", {});
    EXPECT_LT(Clock::now() - start, std::chrono::milliseconds(20));
    EXPECT_NE(again, first);
    EXPECT_EQ(again->code, first->code);
}

} // namespace
