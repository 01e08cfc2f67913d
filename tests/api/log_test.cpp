#include "driver_fixture.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <unistd.h>
#include <vector>

// Errors and warnings of the process. Limits and what is refused are an H100's; messages are our own.
using namespace shim;

namespace {

class Logs : public Driver {
  protected:
    void SetUp() override {
        Driver::SetUp();
        EXPECT_OK(cuLogsCurrent(&start, 0));
    }
    void fail() { EXPECT_STATUS(invalid_value, cuMemAlloc_v2(nullptr, 16)); }
    std::string since_start(size_t size = 25600) {
        std::string text(size, '\1');
        CUlogIterator iterator = start;
        EXPECT_OK(cuLogsDumpToMemory(&iterator, text.data(), &size, 0));
        EXPECT_EQ(text[size], '\0');
        text.resize(size);
        return text;
    }
    CUlogIterator start = 0;
};

std::ptrdiff_t lines(const std::string& text) { return std::ranges::count(text, '\n'); }

TEST_F(Logs, FailuresAreKept) {
    EXPECT_EQ(since_start(), "");
    fail();
    EXPECT_STATUS(invalid_value, cuMemFree_v2(12345));
    const std::string text = since_start();
    EXPECT_EQ(lines(text), 2);
    EXPECT_NE(text.find("[CUDA][E] cuMemAlloc_v2: "), std::string::npos) << text;
    EXPECT_NE(text.find("[CUDA][E] cuMemFree_v2: "), std::string::npos) << text;
    CUlogIterator end = 0;
    EXPECT_OK(cuLogsCurrent(&end, 0));
    EXPECT_EQ(end, start + 2);
    // An iterator goes on.
    char buffer[1024];
    size_t size = sizeof buffer;
    CUlogIterator iterator = start + 1;
    EXPECT_OK(cuLogsDumpToMemory(&iterator, buffer, &size, 0));
    EXPECT_EQ(iterator, end);
    EXPECT_EQ(lines(std::string(buffer, size)), 1);
    size = sizeof buffer;
    EXPECT_OK(cuLogsDumpToMemory(&iterator, buffer, &size, 0));
    EXPECT_EQ(size, 0u);
    iterator = end + 1;
    size = sizeof buffer;
    EXPECT_STATUS(invalid_value, cuLogsDumpToMemory(&iterator, buffer, &size, 0));
    EXPECT_EQ(size, 0u);
    EXPECT_STATUS(invalid_value, cuLogsDumpToMemory(nullptr, nullptr, &size, 0));
    EXPECT_STATUS(invalid_value, cuLogsDumpToMemory(nullptr, buffer, nullptr, 0));
    EXPECT_STATUS(invalid_value, cuLogsCurrent(nullptr, 0));
}

TEST_F(Logs, TheNewestOnesThatFit) {
    for (int i = 0; i < 150; i++) fail();
    const std::string all = since_start(100000);
    EXPECT_EQ(lines(all), 101); // with the one that says that there were more
    EXPECT_EQ(all[0], 'O');
    const std::string some = since_start(400);
    EXPECT_GE(lines(some), 2);
    EXPECT_LT(some.size(), 400u);
    EXPECT_EQ(some.substr(some.rfind('[', some.size())), all.substr(all.rfind('[', all.size())));
    char small[8];
    size_t size = sizeof small;
    EXPECT_STATUS(invalid_value, cuLogsDumpToMemory(nullptr, small, &size, 0));
    EXPECT_EQ(size, 0u);
}

struct Heard {
    std::vector<std::string> messages;
    CUlogLevel level = -1;
};

TEST_F(Logs, CallbacksHear) {
    Heard heard;
    const CUlogsCallback callback = [](void* data, CUlogLevel level, char* message, size_t length) {
        auto& to = *static_cast<Heard*>(data);
        to.messages.emplace_back(message, length);
        to.level = level;
        EXPECT_STATUS(invalid_value, cuMemAlloc_v2(nullptr, 16)); // is kept, and told to nobody
    };
    CUlogsCallbackHandle handle = nullptr;
    ASSERT_OK(cuLogsRegisterCallback(callback, &heard, &handle));
    EXPECT_STATUS(invalid_value, cuMemFree_v2(12345));
    EXPECT_OK(cuMemFree_v2(0));
    ASSERT_EQ(heard.messages.size(), 1u);
    EXPECT_EQ(heard.messages[0].find("cuMemFree_v2: "), 0u) << heard.messages[0];
    EXPECT_EQ(heard.level, 0);
    EXPECT_EQ(lines(since_start()), 2);
    EXPECT_OK(cuLogsUnregisterCallback(handle));
    fail();
    EXPECT_EQ(heard.messages.size(), 1u);
    EXPECT_STATUS(invalid_value, cuLogsUnregisterCallback(handle));
    EXPECT_STATUS(invalid_value, cuLogsUnregisterCallback(nullptr));
    EXPECT_STATUS(invalid_value, cuLogsRegisterCallback(nullptr, nullptr, &handle));
}

TEST_F(Logs, IntoAFile) {
    char path[] = "/tmp/cuttle_log_test_XXXXXX";
    const int file = mkstemp(path);
    ASSERT_GE(file, 0);
    close(file);
    fail();
    fail();
    CUlogIterator iterator = start;
    EXPECT_OK(cuLogsDumpToFile(&iterator, path, 0));
    EXPECT_EQ(iterator, start + 2);
    std::ifstream written(path);
    const std::string text{std::istreambuf_iterator<char>(written), {}};
    EXPECT_EQ(text, since_start());
    EXPECT_STATUS(invalid_value, cuLogsDumpToFile(nullptr, "/nonexistent/log", 0));
    EXPECT_STATUS(invalid_value, cuLogsDumpToFile(nullptr, "", 0));
    unlink(path);
}

} // namespace
