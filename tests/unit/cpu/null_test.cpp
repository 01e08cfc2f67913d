#include "fixture.h"

#include "backend/null/null.h"

#include <cstring>

namespace cpu_test {

TEST(Null, StoresButDoesNotCompute) {
    auto null = create_null_backend();
    EXPECT_EQ(null->name(), "null");
    Device& storage = *null->devices().at(0);
    const uint64_t memory = storage.allocate(4096, MemoryKind::device);
    ASSERT_NE(memory, 0u);
    EXPECT_EQ(memory % 512, 0u);
    EXPECT_EQ(storage.memory().total_bytes - storage.memory().free_bytes, 4096u);
    EXPECT_EQ(storage.allocate(storage.memory().total_bytes, MemoryKind::device), 0u);

    auto queue = storage.create_queue(0);
    queue->fill({memory, 0x11223344, 4, 10, 2, 64});
    uint32_t back[26] = {};
    queue->copy({reinterpret_cast<uint64_t>(back), memory, sizeof back});
    EXPECT_EQ(back[9], 0x11223344u);
    EXPECT_EQ(back[16], 0x11223344u);
    EXPECT_TRUE(queue->mark(true)->reached());

    auto code = storage.load(image());
    ASSERT_NE(code->kernel("test_empty"), nullptr);
    EXPECT_EQ(code->kernel("no_such"), nullptr);
    Launch launch;
    launch.kernel = code->kernel("test_empty");
    queue->launch(launch);
    queue->synchronize();
    std::string message;
    EXPECT_EQ(queue->fault(&message), Fault::illegal_instruction);
    EXPECT_NE(message.find("null device"), std::string::npos);
    storage.release(memory, MemoryKind::device);
    EXPECT_EQ(storage.memory().free_bytes, storage.memory().total_bytes);
}

} // namespace cpu_test
