// What NVRTC answers, asked of Cuttle's on clang and, where it is installed, of NVIDIA's: the same expectations hold
// for both.
#include "library.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace {

constexpr const char* empty_kernel = "__global__ void k() {}";

class Answers : public testing::TestWithParam<const char*> {
  protected:
    void SetUp() override {
        nvrtc = nvidia() ? nvidia_nvrtc() : &cuttle_nvrtc();
        if (nvrtc == nullptr) GTEST_SKIP() << "NVIDIA's NVRTC is not installed";
        ASSERT_NE(nvrtc->library, nullptr);
    }
    bool nvidia() const { return std::string(GetParam()) == "nvidia"; }
    const Nvrtc* nvrtc = nullptr;
};

INSTANTIATE_TEST_SUITE_P(Of, Answers, testing::Values("cuttle", "nvidia"),
                         [](const auto& info) { return std::string(info.param); });

TEST_P(Answers, Names) {
    EXPECT_STREQ(nvrtc->error_string(0), "NVRTC_SUCCESS");
    EXPECT_STREQ(nvrtc->error_string(5), "NVRTC_ERROR_INVALID_OPTION");
    EXPECT_STREQ(nvrtc->error_string(17), "NVRTC_ERROR_TIME_TRACE_FILE_WRITE_FAILED");
    EXPECT_STREQ(nvrtc->error_string(18), "NVRTC_ERROR unknown");
    EXPECT_STREQ(nvrtc->error_string(-1), "NVRTC_ERROR unknown");
    int major = 0, minor = 0, count = 0;
    EXPECT_EQ(nvrtc->version(&major, &minor), ok);
    EXPECT_EQ(major, 13);
    EXPECT_EQ(nvrtc->version(nullptr, &minor), invalid_input);
    ASSERT_EQ(nvrtc->architecture_count(&count), ok);
    std::vector<int> all(size_t(count), 0);
    EXPECT_EQ(nvrtc->architectures(all.data()), ok);
    EXPECT_TRUE(std::ranges::is_sorted(all));
    EXPECT_EQ(all, (std::vector<int>{75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121}));
    EXPECT_EQ(nvrtc->architecture_count(nullptr), invalid_input);
    EXPECT_EQ(nvrtc->architectures(nullptr), invalid_input);
}

TEST_P(Answers, WrongCalls) {
    Nvrtc::Handle handle = nullptr;
    const char* one[] = {"x"};
    EXPECT_EQ(nvrtc->create(nullptr, "", nullptr, 0, nullptr, nullptr), invalid_program);
    EXPECT_EQ(nvrtc->create(&handle, nullptr, nullptr, 0, nullptr, nullptr), invalid_input);
    EXPECT_EQ(nvrtc->create(&handle, "", nullptr, 1, nullptr, one), invalid_input);
    EXPECT_EQ(nvrtc->create(&handle, "", nullptr, 1, one, nullptr), invalid_input);
    EXPECT_EQ(nvrtc->create(&handle, "", nullptr, -1, nullptr, nullptr), invalid_input);
    EXPECT_EQ(nvrtc->destroy(nullptr), invalid_program);
    EXPECT_EQ(nvrtc->destroy(&handle), invalid_program);
    EXPECT_EQ(nvrtc->compile(nullptr, 0, nullptr), invalid_program);
    EXPECT_EQ(nvrtc->add_expression(nullptr, "k"), invalid_program);
    EXPECT_EQ(nvrtc->pch_status(nullptr), invalid_program);
    size_t size = 1;
    EXPECT_EQ(nvrtc->size("PTX")(nullptr, &size), invalid_program);

    Program program(*nvrtc, empty_kernel);
    EXPECT_EQ(nvrtc->compile(program.handle(), -1, nullptr), invalid_input);
    EXPECT_EQ(program.add_expression(nullptr), invalid_input);
    EXPECT_EQ(nvrtc->pch_status(program.handle()), no_pch_create_attempted);
    EXPECT_EQ(nvrtc->set_flow_callback(program.handle(), nullptr, nullptr), invalid_input);
    for (const char* what : {"PTX", "ProgramLog"}) {
        EXPECT_EQ(nvrtc->size(what)(program.handle(), nullptr), invalid_input);
        EXPECT_EQ(nvrtc->get(what)(program.handle(), nullptr), invalid_input);
        EXPECT_EQ(program.get(what), std::string(1, 0)) << "nothing but its end, before it is compiled";
    }
    for (const char* what : {"CUBIN", "LTOIR", "OptiXIR"}) EXPECT_EQ(program.get(what), "");
    const char* name = nullptr;
    EXPECT_EQ(nvrtc->lowered_name(program.handle(), "k", &name), no_lowered_names_before_compilation);
    EXPECT_EQ(nvrtc->compile(program.handle(), 1, nullptr), invalid_option);
    EXPECT_EQ(program.log(), "nvrtc: error: number of arguments supplied does not match number of arguments specified");
}

TEST_P(Answers, ProgramsAreCompiledAgain) {
    Program program(*nvrtc, empty_kernel);
    EXPECT_EQ(program.compile({"-nothing"}), invalid_option);
    EXPECT_EQ(program.get("PTX"), std::string(1, 0));
    EXPECT_EQ(program.compile(), ok);
    EXPECT_NE(program.text("PTX").find(".target sm_75"), std::string::npos) << program.text("PTX");
    EXPECT_NE(program.text("PTX").find(".entry _Z1kv"), std::string::npos);
    EXPECT_EQ(program.log(), "");
    EXPECT_EQ(program.get("CUBIN"), "");
    EXPECT_EQ(program.add_expression("k"), no_expressions_after_compilation);
    EXPECT_EQ(program.compile({"-arch=sm_80"}), ok);
    EXPECT_NE(program.text("PTX").find(".target sm_80"), std::string::npos);
    EXPECT_NE(program.get("CUBIN"), "");
}

struct Option {
    std::vector<const char*> words;
    const char* message = nullptr; ///< behind "nvrtc: error: "; null for an option that is taken
};

TEST_P(Answers, Options) {
    const Option options[] = {
        {{"-foo"}, "unrecognized option -foo found"},
        {{"--foo=1"}, "unrecognized option --foo=1 found"},
        {{"source.cu"}, "unrecognized option source.cu found"},
        {{""}, "unrecognized option  found"},
        {{"-O3"}, "unrecognized option -O3 found"},
        {{"-arch sm_80"}, "unrecognized option -arch sm_80 found"},
        {{"-arch=sm_81"}, "invalid value for --gpu-architecture (-arch)"},
        {{"-arch=compute_52"}, "invalid value for --gpu-architecture (-arch)"},
        {{"-arch=foo"}, "invalid value for --gpu-architecture (-arch)"},
        {{"--gpu-architecture"}, "invalid value for --gpu-architecture (-arch)"},
        {{"--std=c++98"}, "invalid value for --std(-std)"},
        {{"-std", "c++17"}, "unrecognized option -std found"},
        {{"--ftz=maybe"}, "--ftz (-ftz) expects true or false"},
        {{"-ftz"}, "--ftz (-ftz) expects true or false"},
        {{"-rdc=1"}, "--relocatable-device-code (-rdc) expects true or false"},
        {{"-G=true"}, "--device-debug (-G) does not accept any argument"},
        {{"-w", "true"}, "unrecognized option true found"},
        {{"-maxrregcount=x"}, "--maxrregcount (-maxrregcount) expects an integer value"},
        {{"--diag-suppress=0"}, "--diag-suppress expects a non-zero positive integer value"},
        {{"-time"}, "unrecognized option -time found"},
        {{"-frandom-seed", "1"}, "unrecognized option -frandom-seed found"},
        {{"-arch", "compute_90a", "--std=c++20", "-ftz=true", "-prec-div", "false", "--prec-sqrt=false",
          "-fmad=false"}},
        {{"--gpu-architecture=sm_100f", "-use_fast_math", "-dopt", "on", "-lineinfo", "-maxrregcount", "32",
          "-std=c++14"}},
        {{"-D", "A=1", "-DB", "--define-macro=C", "-UA", "-U", "B", "-I/nowhere", "-I", "/nowhere", "-std=c++11"}},
        {{"-G", "-rdc=true", "-default-device", "-w", "-restrict", "--extra-device-vectorization", "-device-int128"}},
        {{"-dc", "-minimal", "-no-source-include", "-Xptxas", "-v", "--ptxas-options=-v", "--split-compile=2"}},
        {{"-ewp", "-diag-suppress=20,21", "-err-no", "-brief-diag=true", "-opt-info=inline", "-no-cache", "-jtd=2",
          "-builtin-move-forward=false", "-builtin-initializer-list=false", "--device-stack-protector=true"}},
    };
    for (const Option& option : options) {
        std::string words;
        for (const char* word : option.words) words += std::string(word) + " ";
        SCOPED_TRACE(words);
        Program program(*nvrtc, empty_kernel);
        EXPECT_EQ(program.compile(option.words), option.message != nullptr ? invalid_option : ok) << program.log();
        EXPECT_EQ(program.log(),
                  option.message != nullptr ? std::string("nvrtc: error: ") + option.message + "\n" : "");
    }
}

TEST_P(Answers, OptionsReachTheSource) {
    const char* source = R"(
#if !defined(__CUDACC_RTC__) || !defined(__CUDACC__) || __CUDA_ARCH__ != 890 || __cplusplus != 202002L
#error basics
#endif
#if VALUE != 7 || !defined(FLAG) || defined(GONE) || __CUDA_FTZ != 1 || __CUDA_PREC_DIV != 0 || __CUDA_PREC_SQRT != 1
#error options
#endif
#ifndef INCLUDED
#error header
#endif
__global__ void k() {}
)";
    Program program(*nvrtc, source, "source.cu", {{"first.h", "#define INCLUDED\n"}});
    EXPECT_EQ(program.compile({"-arch=compute_89", "-std=c++20", "-DVALUE=7", "-D", "FLAG", "-DGONE", "-UGONE",
                               "-ftz=true", "-prec-div=false", "-include=first.h"}),
              ok)
        << program.log();
}

TEST_P(Answers, MessagesNameTheSourcesPlaces) {
    Program wrong(*nvrtc, "#include \"part.h\"\n__global__ void k(int* a) {\n  a[0] = foo;\n}\n", "folder/name.cu",
                  {{"part.h", "\n__device__ int good;\n"}});
    EXPECT_EQ(wrong.compile(), compilation);
    EXPECT_TRUE(wrong.log().starts_with("folder/name.cu(3): error: ")) << wrong.log();
    EXPECT_NE(wrong.log().find("1 error detected in the compilation of \"folder/name.cu\".\n"), std::string::npos);
    EXPECT_EQ(wrong.get("PTX"), std::string(1, 0));

    Program header(*nvrtc, "#include <inner/part.h>\n", nullptr,
                   {{"inner/part.h", "#include \"outside.h\"\n"}, {"outside.h", "\n\n__device__ int x = y;\n"}});
    EXPECT_EQ(header.compile(), compilation);
    EXPECT_NE(header.log().find("outside.h(3): error: "), std::string::npos) << header.log();
    EXPECT_NE(header.log().find("compilation of \"default_program\""), std::string::npos) << header.log();

    Program missing(*nvrtc, "\n#include \"missing.h\"\n", "a.cu");
    EXPECT_EQ(missing.compile(), compilation);
    EXPECT_EQ(missing.first_line_of_log(), "a.cu(2): catastrophic error: cannot open source file \"missing.h\"");
    EXPECT_NE(
        missing.log().find("1 catastrophic error detected in the compilation of \"a.cu\".\nCompilation terminated.\n"),
        std::string::npos);
}

TEST_P(Answers, HeadersByTheirNames) {
    Program program(*nvrtc,
                    "#include <../up.h>\n#include \"/absolute/one.h\"\n#include <sub/two.h>\n"
                    "__global__ void k(int* a) { *a = up + one + two + three; }\n",
                    "source.cu",
                    {{"../up.h", "__device__ int up;\n"},
                     {"/absolute/one.h", "__device__ int one;\n"},
                     {"sub/two.h", "#include \"three.h\"\n__device__ int two;\n"},
                     {"three.h", "__device__ int three;\n"}});
    EXPECT_EQ(program.compile(), ok) << program.log();
}

constexpr const char* named = R"(
namespace n {
__device__ int variable;
__constant__ float constants[4];
template <class T, int N> __global__ void kernel(T* a) { if (a == nullptr) __trap(); }
}
__global__ void plain(int) {}
extern "C" __global__ void c_name() {}
)";

TEST_P(Answers, LoweredNames) {
    Program program(*nvrtc, named);
    const std::map<std::string, std::string> names = {{"plain", "_Z5plaini"},
                                                      {"&plain", "_Z5plaini"},
                                                      {"c_name", "c_name"},
                                                      {"n::kernel<float, 3>", "_ZN1n6kernelIfLi3EEEvPT_"},
                                                      {"n::kernel<const int*, 1+1>", "_ZN1n6kernelIPKiLi2EEEvPT_"},
                                                      {"&n::variable", "_ZN1n8variableE"},
                                                      {"&n::constants", "_ZN1n9constantsE"}};
    for (const auto& [expression, name] : names) EXPECT_EQ(program.add_expression(expression.c_str()), ok);
    ASSERT_EQ(program.compile(), ok) << program.log();
    const std::string ptx = program.text("PTX");
    for (const auto& [expression, name] : names) {
        EXPECT_EQ(program.lowered_name(expression.c_str()), name);
        EXPECT_NE(ptx.find(name), std::string::npos) << ptx;
    }
    const char* name = nullptr;
    EXPECT_EQ(nvrtc->lowered_name(program.handle(), "n::kernel<float, 4>", &name), expression_not_valid);
    EXPECT_EQ(nvrtc->lowered_name(program.handle(), nullptr, &name), invalid_input);
    EXPECT_EQ(ptx.find("lowered"), std::string::npos) << "only what the program has";
}

TEST_P(Answers, WrongNameExpressions) {
    for (const char* expression : {"absent", "n::kernel", "3", "plain; int z", ""}) {
        SCOPED_TRACE(expression);
        Program program(*nvrtc, named);
        EXPECT_EQ(program.add_expression(expression), ok);
        EXPECT_EQ(program.compile(), compilation);
        EXPECT_TRUE(program.log().starts_with("__nv_name_map(2): error: ")) << program.log();
        EXPECT_EQ(program.lowered_name(expression), "");
    }
}

TEST_P(Answers, TheFlowCallbackStopsIt) {
    int calls = 0;
    const auto go_on = [](void* argument, void*) { return ++*static_cast<int*>(argument), 0; };
    const auto stop = [](void*, void*) { return 1; };
    Program program(*nvrtc, empty_kernel);
    EXPECT_EQ(nvrtc->set_flow_callback(program.handle(), go_on, &calls), ok);
    EXPECT_EQ(program.compile(), ok);
    EXPECT_GT(calls, 0);
    EXPECT_EQ(nvrtc->set_flow_callback(program.handle(), stop, nullptr), ok);
    EXPECT_EQ(program.compile(), cancelled);
    EXPECT_EQ(program.get("PTX"), std::string(1, 0));
}

} // namespace
