#include "library.h"

#include <cstdlib>
#include <gtest/gtest.h>

const Nvrtc& cuttle_nvrtc() {
    static const Nvrtc nvrtc(CUTTLE_NVRTC_LIBRARY);
    return nvrtc;
}

const Nvrtc* nvidia_nvrtc() {
    static const Nvrtc nvrtc("/usr/local/cuda/lib64/libnvrtc.so.13");
    return nvrtc.library != nullptr ? &nvrtc : nullptr;
}

int main(int argc, char** argv) {
    setenv("CUTTLE_NVRTC", "clang", 1);
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
