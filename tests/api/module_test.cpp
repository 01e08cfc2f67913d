#include "driver_fixture.h"
#include "kernels.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>

using namespace shim;

namespace {
class Modules : public Driver {};
} // namespace

TEST_F(Modules, LoadsText) {
    CUmodule module = nullptr, of_function = nullptr;
    CUfunction function = nullptr;
    ASSERT_OK(cuModuleLoadData(&module, kernels::add));
    ASSERT_OK(cuModuleGetFunction(&function, module, "add"));
    EXPECT_STATUS(not_found, cuModuleGetFunction(&function, module, "subtract"));
    EXPECT_STATUS(invalid_value, cuModuleGetFunction(nullptr, module, "add"));
    EXPECT_STATUS(invalid_value, cuModuleGetFunction(&function, module, nullptr));
    ASSERT_OK(cuModuleGetFunction(&function, module, "add"));
    const char* name = nullptr;
    ASSERT_OK(cuFuncGetName(&name, function));
    EXPECT_STREQ(name, "add");
    ASSERT_OK(cuFuncGetModule(&of_function, function));
    EXPECT_EQ(of_function, module);
    size_t offset = 0, size = 0;
    ASSERT_OK(cuFuncGetParamInfo(function, 3, &offset, &size));
    EXPECT_EQ(offset, 20u);
    EXPECT_EQ(size, 4u);
    EXPECT_STATUS(invalid_value, cuFuncGetParamInfo(function, 4, &offset, &size));
    unsigned count = 0;
    ASSERT_OK(cuModuleGetFunctionCount(&count, module));
    EXPECT_EQ(count, 1u);
    CUfunction listed = nullptr;
    ASSERT_OK(cuModuleEnumerateFunctions(&listed, 1, module));
    EXPECT_EQ(listed, function);
    ASSERT_OK(cuModuleUnload(module));
    EXPECT_STATUS(invalid_handle, cuModuleUnload(module));
    EXPECT_STATUS(invalid_handle, cuModuleGetFunction(&function, module, "add"));
}

TEST_F(Modules, Variables) {
    CUmodule module = nullptr;
    ASSERT_OK(cuModuleLoadData(&module, kernels::add));
    CUdeviceptr address = 0;
    size_t size = 0;
    ASSERT_OK(cuModuleGetGlobal_v2(&address, &size, module, "bias"));
    EXPECT_EQ(size, 4u);
    uint32_t value = 0;
    ASSERT_OK(cuMemcpyDtoH_v2(&value, address, 4));
    EXPECT_EQ(value, 100u);
    EXPECT_OK(cuModuleGetGlobal_v2(nullptr, &size, module, "bias"));
    EXPECT_STATUS(not_found, cuModuleGetGlobal_v2(&address, &size, module, "nothing"));
    EXPECT_OK(cuModuleUnload(module));
}

TEST_F(Modules, FromFile) {
    const std::string path = testing::TempDir() + "cuttle_api_test.ptx";
    std::ofstream(path) << kernels::add;
    CUmodule module = nullptr;
    ASSERT_OK(cuModuleLoad(&module, path.c_str()));
    EXPECT_OK(cuModuleUnload(module));
    std::remove(path.c_str());
    EXPECT_STATUS(file_not_found, cuModuleLoad(&module, path.c_str()));
    EXPECT_STATUS(invalid_value, cuModuleLoad(&module, nullptr));
    EXPECT_STATUS(invalid_value, cuModuleLoadData(&module, nullptr));
}

// The values of options stand in the pointers themselves, and sizes come back the same way.
TEST_F(Modules, JitErrorLog) {
    char log[2048] = {};
    CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
    void* values[] = {log, reinterpret_cast<void*>(sizeof log)};
    CUmodule module = nullptr;
    CUfunction function = nullptr;
    int status = cuModuleLoadDataEx(&module, kernels::broken, 2, options, values);
    if (status == 0) {
        // One bad kernel does not spoil a module: it fails when it is looked up.
        status = cuModuleGetFunction(&function, module, "broken");
        EXPECT_STATUS(invalid_ptx, status);
        EXPECT_OK(cuModuleUnload(module));
    } else {
        EXPECT_STATUS(invalid_ptx, status);
    }
    EXPECT_NE(std::string(log).find("frobnicate"), std::string::npos) << log;
    EXPECT_EQ(reinterpret_cast<size_t>(values[1]), std::strlen(log));
    options[0] = 1000;
    EXPECT_STATUS(invalid_value, cuModuleLoadDataEx(&module, kernels::add, 1, options, values));
}

TEST_F(Modules, Library) {
    CUlibrary library = nullptr, owner = nullptr;
    CUkernel kernel = nullptr, listed = nullptr;
    CUfunction function = nullptr;
    CUmodule module = nullptr;
    CUlibraryOption options[] = {CU_LIBRARY_BINARY_IS_PRESERVED};
    void* values[] = {reinterpret_cast<void*>(1)};
    ASSERT_OK(cuCtxSetCurrent(nullptr)); // needs no context
    ASSERT_OK(cuLibraryLoadData(&library, kernels::add, nullptr, nullptr, 0, options, values, 1));
    ASSERT_OK(cuLibraryGetKernel(&kernel, library, "add"));
    ASSERT_OK(cuCtxSetCurrent(context));
    EXPECT_STATUS(not_found, cuLibraryGetKernel(&listed, library, "none"));
    ASSERT_OK(cuLibraryEnumerateKernels(&listed, 1, library));
    EXPECT_EQ(listed, kernel);
    ASSERT_OK(cuKernelGetLibrary(&owner, kernel));
    EXPECT_EQ(owner, library);
    ASSERT_OK(cuKernelGetFunction(&function, kernel));
    ASSERT_OK(cuLibraryGetModule(&module, library));
    CUfunction same = nullptr;
    ASSERT_OK(cuModuleGetFunction(&same, module, "add"));
    EXPECT_EQ(same, function);
    CUdeviceptr address = 0;
    size_t size = 0;
    ASSERT_OK(cuLibraryGetGlobal(&address, &size, library, "bias"));
    EXPECT_EQ(size, 4u);
    EXPECT_STATUS(not_found, cuLibraryGetManaged(&address, &size, library, "none"));
    int threads = 0;
    ASSERT_OK(cuKernelGetAttribute(&threads, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK, kernel, 0));
    EXPECT_EQ(threads, 1024);
    ASSERT_OK(cuLibraryUnload(library));
    EXPECT_STATUS(invalid_handle, cuLibraryUnload(library));
    EXPECT_STATUS(invalid_handle, cuKernelGetFunction(&function, kernel));
}

namespace {

/// Links, and says what the driver said: codes and rules are an H100's.
class Links : public Modules {
  protected:
    void SetUp() override {
        Modules::SetUp();
        CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
        ASSERT_OK(cuLinkCreate_v2(2, options, values_, &link_));
    }
    void TearDown() override {
        EXPECT_OK(cuLinkDestroy(link_));
        Modules::TearDown();
    }

    CUresult add(const char* name, const std::string& body) {
        const std::string text = ".version 7.8\n.target sm_80\n.address_size 64\n" + body;
        return cuLinkAddData_v2(link_, CU_JIT_INPUT_PTX, const_cast<char*>(text.c_str()), text.size() + 1, name, 0,
                                nullptr, nullptr);
    }
    CUresult complete() {
        size_t size = 0;
        return cuLinkComplete(link_, &image_, &size);
    }
    bool said(const char* text) const { return std::strstr(log_, text) != nullptr; }

    CUlinkState link_ = nullptr;
    void* image_ = nullptr;
    char log_[4096] = {};
    /// cuLinkCreate: values that options are written to must live as long as the link.
    void* values_[2] = {log_, reinterpret_cast<void*>(sizeof log_)};
};

} // namespace

TEST_F(Links, ClashesAreRefusedByName) {
    ASSERT_OK(add("one", ".visible .func f() { ret; }"));
    EXPECT_STATUS(invalid_source, add("two", ".visible .func f() { ret; }"));
    EXPECT_STREQ(log_, "'two', line 4, column 16: 'f' is defined twice, first in 'one'");
    EXPECT_STATUS(invalid_source, complete());
    EXPECT_STREQ(log_, "'two', line 4, column 16: 'f' is defined twice, first in 'one'");
    EXPECT_STATUS(invalid_source, complete());
    EXPECT_STATUS(invalid_value, add("late", ""));
}

TEST_F(Links, PrototypesMustAgree) {
    const std::string use = "();\n.visible .entry k() { .reg .b32 %r<2>; { .param .b32 a; call (a), f, (); "
                            "ld.param.b32 %r1, [a]; } ret; }";
    ASSERT_OK(add("main", ".extern .func (.param .b32 r) f" + use));
    ASSERT_OK(add("unused", ".extern .func (.param .f32 r) f();"));
    ASSERT_OK(add("weak", ".weak .func (.param .u32 r) f() { ret; }")); // integers of a size are one type
    EXPECT_STATUS(invalid_source, add("float", ".visible .func (.param .f32 r) f() { ret; }"));
    EXPECT_TRUE(said("'float', line 4, column 32: 'f' has another prototype than in 'weak'")) << log_;
}

TEST_F(Links, WeakVariablesMustHaveOneSize) {
    ASSERT_OK(add("one", ".weak .global .u32 v = 1;"));
    EXPECT_STATUS(invalid_source, add("two", ".weak .global .align 4 .b8 v[16];"));
    EXPECT_TRUE(said("'v' has another size than in 'one'")) << log_;
}

TEST_F(Links, ManagedVariablesMustBeDeclaredSo) {
    ASSERT_OK(add("one", ".visible .global .attribute(.managed) .u32 v = 1;"));
    EXPECT_STATUS(invalid_source, add("two", ".extern .global .u32 v;\n.visible .entry k() { .reg .b32 %r<2>; "
                                             "ld.global.u32 %r1, [v]; ret; }"));
    EXPECT_TRUE(said("managed")) << log_;
}

TEST_F(Links, WhatOneTextKeepsForItselfIsMissingInAnother) {
    ASSERT_OK(add("one", ".func f() { ret; }"));
    ASSERT_OK(add("main", ".extern .func f();\n.visible .entry k() { call f; ret; }"));
    EXPECT_STATUS(invalid_source, complete());
    EXPECT_STREQ(log_, "'main', line 5, column 28: unresolved function 'f'");
}

TEST_F(Links, AreCompleteOnce) {
    ASSERT_OK(add("one", ".visible .entry k() { ret; }"));
    ASSERT_OK(complete());
    EXPECT_STATUS(invalid_handle, complete());
    EXPECT_STATUS(invalid_value, add("late", ".visible .func f() { ret; }"));
}

TEST_F(Links, InputsAreWhatTheyAreCalled) {
    std::string text = ".version 7.8\n.target sm_80\n.address_size 64\n.visible .func f() { ret; }";
    const auto add_as = [&](int type) {
        return cuLinkAddData_v2(link_, CUjitInputType(type), text.data(), text.size() + 1, "text", 0, nullptr, nullptr);
    };
    EXPECT_STATUS(invalid_value, add_as(17));
    EXPECT_STATUS(unknown, add_as(CU_JIT_INPUT_OBJECT));
    EXPECT_STATUS(unknown, add_as(CU_JIT_INPUT_LIBRARY));
    EXPECT_OK(add_as(CU_JIT_INPUT_FATBINARY));
    EXPECT_STATUS(invalid_image, add_as(CU_JIT_INPUT_CUBIN));
    EXPECT_STATUS(invalid_image, complete());
}

TEST_F(Links, NvvmIsRefused) {
    char bytes[] = "BC";
    EXPECT_STATUS(jit_compiler_not_found,
                  cuLinkAddData_v2(link_, CU_JIT_INPUT_NVVM, bytes, sizeof bytes, "ir", 0, nullptr, nullptr));
    EXPECT_STATUS(jit_compiler_not_found, complete());
}

TEST_F(Links, FilesAreReadByKind) {
    EXPECT_STATUS(file_not_found,
                  cuLinkAddFile_v2(link_, CU_JIT_INPUT_LIBRARY, "/nonexistent/library.a", 0, nullptr, nullptr));
    const std::string path = testing::TempDir() + "link_input.ptx";
    std::ofstream(path).close();
    EXPECT_STATUS(invalid_image, cuLinkAddFile_v2(link_, CU_JIT_INPUT_PTX, path.c_str(), 0, nullptr, nullptr));
    std::ofstream(path) << ".version 7.8\n.target sm_80\n.address_size 64\n.visible .entry k() { ret; }";
    EXPECT_OK(cuLinkAddFile_v2(link_, CU_JIT_INPUT_PTX, path.c_str(), 0, nullptr, nullptr));
    EXPECT_OK(complete());
    std::remove(path.c_str());
}

TEST_F(Links, OneBadKernelLeavesTheOthers) {
    ASSERT_OK(add("one", ".visible .func f() { ret; }"));
    ASSERT_OK(add("two", ".extern .func f();\n.visible .entry good() { call f; ret; }\n.visible .entry bad() {\n  "
                         "bogus.u32 %r1;\n}"));
    ASSERT_OK(complete());
    CUmodule module = nullptr;
    CUfunction function = nullptr;
    char log[1024] = {};
    CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
    void* values[] = {log, reinterpret_cast<void*>(sizeof log)};
    ASSERT_OK(cuModuleLoadDataEx(&module, image_, 2, options, values));
    EXPECT_NE(std::string(log).find("line 7, column 3: unknown instruction 'bogus'"), std::string::npos) << log;
    EXPECT_STATUS(invalid_ptx, cuModuleGetFunction(&function, module, "bad"));
    ASSERT_OK(cuModuleGetFunction(&function, module, "good"));
    EXPECT_OK(cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, nullptr, nullptr));
    EXPECT_OK(cuCtxSynchronize());
    EXPECT_OK(cuModuleUnload(module));
}

// Which options and values an H100's driver takes.
TEST_F(Modules, JitOptionsOfLinks) {
    const auto create = [](std::vector<CUjit_option> options, std::vector<size_t> numbers) {
        std::vector<void*> values;
        for (size_t number : numbers) values.push_back(reinterpret_cast<void*>(number));
        CUlinkState link = nullptr;
        const CUresult result = cuLinkCreate_v2(unsigned(options.size()), options.data(), values.data(), &link);
        if (result == 0) {
            EXPECT_OK(cuLinkDestroy(link));
        }
        return result;
    };
    EXPECT_STATUS(invalid_value, create({CU_JIT_ERROR_LOG_BUFFER}, {0}));
    EXPECT_STATUS(invalid_value, create({CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES}, {64}));
    EXPECT_STATUS(invalid_value, create({CU_JIT_TARGET}, {17}));
    EXPECT_STATUS(invalid_value, create({CU_JIT_FALLBACK_STRATEGY}, {7}));
    EXPECT_STATUS(invalid_value, create({CU_JIT_CACHE_MODE}, {7}));
    EXPECT_STATUS(invalid_value, create({CUjit_option(99)}, {7}));
    EXPECT_STATUS(invalid_value, create({CUjit_option(-1)}, {7}));
    EXPECT_OK(create({CU_JIT_TARGET, CU_JIT_OPTIMIZATION_LEVEL, CU_JIT_MAX_REGISTERS}, {90, 5, 32}));
}

TEST_F(Modules, LinksForAnOlderTargetRefuseTheText) {
    CUjit_option options[] = {CU_JIT_TARGET, CU_JIT_WALL_TIME};
    void* values[] = {reinterpret_cast<void*>(75), nullptr};
    CUlinkState link = nullptr;
    ASSERT_OK(cuLinkCreate_v2(2, options, values, &link));
    char newer[] = ".version 7.8\n.target sm_80\n.address_size 64\n.visible .func f() { ret; }";
    char older[] = ".version 7.8\n.target sm_75\n.address_size 64\n.visible .func f() { ret; }";
    EXPECT_STATUS(invalid_ptx,
                  cuLinkAddData_v2(link, CU_JIT_INPUT_PTX, newer, sizeof newer, "newer", 0, nullptr, nullptr));
    EXPECT_OK(cuLinkAddData_v2(link, CU_JIT_INPUT_PTX, older, sizeof older, "older", 0, nullptr, nullptr));
    float milliseconds = 0;
    std::memcpy(&milliseconds, &values[1], sizeof milliseconds);
    EXPECT_GT(milliseconds, 0.0f);
    EXPECT_OK(cuLinkDestroy(link));
}

TEST_F(Links, VariablesMustAgree) {
    ASSERT_OK(add("one", ".visible .global .b8 v[16];"));
    EXPECT_STATUS(invalid_source, add("two", ".extern .global .u32 v;\n.visible .entry k() { .reg .b32 %r<2>; "
                                             "ld.global.u32 %r1, [v]; ret; }"));
    EXPECT_TRUE(said("'v' has another size than in 'one'")) << log_;
}

TEST_F(Links, WhatIsMissingIsNamedAtTheEnd) {
    ASSERT_OK(add("main", ".extern .func f();\n.extern .global .u32 v;\n.visible .entry k() { .reg .b32 %r<2>; call f; "
                          "ld.global.u32 %r1, [v]; ret; }"));
    EXPECT_STATUS(invalid_source, complete());
    EXPECT_TRUE(said("unresolved function 'f'")) << log_;
    EXPECT_TRUE(said("unresolved variable 'v'")) << log_;
}

TEST_F(Links, WhatIsOnlyDeclaredIsNotMissed) {
    ASSERT_OK(add("main", ".extern .func f();\n.visible .entry k() { ret; }"));
    EXPECT_OK(complete());
}

TEST_F(Links, WrongInputIsRefusedAndForgotten) {
    EXPECT_STATUS(invalid_ptx, add("bad", ".visible .entry k() { bogus.u32 %r1; }"));
    EXPECT_TRUE(said("bogus")) << log_;
    char text[] = "hello";
    EXPECT_STATUS(invalid_image,
                  cuLinkAddData_v2(link_, CU_JIT_INPUT_PTX, text, sizeof text, "text", 0, nullptr, nullptr));
    ASSERT_OK(complete());
    CUmodule module = nullptr;
    ASSERT_OK(cuModuleLoadData(&module, image_)); // of nothing
    CUfunction function = nullptr;
    EXPECT_STATUS(not_found, cuModuleGetFunction(&function, module, "k"));
    EXPECT_OK(cuModuleUnload(module));
}

TEST_F(Links, DamagedObjectsAndLibrariesAreRefused) {
    const std::string inputs[] = {"!<arch>\nshort",
                                  std::string("\x7f"
                                              "ELF\2\1\1") +
                                      std::string(80, '\xff'),
                                  "!<arch>\n"};
    for (std::string bytes : inputs) {
        for (auto type : {CU_JIT_INPUT_OBJECT, CU_JIT_INPUT_LIBRARY})
            EXPECT_NE(
                cuLinkAddData_v2(link_, CUjitInputType(type), bytes.data(), bytes.size(), "bytes", 0, nullptr, nullptr),
                0);
    }
}

TEST_F(Modules, DeclaredVariablesOfATextAloneAreZero) {
    CUmodule module = nullptr;
    ASSERT_OK(cuModuleLoadData(&module, ".version 7.8\n.target sm_80\n.address_size 64\n.extern .global .u32 v;\n"
                                        ".visible .entry k() { .reg .b32 %r<2>; ld.global.u32 %r1, [v]; ret; }"));
    EXPECT_OK(cuModuleUnload(module));
}

TEST_F(Modules, LinksTexts) {
    CUlinkState link = nullptr;
    ASSERT_OK(cuLinkCreate_v2(0, nullptr, nullptr, &link));
    const auto add = [&](const char* text) {
        return cuLinkAddData_v2(link, CU_JIT_INPUT_PTX, const_cast<char*>(text), std::strlen(text) + 1, "text", 0,
                                nullptr, nullptr);
    };
    ASSERT_OK(add(kernels::caller));
    ASSERT_OK(add(kernels::callee));
    void* image = nullptr;
    size_t size = 0;
    ASSERT_OK(cuLinkComplete(link, &image, &size));
    EXPECT_GT(size, 0u);
    CUmodule module = nullptr;
    ASSERT_OK(cuModuleLoadData(&module, image));
    ASSERT_OK(cuLinkDestroy(link));
    EXPECT_STATUS(invalid_handle, cuLinkDestroy(link));
    CUfunction function = nullptr;
    ASSERT_OK(cuModuleGetFunction(&function, module, "apply"));
    CUdeviceptr word = 0;
    ASSERT_OK(cuMemAlloc_v2(&word, 4));
    ASSERT_OK(cuMemsetD32_v2(word, 21, 1));
    void* arguments[] = {&word};
    ASSERT_OK(cuLaunchKernel(function, 1, 1, 1, 1, 1, 1, 0, nullptr, arguments, nullptr));
    uint32_t value = 0;
    ASSERT_OK(cuMemcpyDtoH_v2(&value, word, 4));
    EXPECT_EQ(value, 42u);
    EXPECT_OK(cuMemFree_v2(word));
    EXPECT_OK(cuModuleUnload(module));
}
