#include "temporary_directory.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <utility>

namespace {

struct Outcome {
    int code;
    std::string output; ///< stdout and stderr
};

Outcome cuttle(const std::string& arguments) {
    FILE* pipe = popen((CUTTLE_COMMAND " " + arguments + " 2>&1").c_str(), "r");
    std::string output;
    for (int c; (c = std::fgetc(pipe)) != EOF;) output += char(c);
    const int status = pclose(pipe);
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, output};
}

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(CuttleCommand, RunsPrograms) {
    EXPECT_EQ(cuttle("run sh -c 'exit 7'").code, 7);
    EXPECT_EQ(cuttle("run -- sh -c 'exit 8'").code, 8);
    EXPECT_EQ(cuttle("run --device cpu -- echo -- x").output, "-- x\n");
    EXPECT_EQ(cuttle("run echo --summary -x").output, "--summary -x\n");
    const Outcome environment = cuttle("run --device null --summary --profile env");
    EXPECT_TRUE(contains(environment.output, "CUTTLE_DEVICES=null\n")) << environment.output;
    EXPECT_TRUE(contains(environment.output, "CUTTLE_SUMMARY=1\n"));
    EXPECT_TRUE(contains(environment.output, "CUTTLE_PROFILE=1\n"));
    EXPECT_TRUE(contains(environment.output, "/libcuda.so.1")) << environment.output;
}

TEST(CuttleCommand, SaysWhatIsWrong) {
    const Outcome missing = cuttle("run ./no-such-program");
    EXPECT_EQ(missing.code, 127);
    EXPECT_TRUE(contains(missing.output, "'./no-such-program': No such file")) << missing.output;
    EXPECT_EQ(cuttle("run /tmp").code, 126);
    EXPECT_TRUE(contains(cuttle("run").output, "which program?"));
    EXPECT_TRUE(contains(cuttle("run --devise cpu sh").output, "unknown option --devise"));
    EXPECT_NE(cuttle("").code, 0);
    EXPECT_NE(cuttle("frobnicate").code, 0);
}

TEST(CuttleCommand, ShowsWhatIsThere) {
    const Outcome information = cuttle("info");
    EXPECT_EQ(information.code, 0) << information.output;
    for (const char* part : {"device 0: ", "compute capability ", "driver version: 1", "translator: /", "cache: /"})
        EXPECT_TRUE(contains(information.output, part)) << part << " in " << information.output;
    // A driver older than CUDA 13 is none of ours.
    for (auto [asked, told] : {std::pair{"13010", "13.1"}, {"13040", "13.4"}, {"12000", "13.0"}, {"", "13.4"}}) {
        setenv("CUTTLE_DRIVER_VERSION", asked, 1);
        const std::string output = cuttle("info").output;
        EXPECT_TRUE(contains(output, std::string("driver version: ") + told + "\n")) << asked << ": " << output;
    }
    unsetenv("CUTTLE_DRIVER_VERSION");
    const Outcome options = cuttle("info --options");
    EXPECT_EQ(options.code, 0);
    for (const char* part : {"CUTTLE_DEVICES", "CUTTLE_CACHE_DIR", "CUTTLE_SUMMARY"})
        EXPECT_TRUE(contains(options.output, part)) << options.output;
}

TEST(CuttleCommand, ClearsTheCache) {
    TemporaryDirectory directory;
    setenv("CUTTLE_CACHE_DIR", directory.path().c_str(), 1);
    std::filesystem::create_directories(directory.path() / "v1/ab");
    std::filesystem::permissions(directory.path() / "v1", std::filesystem::perms::owner_all);
    std::ofstream(directory.path() / "v1/ab/entry") << "twelve bytes";
    EXPECT_TRUE(contains(cuttle("cache").output, ": 1 entries")) << cuttle("cache").output;
    EXPECT_TRUE(contains(cuttle("cache --clear").output, "1 entries deleted, 0 left"));
    EXPECT_TRUE(contains(cuttle("cache").output, ": 0 entries"));
    unsetenv("CUTTLE_CACHE_DIR");
}

} // namespace
