#pragma once

#include "driver_declarations.h"

#include <gtest/gtest.h>

#include <string>

/// A context of its own for each test, so that a sticky error ends with the test.
class WithContext : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_EQ(cuInit(0), 0);
        ASSERT_EQ(cuDeviceGet(&device, 0), 0);
        ASSERT_EQ(cuCtxCreate_v2(&context, 0, device), 0);
    }
    void TearDown() override { EXPECT_EQ(cuCtxDestroy_v2(context), 0); }

    /// Loads PTX: `body` after the usual three directives (so that its first line is line 4 of the text).
    CUresult load(const std::string& body) {
        const std::string text = ".version 7.8\n.target sm_80\n.address_size 64\n" + body;
        error_log.assign(4096, 0);
        int options[] = {5, 6};   // CU_JIT_ERROR_LOG_BUFFER and its size
        void* values[] = {error_log.data(), (void*)error_log.size()};
        const CUresult status = cuModuleLoadDataEx(&module, text.c_str(), 2, (CUjit_option*)options, values);
        error_log.resize(error_log.find('\0'));
        return status;
    }
    CUresult function(const char* name) { return cuModuleGetFunction(&kernel, module, name); }
    CUresult launch(unsigned grid = 1, unsigned block = 1, void** arguments = nullptr, unsigned shared = 0) {
        return cuLaunchKernel(kernel, grid, 1, 1, block, 1, 1, shared, nullptr, arguments, nullptr);
    }
    /// Loads, launches and waits; the first failure of the three.
    CUresult run(const std::string& body, void** arguments = nullptr, unsigned grid = 1, unsigned block = 1) {
        CUresult status = load(body);
        if (status == 0) status = function("k");
        if (status == 0) status = launch(grid, block, arguments);
        return status == 0 ? cuCtxSynchronize() : status;
    }

    CUdevice device = 0;
    CUcontext context = nullptr;
    CUmodule module = nullptr;
    CUfunction kernel = nullptr;
    std::string error_log;
};
