// What is said where clang or libclc is not there. CMakeLists.txt runs these with CUTTLE_CLANG and CUTTLE_LIBCLC set
// so.
#include "library.h"

#include <cstdlib>
#include <gtest/gtest.h>

namespace {

bool nowhere(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr && std::string(value) == "/nowhere";
}

TEST(Absent, Clang) {
    if (!nowhere("CUTTLE_CLANG")) GTEST_SKIP() << "CUTTLE_CLANG is not /nowhere";
    Program program(cuttle_nvrtc(), "__global__ void k() {}");
    EXPECT_EQ(program.compile({"-nothing"}), invalid_option);
    EXPECT_EQ(program.compile(), compilation);
    EXPECT_TRUE(program.log().starts_with("nvrtc: error: neither NVIDIA's NVRTC nor clang was found")) << program.log();
    EXPECT_EQ(program.get("PTX"), std::string(1, 0));
}

TEST(Absent, Libclc) {
    if (!nowhere("CUTTLE_LIBCLC")) GTEST_SKIP() << "CUTTLE_LIBCLC is not /nowhere";
    Program program(cuttle_nvrtc(), "__global__ void k(float* f) { f[0] = sinf(f[1]); }");
    EXPECT_EQ(program.compile(), compilation);
    EXPECT_NE(program.log().find("needs libclc"), std::string::npos) << program.log();
    Program without(cuttle_nvrtc(), "__global__ void k(float* f) { f[0] = sqrtf(f[1]) + __sinf(f[1]); }");
    EXPECT_EQ(without.compile(), ok) << without.log();
}

} // namespace
