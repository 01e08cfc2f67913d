// HIP's errors and CUDA's: both are numbered alike, but for those below.
#include "backend/hip/loader.h"
#include "rt/error.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string>

using namespace rt;
using namespace rt::backend;

namespace {

/// All that HIP 5 to 7 have in common.
constexpr int numbers[] = {1,   2,   3,   4,   5,   6,   7,   8,   9,   12,  13,  17,  21,  35,   52,   53,  98,  100, 101,
                           200, 201, 202, 205, 206, 207, 208, 209, 210, 211, 212, 213, 214, 215,  216,  217, 218, 219, 300,
                           301, 302, 303, 304, 400, 401, 500, 600, 700, 701, 702, 704, 705, 708,  709,  710, 712, 713, 719,
                           720, 801, 900, 901, 902, 903, 904, 905, 906, 907, 908, 910, 999, 1052, 1053};

/// Where CUDA's driver has another number for it, or none.
const std::map<int, Status> differing = {
    {9, Status::invalid_value},           // a launch's shape: the driver knows no error of its own for it
    {12, Status::invalid_value},          // a pitch, likewise
    {13, Status::not_found},              // a symbol
    {17, Status::invalid_value},          // a pointer that is none of the device's
    {21, Status::invalid_value},          // a direction of copying
    {35, Status::system_driver_mismatch}, // an old kernel driver
    {52, Status::invalid_value},          // a launch without a configuration
    {53, Status::launch_failed},          // of an earlier kernel
    {98, Status::invalid_image},          // a function that is none
    {218, Status::invalid_image},         // a code object, where CUDA has PTX
    {1052, Status::out_of_memory},        // of ROCr
    {1053, Status::unknown},
};

Status expected_of(int number) {
    if (const auto found = differing.find(number); found != differing.end()) return found->second;
    return std::ranges::find(numbers, number) != std::end(numbers) ? Status(number) : Status::unknown;
}

} // namespace

TEST(Results, BecomeCudas) {
    EXPECT_NO_THROW(hip::check(hip::hipSuccess, "succeeding"));
    for (int number = 1; number < 1100; ++number) {
        try {
            hip::check(hip::hipError_t(number), "testing");
            ADD_FAILURE() << number << " is taken for success";
        } catch (const Error& error) {
            EXPECT_EQ(error.status(), expected_of(number)) << number;
            EXPECT_NE(name_of(error.status()), nullptr) << number;
        }
    }
}

TEST(Results, KeepHipsText) {
    const auto text_of = [](int number) -> std::string {
        try {
            hip::check(hip::hipError_t(number), "testing");
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    };
    for (int number : numbers) {
        const std::string text = text_of(number);
        EXPECT_TRUE(text.starts_with("hip: testing: hipError")) << text;
        const char* own = hip::loader().hipGetErrorString(hip::hipError_t(number));
        EXPECT_TRUE(text.ends_with(std::string(": ") + own)) << text;
    }
    EXPECT_TRUE(text_of(1050).starts_with("hip: testing: result 0x41a: ")) << text_of(1050);
}
