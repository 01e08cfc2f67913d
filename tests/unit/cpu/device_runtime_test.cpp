#include "fixture.h"

#include "backend/device_side/device_runtime.h"

#include <climits>
#include <cstring>
#include <set>

namespace cpu_test {

/// Packs arguments as a kernel does and formats them.
template <class... A> static std::string format(const char* text, A... arguments) {
    std::vector<uint8_t> packed(64);
    [[maybe_unused]] const auto pack = [&](auto value) {
        const size_t at = (packed.size() + sizeof value - 1) / sizeof value * sizeof value;
        packed.resize(at + sizeof value);
        std::memcpy(packed.data() + at, &value, sizeof value);
    };
    (pack(arguments), ...);
    std::string out;
    const int32_t used = rt::backend::format_device(out, text, packed.data() + 64);
    EXPECT_EQ(used, int32_t(sizeof...(A))) << text;
    return out;
}

#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat"
template <class... A> static void expect_as_snprintf(const char* text, A... arguments) {
    char expected[1024];
    std::snprintf(expected, sizeof expected, text, arguments...);
    EXPECT_EQ(format(text, arguments...), expected) << text;
}

TEST(FormatDevice, LikeSnprintf) {
    expect_as_snprintf("plain");
    expect_as_snprintf("100%%");
    for (int value : {0, 1, -1, INT_MAX, INT_MIN, 12345})
        for (const char* text : {"%d", "%i", "%u", "%x", "%X", "%o", "%5d|", "%-8d|", "%+d", "% d", "%08d", "%#x",
                                 "%.3d", "%10.4d", "%hd", "%hu"})
            expect_as_snprintf(text, value);
    for (long long value : {0ll, -1ll, LLONG_MIN, LLONG_MAX, 1ll << 40})
        for (const char* text : {"%ld", "%lld", "%lu", "%llu", "%lx", "%#llX", "%lo", "%20lld|"})
            expect_as_snprintf(text, value);
    for (double value : {0.0, -0.0, 1.5, -2.25e10, 3.14159265358979, 1e-300, 1e300})
        for (const char* text :
             {"%f", "%e", "%E", "%g", "%G", "%a", "%A", "%.2f", "%10.3e|", "%-12g|", "%+.0f", "%#g", "%020.5f"})
            expect_as_snprintf(text, value);
    expect_as_snprintf("%f %g", std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN());
    expect_as_snprintf("%c%c%c", int('a'), int('%'), int('z'));
    expect_as_snprintf("[%s] [%10s] [%-10s] [%.2s]", "abc", "right", "left", "cut");
    expect_as_snprintf("%p", reinterpret_cast<void*>(0x1234abcd));
    expect_as_snprintf("%*d|%-*d", 7, 42, 6, 43);
    expect_as_snprintf("%*d|", -7, 42);
    expect_as_snprintf("%d %lld %f %c %s %d", 1, 2ll, 3.0, int('4'), "5", 6);
}

TEST(FormatDevice, Oddities) {
    std::string out;
    EXPECT_EQ(rt::backend::format_device(out, nullptr, nullptr), -1);
    EXPECT_EQ(rt::backend::format_device(out, "%", nullptr), 0);
    EXPECT_EQ(out, "%");
    EXPECT_EQ(format("%s", static_cast<const char*>(nullptr)), "(null)");
    out.clear();
    EXPECT_EQ(rt::backend::format_device(out, "a %n b %k c", nullptr), 0) << "nothing is written through %n";
    EXPECT_EQ(out, "a %n b %k c");
    EXPECT_EQ(format("%.*f|%d", 5), "%.*f|5") << "an H100 does not take a precision from the arguments";
    std::string many;
    std::vector<int> values(40, 7);
    for (int i = 0; i < 40; i++) many += "%d";
    out.clear();
    EXPECT_EQ(rt::backend::format_device(out, many.c_str(), values.data()), 32);
    EXPECT_EQ(out, std::string(32, '7') + std::string("%d%d%d%d%d%d%d%d"));
}

class DeviceRuntimeTest : public Cpu {};

TEST_F(DeviceRuntimeTest, PrintsWhenSynchronised) {
    struct Packed {
        int32_t a;
        double b;
        uint64_t text;
    } packed{-5, 2.5, reinterpret_cast<uint64_t>("tail")};
    Array<int32_t> used(1);
    testing::internal::CaptureStdout();
    run("prints", {{1}, {3}},
        {used.address(), reinterpret_cast<uint64_t>("%d %.1f %s\n"), reinterpret_cast<uint64_t>(&packed)});
    EXPECT_EQ(testing::internal::GetCapturedStdout(), "-5 2.5 tail\n-5 2.5 tail\n-5 2.5 tail\n");
    EXPECT_EQ(used[0], 3);

    testing::internal::CaptureStdout();
    launch(*queue, "prints_index", {{1}, {2}});
    queue->mark(false)->wait();
    std::string out = testing::internal::GetCapturedStdout();
    EXPECT_EQ(out.substr(0, 8), "line 0  ");
    EXPECT_EQ(out.size(), 200u);
}

TEST_F(DeviceRuntimeTest, PrintBufferKeepsTheNewest) {
    device().set_limits(8 << 20, 1000, 1024);
    testing::internal::CaptureStdout();
    run("prints_index", {{1}, {1000}});
    const std::string out = testing::internal::GetCapturedStdout();
    device().set_limits(8 << 20, 1 << 20, 1024);
    EXPECT_EQ(out.size(), 1000u);
    EXPECT_EQ(out.substr(0, 9), "line 990 ");
}

TEST_F(DeviceRuntimeTest, AllCtasPrint) {
    testing::internal::CaptureStdout();
    run("prints_index", {{100}, {32}});
    const std::string out = testing::internal::GetCapturedStdout();
    EXPECT_EQ(out.size(), 3200u * 100);
    std::set<std::string> lines;
    for (size_t i = 0; i < out.size(); i += 100) lines.insert(out.substr(i, 100));
    EXPECT_EQ(lines.size(), 3200u);
}

TEST_F(DeviceRuntimeTest, BadStringsFault) {
    uint64_t packed = 16;
    Array<int32_t> used(1);
    launch(*queue, "prints", {{1}, {1}},
           {used.address(), reinterpret_cast<uint64_t>("%s\n"), reinterpret_cast<uint64_t>(&packed)});
    queue->synchronize();
    EXPECT_EQ(queue->fault(), Fault::illegal_address);
}

TEST_F(DeviceRuntimeTest, HeapIsExhaustible) {
    constexpr uint32_t count = 20'000;
    constexpr uint64_t bytes = 1000;
    Array<uint64_t> addresses(count);
    Array<uint32_t> values(count, ~0u);
    for (int round = 0; round < 2; round++) {
        run("allocates", {{count / 100}, {100}}, {addresses.address(), bytes});
        uint32_t got = 0;
        std::set<uint64_t> distinct;
        for (uint32_t i = 0; i < count; i++) {
            if (!addresses[i]) continue;
            got++;
            distinct.insert(addresses[i]);
            ASSERT_EQ(addresses[i] % 16, 0u);
            ASSERT_EQ(*reinterpret_cast<uint32_t*>(addresses[i]), i) << "survives the kernel";
        }
        EXPECT_EQ(distinct.size(), got);
        EXPECT_EQ(got, (8u << 20) / 1008);
        run("frees", {{count / 100}, {100}}, {addresses.address(), values.address()});
        for (uint32_t i = 0; i < count; i++) ASSERT_EQ(values[i], addresses[i] ? i : ~0u);
        for (uint32_t i = 0; i < count; i++) values[i] = ~0u;
    }
}

} // namespace cpu_test
