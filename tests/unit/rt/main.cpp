#include <cstdlib>
#include <gtest/gtest.h>

int main(int count, char** arguments) {
    // The machine's own settings are not what is tested.
    unsetenv("CUDA_LAUNCH_BLOCKING");
    setenv("CUDA_VISIBLE_DEVICES", "2,0", 1);
    setenv("CUTTLE_DEVICES", "cpu", 1); // which is the fake one here
    setenv("CUTTLE_LOG", "off", 1);
    testing::InitGoogleTest(&count, arguments);
    return RUN_ALL_TESTS();
}
