#include "api/exports.h"

#include <algorithm>
#include <cstdio>
#include <dlfcn.h>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <memory>
#include <regex>
#include <set>
#include <string>

namespace {

std::set<std::string> table_symbols() {
    std::set<std::string> all;
#define ADD_none(symbol) all.insert(#symbol);
#define ADD_ptsz(symbol) ADD_none(symbol) all.insert(#symbol "_ptsz");
#define ADD_ptds(symbol) ADD_none(symbol) all.insert(#symbol "_ptds");
#define CU_FN(symbol, name, since, twin, needs, parameters, arguments) ADD_##twin(symbol)
#define CU_AS(symbol, name, since, twin, needs, parameters, arguments, body) ADD_##twin(symbol)
#define CU_STUB(symbol, name, since, twin, parameters, arguments, reason) ADD_##twin(symbol)
#include "api/driver_api.def"
    return all;
}

std::string library_path() {
    Dl_info info{};
    return dladdr(reinterpret_cast<void*>(&shim::cuInit), &info) ? info.dli_fname : "";
}

std::string output_of(const std::string& command) {
    std::unique_ptr<FILE, int (*)(FILE*)> pipe(popen(command.c_str(), "r"), pclose);
    std::string out;
    char buffer[4096];
    while (pipe && fgets(buffer, sizeof buffer, pipe.get())) out += buffer;
    return out;
}

/// Every name of a function that a header of NVIDIA's declares or maps to.
std::set<std::string> header_symbols(const std::string& path) {
    std::ifstream file(path);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    std::set<std::string> found;
    const auto collect = [&](const char* pattern, const char* suffix) {
        const std::regex regex(pattern);
        for (std::sregex_iterator i(text.begin(), text.end(), regex), end; i != end; ++i) {
            found.insert((*i)[1].str() + suffix);
        }
    };
    collect(R"(CUresult CUDAAPI (cu\w+)\()", "");
    collect(R"(#\s*define\s+cu\w+\s+(cu\w+_v\d)\b)", "");
    collect(R"(__CUDA_API_PTDS\((cu\w+)\))", "_ptds");
    collect(R"(__CUDA_API_PTSZ\((cu\w+)\))", "_ptsz");
    return found;
}

} // namespace

TEST(Symbols, NamesOfTheLibrary) {
    void* by_soname = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
    ASSERT_NE(by_soname, nullptr) << "the library's SONAME is not libcuda.so.1";
    EXPECT_EQ(dlsym(by_soname, "cuInit"), reinterpret_cast<void*>(&shim::cuInit));
    dlclose(by_soname);
}

TEST(Symbols, EveryRowIsExported) {
    void* library = dlopen(library_path().c_str(), RTLD_NOW);
    ASSERT_NE(library, nullptr) << dlerror();
    const auto all = table_symbols();
    EXPECT_GE(all.size(), 672u);
    for (const std::string& name : all) EXPECT_NE(dlsym(library, name.c_str()), nullptr) << name;
    dlclose(library);
}

TEST(Symbols, NothingElseIsExported) {
    const std::string text = output_of("nm -D --defined-only '" + library_path() + "' 2>/dev/null");
    if (text.empty()) GTEST_SKIP() << "no nm";
    std::set<std::string> exported;
    const std::regex line(R"(\b[A-Z] (\S+)\n)");
    for (std::sregex_iterator i(text.begin(), text.end(), line), end; i != end; ++i) exported.insert((*i)[1].str());
    EXPECT_EQ(exported, table_symbols());
}

TEST(Symbols, NvidiasHeadersAreCovered) {
    const std::string folder = CUTTLE_CUDA_INCLUDE "/";
    if (!std::ifstream(folder + "cuda.h")) GTEST_SKIP() << "no cuda.h";
    const auto all = table_symbols();
    for (const char* header : {"cuda.h", "cudaGL.h", "cudaEGL.h", "cudaVDPAU.h", "cudaProfiler.h"}) {
        const auto wanted = header_symbols(folder + header);
        EXPECT_FALSE(wanted.empty()) << header;
        for (const std::string& name : wanted) {
            const bool of_windows = name == "cuWGLGetDevice";
            EXPECT_TRUE(all.contains(name) || of_windows) << name << " of " << header;
        }
    }
}

TEST(Symbols, AStubRefusesAndSaysSoOnce) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(shim::cuGLInit(), 801);
    const std::string first = testing::internal::GetCapturedStderr();
    EXPECT_NE(first.find("cuGLInit is not supported"), std::string::npos) << first;
    EXPECT_EQ(std::count(first.begin(), first.end(), '\n'), 1) << first;
    testing::internal::CaptureStderr();
    EXPECT_EQ(shim::cuGLInit(), 801);
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}
