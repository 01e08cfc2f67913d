#pragma once

#include "api/constants.h"
#include "api/exports.h"
#include "rt/error.h"

#include <gtest/gtest.h>

#define EXPECT_OK(call) EXPECT_EQ(call, 0)
#define ASSERT_OK(call) ASSERT_EQ(call, 0)
#define EXPECT_STATUS(status, call) EXPECT_EQ(call, int(rt::Status::status))

/// cuInit done, and the primary context of device 0 current.
class Driver : public testing::Test {
  protected:
    void SetUp() override {
        ASSERT_OK(shim::cuInit(0));
        ASSERT_OK(shim::cuDevicePrimaryCtxRetain(&context, 0));
        ASSERT_OK(shim::cuCtxSetCurrent(context));
    }
    void TearDown() override {
        EXPECT_OK(shim::cuCtxSetCurrent(nullptr));
        EXPECT_OK(shim::cuDevicePrimaryCtxRelease_v2(0));
    }

    shim::CUcontext context = nullptr;
};
