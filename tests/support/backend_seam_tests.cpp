#include "backend_seam_tests.h"

#include <atomic>
#include <cstring>
#include <numeric>
#include <stdexcept>
#include <thread>

namespace seam {

using namespace rt::backend;

Backend& Seam::vendor() {
    static Backend& tested = *create_tested_backend().release();
    return tested;
}

void Seam::SetUp() {
    ASSERT_EQ(vendor().devices().size(), 1u);
    queue = device().create_queue(0);
}

void Seam::TearDown() {
    if (!queue) return;
    queue->synchronize();
    EXPECT_EQ(queue->fault(), Fault::none);
}

std::vector<uint8_t> Seam::bytes_at(uint64_t address, size_t count) {
    std::vector<uint8_t> bytes(count);
    queue->copy({.destination = host(bytes.data()), .source = address, .width = count});
    queue->synchronize();
    return bytes;
}

Buffer::Buffer(Device& device_, size_t bytes, MemoryKind kind_)
    : device(device_), kind(kind_), address(device.allocate(bytes, kind)) {
    EXPECT_NE(address, 0u);
}

TEST_F(Seam, CopiesInOrder) {
    constexpr size_t count = 4096;
    Buffer a(device(), count), b(device(), count);
    std::vector<uint8_t> bytes(count);
    std::iota(bytes.begin(), bytes.end(), uint8_t{0});
    // Each step undoes what would be left if it came too early.
    for (int round = 0; round < 20; round++) {
        queue->fill({.destination = a.address, .value = 0xee, .width = count});
        queue->copy({.destination = a.address, .source = host(bytes.data()), .width = count});
        queue->copy({.destination = b.address, .source = a.address, .width = count});
        queue->fill({.destination = a.address, .value = 0x11, .width = count});
        queue->copy({.destination = a.address, .source = b.address + count / 2, .width = count / 2});
    }
    EXPECT_EQ(bytes_at(b.address, count), bytes);
    const auto result = bytes_at(a.address, count);
    EXPECT_TRUE(std::equal(bytes.begin() + count / 2, bytes.end(), result.begin()));
    EXPECT_EQ(result[count / 2], 0x11);
}

TEST_F(Seam, CopiesBoxes) {
    // A box of 3 x 4 x 2 out of the middle of rows of 16 bytes and slices of 8 rows, to rows of 5 and slices of 6.
    std::vector<uint8_t> source(16 * 8 * 3), flat(5 * 6 * 2, 0xff);
    std::iota(source.begin(), source.end(), uint8_t{0});
    Buffer on_device(device(), source.size()), box(device(), flat.size());
    queue->copy({.destination = on_device.address, .source = host(source.data()), .width = source.size()});
    queue->fill({.destination = box.address, .value = 0xff, .width = flat.size()});
    queue->copy({.destination = box.address,
                 .source = on_device.address + 16 * 8 + 16 + 2,
                 .width = 3,
                 .height = 4,
                 .depth = 2,
                 .destination_pitch = 5,
                 .source_pitch = 16,
                 .destination_slice = 30,
                 .source_slice = 128});
    for (size_t z = 0; z < 2; z++)
        for (size_t y = 0; y < 4; y++)
            for (size_t x = 0; x < 3; x++) flat[z * 30 + y * 5 + x] = source[(z + 1) * 128 + (y + 1) * 16 + x + 2];
    EXPECT_EQ(bytes_at(box.address, flat.size()), flat);
    // Distances that no region can express.
    queue->copy({.destination = box.address,
                 .source = on_device.address,
                 .width = 2,
                 .height = 1,
                 .depth = 1,
                 .destination_pitch = size_t{1} << 33,
                 .source_pitch = size_t{1} << 33});
    queue->copy({.destination = box.address + 8,
                 .source = on_device.address + 8,
                 .width = 2,
                 .height = 2,
                 .depth = 1,
                 .destination_pitch = 4,
                 .source_pitch = 4,
                 .destination_slice = size_t{1} << 33,
                 .source_slice = size_t{1} << 33});
    const auto rows = bytes_at(box.address, 16);
    EXPECT_EQ(rows[1], 1);
    EXPECT_EQ(rows[13], 13);
    queue->copy({.destination = 0, .source = 0, .width = 0}); // nothing
}

TEST_F(Seam, FillsElementsAndRows) {
    Buffer buffer(device(), 256);
    queue->fill({.destination = buffer.address, .value = 0, .width = 256});
    queue->fill({.destination = buffer.address, .value = 0x04030201, .element_bytes = 4, .width = 3});
    queue->fill(
        {.destination = buffer.address + 64, .value = 0xbeef, .element_bytes = 2, .width = 2, .height = 3, .pitch = 8});
    queue->fill({.destination = buffer.address + 128, .value = 7, .width = 4, .height = 2, .pitch = 4});
    queue->fill({.destination = 0, .value = 7, .width = 0});
    std::vector<uint8_t> expected(256);
    for (size_t i = 0; i < 12; i++) expected[i] = uint8_t(i % 4 + 1);
    for (size_t row = 0; row < 3; row++)
        for (size_t i = 0; i < 4; i++) expected[64 + row * 8 + i] = i % 2 ? 0xbe : 0xef;
    std::fill_n(expected.begin() + 128, 8, uint8_t{7});
    EXPECT_EQ(bytes_at(buffer.address, 256), expected);
}

TEST_F(Seam, IsAsynchronousAndCallsTheHostInOrder) {
    Buffer buffer(device(), 4);
    std::atomic<bool> open = false;
    std::thread::id thread;
    uint32_t seen = 0, after = 0;
    queue->fill({.destination = buffer.address, .value = 5, .element_bytes = 4, .width = 1});
    queue->copy({.destination = host(&seen), .source = buffer.address, .width = 4});
    uint32_t at_call = 0;
    queue->call([&] {
        while (!open) std::this_thread::yield();
        thread = std::this_thread::get_id();
        at_call = seen;
        seen = 77;
    });
    queue->copy({.destination = host(&after), .source = host(&seen), .width = 4});
    auto marker = queue->mark(false);
    EXPECT_FALSE(queue->idle());
    EXPECT_FALSE(marker->reached());
    open = true;
    marker->wait();
    EXPECT_TRUE(marker->reached());
    EXPECT_TRUE(queue->idle());
    EXPECT_EQ(at_call, 5u);
    EXPECT_EQ(after, 77u);
    EXPECT_NE(thread, std::this_thread::get_id());
    queue->call([] { throw std::runtime_error("from a host call"); });
    queue->synchronize();
    EXPECT_EQ(queue->fault(), Fault::none);
}

TEST_F(Seam, WaitsForOtherQueues) {
    auto other = device().create_queue(-1);
    std::atomic<bool> open = false;
    uint32_t value = 0, copied = 0;
    other->call([&] {
        while (!open) std::this_thread::yield();
        value = 42;
    });
    queue->wait_for(other->mark(false));
    queue->copy({.destination = host(&copied), .source = host(&value), .width = 4});
    EXPECT_FALSE(queue->idle());
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    EXPECT_EQ(copied, 0u);
    open = true;
    queue->synchronize();
    EXPECT_EQ(copied, 42u);
    const auto last = queue->mark(false);
    last->wait();
    EXPECT_TRUE(last->reached());
}

TEST_F(Seam, TellsTheTime) {
    auto first = queue->mark(true);
    queue->call([] { std::this_thread::sleep_for(std::chrono::milliseconds(20)); });
    auto second = queue->mark(true);
    second->wait();
    ASSERT_TRUE(first->reached());
    const auto between = second->time() - first->time();
    EXPECT_GE(between, std::chrono::milliseconds(20));
    EXPECT_LT(between, std::chrono::seconds(20));
}

/// More commands than may be under way, than a pool has events, and than a list can be ahead.
TEST_F(Seam, TakesManyCommands) {
    Buffer buffer(device(), 4);
    std::atomic<int> calls = 0;
    uint32_t last = 0;
    for (uint32_t i = 1; i <= 1500; i++) {
        queue->fill({.destination = buffer.address, .value = i, .element_bytes = 4, .width = 1});
        if (i % 100 == 0) queue->call([&] { calls++; });
    }
    queue->copy({.destination = host(&last), .source = buffer.address, .width = 4});
    queue->synchronize();
    EXPECT_EQ(last, 1500u);
    EXPECT_EQ(calls, 15);
}

TEST_F(Seam, FinishesWhatAQueueWasGiven) {
    std::atomic<int> calls = 0;
    auto short_lived = device().create_queue(0);
    for (int i = 0; i < 10; i++) short_lived->call([&] { calls++; });
    auto marker = short_lived->mark(true);
    short_lived.reset();
    EXPECT_EQ(calls, 10);
    EXPECT_TRUE(marker->reached()) << "a marker outlives its queue";
    EXPECT_GT(marker->time().count(), 0);
}

} // namespace seam
