#include "driver_fixture.h"

#include <cstdlib>
#include <string>

using namespace shim;

// A child process is one that never called cuInit.
TEST(InitDeathTest, BeforeInit) {
    int n = 0;
    CUdeviceptr address = 0;
    EXPECT_EXIT(std::exit(cuDeviceGetCount(&n)), testing::ExitedWithCode(3), "");
    EXPECT_EXIT(std::exit(cuMemAlloc_v2(&address, 4)), testing::ExitedWithCode(3), "");
    EXPECT_EXIT(std::exit(cuDriverGetVersion(&n)), testing::ExitedWithCode(0), "");
}

// Whatever runs when a process ends may still call in.
TEST(InitDeathTest, CallsAtExit) {
    EXPECT_EXIT(
        {
            std::atexit([] {
                int version = 0;
                if (cuDriverGetVersion(&version) || version < 13000) std::_Exit(9);
                CUcontext current = nullptr;
                cuCtxGetCurrent(&current);
            });
            std::exit(0);
        },
        testing::ExitedWithCode(0), "");
}

TEST(Init, FlagsAndVersion) {
    EXPECT_STATUS(invalid_value, cuInit(1));
    ASSERT_OK(cuInit(0));
    ASSERT_OK(cuInit(0));
    int version = 0;
    ASSERT_OK(cuDriverGetVersion(&version));
    EXPECT_GE(version, 13000);
    EXPECT_STATUS(invalid_value, cuDriverGetVersion(nullptr));
}

TEST(Init, ErrorTexts) {
    const char* text = nullptr;
    ASSERT_OK(cuGetErrorName(700, &text));
    EXPECT_STREQ(text, "CUDA_ERROR_ILLEGAL_ADDRESS");
    ASSERT_OK(cuGetErrorString(2, &text));
    EXPECT_STREQ(text, "out of memory");
    EXPECT_STATUS(invalid_value, cuGetErrorName(12345, &text));
    EXPECT_STREQ(text, "out of memory") << "untouched";
    EXPECT_STATUS(invalid_value, cuGetErrorString(0, nullptr));
}
