#include "core/visible_devices.h"
#include "support/dynamic_library.h"
#include "support/log.h"
#include "support/options.h"

#include <cstdlib>
#include <gtest/gtest.h>

using namespace rt;

namespace {

Options with(const char* variable, const char* value, std::vector<std::string>& complaints) {
    setenv(variable, value, 1);
    auto result = read_options(complaints);
    unsetenv(variable);
    return result;
}

} // namespace

TEST(Options, Values) {
    std::vector<std::string> none;
    EXPECT_EQ(with("CUTTLE_CPU_MEMORY", "4G", none).cpu_memory, 4ull << 30);
    EXPECT_EQ(with("CUTTLE_CPU_MEMORY", "512MiB", none).cpu_memory, 512ull << 20);
    EXPECT_EQ(with("CUTTLE_CPU_MEMORY", "12345", none).cpu_memory, 12345u);
    EXPECT_EQ(with("CUTTLE_NUM_THREADS", "-3", none).num_threads, -3);
    EXPECT_FALSE(with("CUTTLE_CACHE", "Off", none).cache);
    EXPECT_TRUE(with("CUTTLE_CACHE", "yes", none).cache);
    EXPECT_EQ(with("CUTTLE_DEVICES", "cpu,null", none).devices, "cpu,null");
    EXPECT_EQ(with("CUTTLE_NUM_THREADS", "", none).num_threads, 0);
    EXPECT_TRUE(none.empty());
}

TEST(Options, BadValuesKeepTheDefaultAndAreNamed) {
    for (auto [variable, value] : {std::pair{"CUTTLE_CPU_MEMORY", "4X"},
                                   {"CUTTLE_CPU_MEMORY", "99999999999T"},
                                   {"CUTTLE_CPU_MEMORY", "G"},
                                   {"CUTTLE_NUM_THREADS", "two"},
                                   {"CUTTLE_NUM_THREADS", "99999999999999999999"},
                                   {"CUTTLE_CACHE", "maybe"}}) {
        std::vector<std::string> complaints;
        auto options = with(variable, value, complaints);
        ASSERT_EQ(complaints.size(), 1u) << variable << "=" << value;
        EXPECT_NE(complaints[0].find(variable), std::string::npos);
        EXPECT_NE(complaints[0].find(value), std::string::npos);
        EXPECT_EQ(options.cpu_memory, 0u);
        EXPECT_EQ(options.num_threads, 0);
        EXPECT_TRUE(options.cache);
    }
}

TEST(Options, RowsAreReadable) {
    bool seen = false;
    for (auto& row : option_rows()) {
        EXPECT_NE(std::string(row.variable), "");
        EXPECT_NE(std::string(row.help), "");
        if (std::string(row.name) != "log") continue;
        seen = true;
        EXPECT_STREQ(row.default_value, "warning");
    }
    EXPECT_TRUE(seen);
    EXPECT_EQ(option_value("optimization"), "3");
    EXPECT_EQ(option_value("no such option"), "");
}

TEST(Log, Levels) {
    std::string complaint;
    LogLevels levels = LogLevels::parse("error,api=trace,memory=off", complaint);
    EXPECT_EQ(complaint, "");
    EXPECT_EQ(levels.of_channel[size_t(LogChannel::api)], LogLevel::trace);
    EXPECT_EQ(levels.of_channel[size_t(LogChannel::launch)], LogLevel::error);
    EXPECT_EQ(levels.of_channel[size_t(LogChannel::memory)], LogLevel::off);
    EXPECT_EQ(LogLevels::parse("loud", complaint), LogLevels());
    EXPECT_NE(complaint.find("loud"), std::string::npos);
    complaint.clear();
    EXPECT_EQ(LogLevels::parse("kernel=info,api=loud", complaint), LogLevels());
    EXPECT_NE(complaint.find("kernel=info"), std::string::npos);
    EXPECT_NE(complaint.find("api=loud"), std::string::npos);
}

TEST(Log, FirstTime) {
    EXPECT_TRUE(first_time("a text of this test"));
    EXPECT_FALSE(first_time("a text of this test"));
    EXPECT_TRUE(first_time("another text of this test"));
}

TEST(DynamicLibrary, OpensTheFirstThatIsThere) {
    std::string reason;
    auto library = DynamicLibrary::open({"libno-such-thing.so.9", "libm.so.6"}, &reason);
    ASSERT_TRUE(library);
    EXPECT_EQ(library->name(), "libm.so.6");
    EXPECT_NE(reason.find("libno-such-thing"), std::string::npos);
    double (*cosine)(double) = nullptr;
    library->get("cos", cosine);
    EXPECT_EQ(cosine(0), 1);
    EXPECT_EQ(library->find("no_such_symbol"), nullptr);
    EXPECT_FALSE(DynamicLibrary::open({"libno-such-thing.so.9"}));
}

TEST(VisibleDevices, AsCuda) {
    std::vector<Uuid> uuids{{0xaa, 1}, {0xab, 2}, {0xcc, 3}};
    using V = std::vector<int>;
    EXPECT_EQ(visible_devices(std::nullopt, uuids), (V{0, 1, 2}));
    EXPECT_EQ(visible_devices("", uuids), V{});
    EXPECT_EQ(visible_devices("2,0", uuids), (V{2, 0}));
    EXPECT_EQ(visible_devices(" 1 , 2", uuids), (V{1, 2}));
    EXPECT_EQ(visible_devices("0,7,1", uuids), V{0});
    EXPECT_EQ(visible_devices("1,-1,0", uuids), V{1});
    EXPECT_EQ(visible_devices("NoDevFiles", uuids), V{});
    EXPECT_EQ(visible_devices("1,1", uuids), V{});
    EXPECT_EQ(visible_devices("GPU-cc", uuids), V{2});
    EXPECT_EQ(visible_devices(uuid_text(uuids[1]) + ",0", uuids), (V{1, 0}));
    EXPECT_EQ(visible_devices("gpu-AA01,1", uuids), (V{0, 1}));
    EXPECT_EQ(visible_devices("GPU-a", uuids), V{}) << "does not say which";
    EXPECT_EQ(visible_devices("0,GPU-ff,1", uuids), V{0});
    EXPECT_EQ(uuid_text(uuids[1]), "GPU-ab020000-0000-0000-0000-000000000000");
}
