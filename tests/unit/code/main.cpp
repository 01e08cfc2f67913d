#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

/// The options are read once, so the environment is settled before anything else.
int main(int argc, char** argv) {
    std::string directory = (std::filesystem::temp_directory_path() / "cuttle-code-test-XXXXXX").string();
    if (mkdtemp(directory.data()) == nullptr) return 1;
    setenv("CUTTLE_TRANSLATOR", FAKE_TRANSLATOR, 1);
    setenv("CUTTLE_CACHE_DIR", directory.c_str(), 1);
    setenv("CUTTLE_LOG", "error", 0);
    testing::InitGoogleTest(&argc, argv);
    const int result = RUN_ALL_TESTS();
    std::filesystem::remove_all(directory);
    return result;
}
