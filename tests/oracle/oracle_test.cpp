#include "cases.h"
#include "group_runner.h"
#include "tolerance.h"

#include "backend/cpu/cpu.h"
#include "backend/hip/hip.h"

#include <gtest/gtest.h>

#include <cstring>

// Every row of cases.tsv is a test: suite = group, name = kernel. On the CPU device, or on the one that a last argument
// names: hip.
namespace oracle {
namespace {

constexpr unsigned shown_failures = 5;

std::string device_name = "cpu";

/// Groups that must be right in full.
bool is_strict(const std::string& group) {
    if (device_name != "cpu") return false;
    return group == "int_arith" || group == "bits" || group == "compare";
}

std::unique_ptr<rt::backend::Backend> create_backend() {
    if (device_name == "hip") return rt::backend::create_hip_backend();
    return rt::backend::create_cpu_backend();
}

/// The device lives as long as the process; runners are made when a test of their group comes first.
GroupRunner& runner_of(const std::string& group) {
    static rt::backend::Backend& backend = *create_backend().release();
    static std::map<std::string, std::unique_ptr<GroupRunner>> runners;
    auto& runner = runners[group];
    if (!runner) runner = std::make_unique<GroupRunner>(*backend.devices().front(), group);
    return *runner;
}

std::string inputs_of(const Case& test, const uint64_t* slots) {
    std::string text;
    for (size_t i = 0; i < test.inputs.size(); ++i)
        text += (i ? ", " : "") + describe(test.inputs[i], truncate(slots[i], test.inputs[i]));
    return text;
}

/// The bytes of both slots that no result covers are as they were.
bool rest_is_untouched(const Case& test, const uint64_t* slots) {
    uint8_t bytes[output_slots * sizeof(uint64_t)];
    std::memcpy(bytes, slots, sizeof bytes);
    for (size_t slot = 0; slot < output_slots; ++slot) {
        const size_t used = slot < test.outputs.size() ? size_of(test.outputs[slot]) : 0;
        for (size_t i = used; i < sizeof(uint64_t); ++i)
            if (bytes[slot * sizeof(uint64_t) + i] != untouched) return false;
    }
    return true;
}

/// One line for every thread that is wrong, at most `shown_failures`, and their number.
std::string wrong_threads(const Case& test) {
    const std::vector<uint64_t> inputs = read_inputs(test), expected = read_expected(test);
    const std::vector<uint64_t> outputs = runner_of(test.group).run(test);
    const size_t results = test.outputs.size();
    std::string report;
    unsigned wrong = 0;
    for (unsigned thread = 0; thread < threads; ++thread) {
        const uint64_t* in = &inputs[thread * input_slots];
        const uint64_t* out = &outputs[thread * output_slots];
        std::string complaint = rest_is_untouched(test, out) ? "" : " bytes beyond the result were written";
        for (size_t i = 0; i < results; ++i) {
            const std::string& type = test.outputs[i];
            const uint64_t want = expected[thread * results + i], got = truncate(out[i], type);
            if (!agrees(test.tolerance, type, want, got, in[0]))
                complaint += " expected " + describe(type, want) + " got " + describe(type, got);
        }
        if (complaint.empty()) continue;
        if (wrong++ < shown_failures)
            report += "  thread " + std::to_string(thread) + ": (" + inputs_of(test, in) + ")" + complaint + "\n";
    }
    if (wrong == 0) return {};
    return std::to_string(wrong) + " of " + std::to_string(threads) + " threads are wrong:\n" + report;
}

class OracleTest : public testing::Test {
  public:
    OracleTest(const Case& test, const std::string& expected_failure) : test_(test), reason_(expected_failure) {}

    void TestBody() override {
        std::string failure;
        try {
            failure = wrong_threads(test_);
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
    if (argc > 1) oracle::device_name = argv[1];
    oracle::register_tests();
    return RUN_ALL_TESTS();
}
