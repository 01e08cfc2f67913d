// Names that NVRTC knows without an #include: builtins.cu uses them, and compiles with NVIDIA's NVRTC, too.
#include "library.h"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

namespace {

std::string source() {
    std::ifstream file(CUTTLE_NVRTC_SOURCES "/builtins.cu");
    return {std::istreambuf_iterator<char>(file), {}};
}

void expect_compiles(const Nvrtc& nvrtc, const char* architecture) {
    Program program(nvrtc, source(), "builtins.cu");
    const int result = program.compile({architecture});
    if (result == compilation && program.log().find("libclc") != std::string::npos) GTEST_SKIP() << program.log();
    EXPECT_EQ(result, ok) << program.log();
    const std::string ptx = program.text("PTX");
    // What is left for the driver to find is what it has.
    for (size_t at = ptx.find(".extern .func"); at != ptx.npos; at = ptx.find(".extern .func", at + 1)) {
        const std::string declaration = ptx.substr(at, ptx.find(';', at) - at);
        const bool known =
            declaration.find("vprintf") != declaration.npos || declaration.find("malloc") != declaration.npos ||
            declaration.find("free") != declaration.npos || declaration.find("__assertfail") != declaration.npos;
        EXPECT_TRUE(known) << declaration;
    }
}

TEST(Builtins, CompileWithClang) { expect_compiles(cuttle_nvrtc(), "-arch=compute_80"); }

TEST(Builtins, CompileForClusters) { expect_compiles(cuttle_nvrtc(), "-arch=compute_90a"); }

TEST(Builtins, CompileWithNvidia) {
    if (nvidia_nvrtc() == nullptr) GTEST_SKIP() << "NVIDIA's NVRTC is not installed";
    expect_compiles(*nvidia_nvrtc(), "-arch=compute_90a");
}

TEST(Builtins, BesselFunctionsAreRefusedByName) {
    Program program(cuttle_nvrtc(), "__global__ void k(float* f) { f[0] = j0f(f[0]); }");
    EXPECT_EQ(program.compile(), compilation);
    EXPECT_NE(program.log().find("Bessel functions need NVIDIA's NVRTC"), std::string::npos) << program.log();
}

} // namespace
