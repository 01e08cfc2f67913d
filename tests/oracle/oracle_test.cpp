#include "cases.h"
#include "group_runner.h"
#include "judge.h"

#include "backend/cpu/cpu.h"
#include "backend/hip/hip.h"
#include "backend/level_zero/level_zero.h"

#include <gtest/gtest.h>

// Every row of cases.tsv is a test: suite = group, name = kernel. On the CPU device, or on the one that a last argument
// names: hip or level_zero; warp = on the CPU device, in vectors of threads.
namespace oracle {
namespace {

std::string device_name = "cpu";
bool warp = false;

/// Groups that must be right in full.
bool is_strict(const std::string& group) {
    if (device_name != "cpu") return false;
    return group == "int_arith" || group == "bits" || group == "compare";
}

std::unique_ptr<rt::backend::Backend> create_backend() {
    if (device_name == "hip") return rt::backend::create_hip_backend();
    if (device_name == "level_zero") return rt::backend::create_level_zero_backend();
    return rt::backend::create_cpu_backend();
}

/// The device lives as long as the process; runners are made when a test of their group comes first.
GroupRunner& runner_of(const std::string& group) {
    static rt::backend::Backend& backend = *create_backend().release();
    static std::map<std::string, std::unique_ptr<GroupRunner>> runners;
    auto& runner = runners[group];
    if (!runner) runner = std::make_unique<GroupRunner>(*backend.devices().front(), group, warp);
    return *runner;
}

class OracleTest : public testing::Test {
  public:
    OracleTest(const Case& test, const std::string& expected_failure) : test_(test), reason_(expected_failure) {}

    void TestBody() override {
        std::string failure;
        try {
            failure = wrong_threads(test_, runner_of(test_.group).run(test_));
        } catch (const std::exception& error) {
            failure = error.what();
        }
        if (reason_.empty()) {
            EXPECT_TRUE(failure.empty()) << test_.kernel << ": " << failure;
            return;
        }
        ASSERT_FALSE(is_strict(test_.group)) << "this group may have no expected failures";
        ASSERT_FALSE(failure.empty()) << test_.kernel << " passes: take it off expected_failures.tsv";
        GTEST_SKIP() << test_.kernel << ": " << reason_;
    }

  private:
    Case test_;
    std::string reason_;
};

void register_tests() {
    auto reasons = read_expected_failures(device_name);
    for (const Case& test : read_cases()) {
        const std::string reason = reasons[test.kernel];
        testing::RegisterTest(test.group.c_str(), test.kernel.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                              [=]() -> testing::Test* { return new OracleTest(test, reason); });
    }
}

} // namespace
} // namespace oracle

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    if (argc > 1) {
        oracle::warp = argv[1] == std::string("warp");
        if (!oracle::warp) oracle::device_name = argv[1];
    }
    oracle::register_tests();
    return RUN_ALL_TESTS();
}
