#include "driver_fixture.h"

#include <dlfcn.h>

namespace {

constexpr int found = shim::CU_GET_PROC_ADDRESS_SUCCESS, unknown = shim::CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND,
              too_old = shim::CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT;
struct Row {
    const char* name;
    int version;
    uint64_t flags;
    const char* symbol; // nullptr: none
    int status;
};

// clang-format off
constexpr Row rows[] = {
    {"cuMemAlloc",               2000, 0, "cuMemAlloc", found},
    {"cuMemAlloc",               3019, 0, "cuMemAlloc", found},
    {"cuMemAlloc",               3020, 0, "cuMemAlloc_v2", found},
    {"cuMemAlloc",              13000, 0, "cuMemAlloc_v2", found},
    {"cuMemAlloc",              13000, 2, "cuMemAlloc_v2", found},
    {"cuMemAlloc",               1999, 0, nullptr, too_old},
    {"cuMemAlloc_v2",           13000, 0, nullptr, unknown},
    {"cuNoSuchFunction",        13000, 0, nullptr, unknown},
    {"",                            0, 0, nullptr, unknown},
    {"cuCtxCreate",              3020, 0, "cuCtxCreate_v2", found},
    {"cuCtxCreate",             11040, 0, "cuCtxCreate_v3", found},
    {"cuCtxCreate",             13000, 0, "cuCtxCreate_v4", found},
    {"cuCtxGetDevice",           2000, 0, "cuCtxGetDevice", found},
    {"cuCtxGetDevice",          13000, 0, "cuCtxGetDevice_v2", found},
    {"cuEventElapsedTime",       2000, 0, "cuEventElapsedTime", found},
    {"cuEventElapsedTime",      12080, 0, "cuEventElapsedTime_v2", found},
    {"cuDeviceGetUuid",          9020, 0, "cuDeviceGetUuid", found},
    {"cuDevicePrimaryCtxReset",  7000, 0, "cuDevicePrimaryCtxReset", found},
    {"cuGetProcAddress",        11030, 0, "cuGetProcAddress", found},
    {"cuGetProcAddress",        12000, 0, "cuGetProcAddress_v2", found},
    {"cuMemcpyHtoD",             7000, 0, "cuMemcpyHtoD_v2", found},
    {"cuMemcpyHtoD",             7000, 1, "cuMemcpyHtoD_v2", found},
    {"cuMemcpyHtoD",             7000, 2, "cuMemcpyHtoD_v2_ptds", found},
    {"cuMemcpyHtoD",             3020, 2, nullptr, too_old},
    {"cuStreamSynchronize",      3020, 2, nullptr, too_old},
    {"cuStreamSynchronize",     13000, 2, "cuStreamSynchronize_ptsz", found},
    {"cuLaunchKernel",           7000, 2, "cuLaunchKernel_ptsz", found},
    {"cuLaunchKernel",           4000, 0, "cuLaunchKernel", found},
    {"cuStreamBeginCapture",    10000, 2, "cuStreamBeginCapture_ptsz", found},
    {"cuStreamBeginCapture",    10010, 2, "cuStreamBeginCapture_v2_ptsz", found},
    {"cuStreamGetCaptureInfo",  10010, 0, "cuStreamGetCaptureInfo", found},
    {"cuStreamGetCaptureInfo",  11030, 2, "cuStreamGetCaptureInfo_v2_ptsz", found},
    {"cuStreamGetCaptureInfo",  12030, 0, "cuStreamGetCaptureInfo_v3", found},
    {"cuLibraryLoadData",       11080, 0, nullptr, too_old},
    {"cuLibraryLoadData",       12000, 0, "cuLibraryLoadData", found},
};
// clang-format on

void* exported(const char* symbol) { return symbol ? dlsym(RTLD_DEFAULT, symbol) : nullptr; }

} // namespace

// As an H100 with driver 580 answers.
TEST(GetProcAddress, Rules) {
    for (const Row& row : rows) {
        SCOPED_TRACE(testing::Message() << row.name << " " << row.version << " " << row.flags);
        void* address = &address;
        int status = -1;
        const int result = shim::cuGetProcAddress_v2(row.name, &address, row.version, row.flags, &status);
        EXPECT_EQ(result, 0) << "what is missing shows in the status";
        EXPECT_EQ(address, exported(row.symbol));
        EXPECT_EQ(status, row.status);
    }
}

TEST(GetProcAddress, StatusMayBeNull) {
    void* address = nullptr;
    EXPECT_OK(shim::cuGetProcAddress_v2("cuInit", &address, 2000, 0, nullptr));
    EXPECT_EQ(address, exported("cuInit"));
    EXPECT_OK(shim::cuGetProcAddress_v2("cuNone", &address, 2000, 0, nullptr));
    EXPECT_EQ(address, nullptr);
}

TEST(GetProcAddress, WrongArguments) {
    void* address = nullptr;
    EXPECT_STATUS(invalid_value, shim::cuGetProcAddress_v2(nullptr, &address, 13000, 0, nullptr));
    EXPECT_STATUS(invalid_value, shim::cuGetProcAddress_v2("cuInit", nullptr, 13000, 0, nullptr));
    EXPECT_STATUS(invalid_value, shim::cuGetProcAddress_v2("cuInit", &address, 13000, 3, nullptr));
    EXPECT_STATUS(invalid_value, shim::cuGetProcAddress_v2("cuInit", &address, 13000, 4, nullptr));
    int status = 77;
    address = &address;
    EXPECT_STATUS(invalid_value, shim::cuGetProcAddress_v2("cuInit", &address, 99999, 0, &status));
    EXPECT_EQ(address, &address) << "untouched";
    EXPECT_EQ(status, 77);
}

namespace {
using Five = int (*)(const char*, void**, int, uint64_t, int*);
__attribute__((no_sanitize("undefined"))) int call_with_five(Five function, void** address, int* status) {
    return function("cuMemAlloc", address, 13000, 0, status);
}
} // namespace

// Some clients call the first form with the second one's five arguments.
TEST(GetProcAddress, FirstFormWithFiveArguments) {
    void* address = nullptr;
    int status = 0;
    EXPECT_OK(call_with_five(reinterpret_cast<Five>(exported("cuGetProcAddress")), &address, &status));
    EXPECT_EQ(address, exported("cuMemAlloc_v2"));
}

// All 21 without which a program on static cudart cannot run, as it asks for them.
TEST(GetProcAddress, WhatCudartCannotDoWithout) {
    for (const char* name : {"cuInit",
                             "cuDriverGetVersion",
                             "cuGetProcAddress",
                             "cuGetExportTable",
                             "cuDeviceGet",
                             "cuDeviceGetCount",
                             "cuDeviceGetName",
                             "cuDeviceGetAttribute",
                             "cuDeviceGetUuid",
                             "cuDeviceTotalMem",
                             "cuDevicePrimaryCtxRetain",
                             "cuCtxGetCurrent",
                             "cuCtxSetCurrent",
                             "cuCtxGetDevice",
                             "cuMemAlloc",
                             "cuMemFree",
                             "cuMemcpyHtoD",
                             "cuMemcpyDtoH",
                             "cuLibraryLoadData",
                             "cuLibraryGetKernel",
                             "cuLaunchKernel"}) {
        void* address = nullptr;
        EXPECT_OK(shim::cuGetProcAddress_v2(name, &address, 13000, 0, nullptr)) << name;
        EXPECT_NE(address, nullptr) << name;
    }
}
