#include "fixture.h"

#include "backend/cpu/timeline.h"
#include "rt/error.h"

#include <array>
#include <atomic>
#include <cstring>
#include <numeric>
#include <thread>

namespace cpu_test {

using namespace std::chrono_literals;

using QueueTest = Cpu;

TEST_F(QueueTest, LaunchWritesEveryElement) {
    for (size_t n : {size_t{1}, size_t{33}, size_t{1000}, size_t{1'000'003}}) {
        Array<uint32_t> out(n, ~0u);
        run("write_index", {{uint32_t((n + 255) / 256)}, {256}}, {out.address(), n});
        for (size_t i = 0; i < n; i++) ASSERT_EQ(out[i], i);
    }
}

TEST_F(QueueTest, ThreeDimensions) {
    const Shape shape{{3, 4, 5}, {6, 7, 2}};
    const size_t n = shape.grid.count() * shape.block.count();
    Array<uint32_t> whole(n, ~0u);
    run("write_index", shape, {whole.address(), n});
    for (size_t i = 0; i < n; i++) ASSERT_EQ(whole[i], i);

    Array<uint32_t> out(16 * n);
    run("special_registers", shape, {out.address()});
    for (uint32_t i = 0; i < n; i++) {
        const uint32_t* r = &out[16 * i];
        const uint32_t block = i / 84, thread = i % 84;
        const uint32_t expected[16] = {
            thread % 6,  thread / 6 % 7, thread / 42, block % 3, block / 3 % 4, block / 12, 6, 7, 2, 3, 4, 5,
            thread % 32, thread / 32,    0,           1};
        for (int k = 0; k < 16; k++) ASSERT_EQ(r[k], expected[k]) << i << " " << k;
    }
}

TEST_F(QueueTest, KeepsOrder) {
    Array<uint64_t> value(1);
    uint64_t expected = 0;
    for (uint64_t i = 0; i < 2000; i++) {
        launch(*queue, "append", {}, {value.address(), i});
        expected = expected * 31 + i;
    }
    queue->synchronize();
    EXPECT_EQ(value[0], expected);
    EXPECT_TRUE(queue->idle());
}

TEST_F(QueueTest, KeepsOrderAcrossKinds) {
    Array<uint64_t> value(1), copy(64);
    std::vector<uint64_t> seen;
    for (uint64_t i = 0; i < 64; i++) {
        launch(*queue, "append", {}, {value.address(), i});
        queue->copy({copy.address() + 8 * i, value.address(), 8});
        queue->call([&] { seen.push_back(value[0]); });
        queue->fill({value.address(), 0, 4, 2});
    }
    queue->synchronize();
    ASSERT_EQ(seen.size(), 64u);
    for (uint64_t i = 0; i < 64; i++) {
        EXPECT_EQ(copy[i], i);
        EXPECT_EQ(seen[i], i);
    }
}

TEST_F(QueueTest, KeepsOrderOfLaunchesGivenTogether) {
    constexpr size_t count = 300;
    Array<uint64_t> value(1);
    std::vector<std::array<uint64_t, 2>> parameters;
    uint64_t expected = 0;
    for (int round = 0; round < 20; round++) {
        parameters.clear();
        for (uint64_t i = 0; i < count; i++) {
            parameters.push_back({value.address(), i});
            expected = expected * 31 + i;
        }
        std::vector<Launch> launches(count);
        for (size_t i = 0; i < count; i++) {
            launches[i].kernel = &kernel("append");
            launches[i].parameters = {reinterpret_cast<const uint8_t*>(parameters[i].data()), sizeof parameters[i]};
        }
        queue->launch_all(launches);
        launch(*queue, "append", {}, {value.address(), 7});
        expected = expected * 31 + 7;
    }
    queue->launch_all({});
    queue->synchronize();
    EXPECT_EQ(value[0], expected);
    EXPECT_TRUE(queue->idle());
}

TEST_F(QueueTest, MarkersOfAnIdleQueueAreReachedAtOnce) {
    Array<uint64_t> value(1);
    const auto before = std::chrono::steady_clock::now().time_since_epoch();
    const auto first = queue->mark(true);
    EXPECT_TRUE(first->reached());
    EXPECT_GE(first->time(), before);
    launch(*queue, "append", {}, {value.address(), 3});
    queue->synchronize();
    const auto second = queue->mark(true);
    EXPECT_TRUE(second->reached());
    EXPECT_GT(second->time(), first->time());
    second->wait();
    EXPECT_TRUE(queue->idle());
    queue->wait_for(second);
    launch(*queue, "append", {}, {value.address(), 4});
    queue->synchronize();
    EXPECT_EQ(value[0], 3 * 31u + 4);
}

TEST_F(QueueTest, ParametersAreCopied) {
    Array<uint64_t> value(1);
    std::vector<uint64_t> parameters{value.address(), 5};
    launch(*queue, "append", {}, parameters);
    parameters[1] = 99;
    queue->synchronize();
    EXPECT_EQ(value[0], 5u);
}

TEST_F(QueueTest, IsAsynchronous) {
    Array<uint32_t> flag(1), out(1);
    launch(*queue, "wait_for_flag", {}, {flag.address(), out.address()});
    auto marker = queue->mark(true);
    std::this_thread::sleep_for(20ms);
    EXPECT_FALSE(queue->idle());
    EXPECT_FALSE(marker->reached());
    EXPECT_EQ(out[0], 0u);
    std::atomic_ref<uint32_t>(flag[0]).store(1);
    marker->wait();
    EXPECT_TRUE(marker->reached());
    EXPECT_EQ(out[0], 1u);
}

TEST_F(QueueTest, MarkersTellTime) {
    auto first = queue->mark(true);
    queue->call([] { std::this_thread::sleep_for(30ms); });
    auto second = queue->mark(true);
    second->wait();
    EXPECT_TRUE(first->reached());
    EXPECT_GE(second->time() - first->time(), 29ms);
    EXPECT_LT(second->time() - first->time(), 3s);
    EXPECT_LT(std::chrono::abs(std::chrono::steady_clock::now().time_since_epoch() - second->time()), 3s);
}

TEST_F(QueueTest, QueuesWaitForEachOther) {
    constexpr int count = 6, rounds = 50;
    Array<uint64_t> value(1);
    std::vector<std::unique_ptr<Queue>> queues;
    for (int i = 0; i < count; i++) queues.push_back(device().create_queue(0));
    std::shared_ptr<Marker> last;
    uint64_t expected = 0;
    for (uint64_t i = 0; i < count * rounds; i++) {
        Queue& each = *queues[(i * 5 + i / 7) % count];
        if (last) each.wait_for(last);
        launch(each, "append", {}, {value.address(), i});
        last = each.mark(false);
        expected = expected * 31 + i;
    }
    last->wait();
    EXPECT_EQ(value[0], expected);
}

TEST_F(QueueTest, WaitingQueuesHoldNoThread) {
    // Many more waiting queues than threads, released in the reverse of the order in which they were enqueued.
    constexpr size_t count = 40;
    std::vector<std::unique_ptr<Queue>> queues;
    std::vector<std::shared_ptr<Marker>> markers(count);
    std::atomic<bool> go{false};
    Array<uint64_t> value(1);
    for (size_t i = 0; i < count; i++) queues.push_back(device().create_queue(0));
    queues[count - 1]->call([&] {
        while (!go) std::this_thread::sleep_for(1ms);
    });
    for (size_t i = count; i-- > 0;) {
        if (i + 1 < count) queues[i]->wait_for(markers[i + 1]);
        launch(*queues[i], "append", {}, {value.address(), 1});
        markers[i] = queues[i]->mark(false);
    }
    Array<uint32_t> out(1000);
    run("write_index", {{10}, {100}}, {out.address(), 1000}); // another queue is not held up
    EXPECT_EQ(out[999], 999u);
    EXPECT_EQ(value[0], 0u);
    go = true;
    for (auto& each : queues) each->synchronize();
    EXPECT_NE(value[0], 0u);
}

TEST_F(QueueTest, WaitsForMarkersOfOthers) {
    class Foreign : public Marker {
      public:
        std::atomic<bool> done{false};
        bool reached() const override { return done; }
        void wait() const override { done.wait(false); }
        std::chrono::nanoseconds time() const override { return {}; }
    };
    auto marker = std::make_shared<Foreign>();
    Array<uint64_t> value(1);
    queue->wait_for(marker);
    launch(*queue, "append", {}, {value.address(), 3});
    std::this_thread::sleep_for(20ms);
    EXPECT_EQ(value[0], 0u);
    marker->done = true;
    marker->done.notify_all();
    queue->synchronize();
    EXPECT_EQ(value[0], 3u);
}

TEST_F(QueueTest, HostFunctionsMayEnqueue) {
    Array<uint64_t> value(1);
    auto other = device().create_queue(0);
    queue->call([&] { launch(*other, "append", {}, {value.address(), 4}); });
    queue->call([&] { other->synchronize(); });
    queue->synchronize();
    EXPECT_EQ(value[0], 4u);
}

TEST_F(QueueTest, KernelsOfTwoQueuesRunSideBySide) {
    Array<uint32_t> flag(1), out(1);
    auto other = device().create_queue(0);
    launch(*queue, "wait_for_flag", {}, {flag.address(), out.address()});
    std::this_thread::sleep_for(5ms);
    launch(*other, "set_flag", {}, {flag.address()});
    queue->synchronize();
    EXPECT_EQ(out[0], 1u);
}

TEST_F(QueueTest, ManyWaitingKernelsAndOneThatFreesThem) {
    Array<uint32_t> flag(1), out(16);
    std::vector<std::unique_ptr<Queue>> queues;
    for (size_t i = 0; i < 6; i++) {
        queues.push_back(device().create_queue(0));
        launch(*queues.back(), "wait_for_flag", {}, {flag.address(), out.address() + 4 * i});
    }
    std::this_thread::sleep_for(5ms);
    const uint32_t one = 1;
    queue->copy({flag.address(), reinterpret_cast<uint64_t>(&one), 4});
    for (auto& each : queues) each->synchronize();
    for (size_t i = 0; i < 6; i++) EXPECT_EQ(out[i], 1u);
}

TEST_F(QueueTest, LeavesWorkBehindWhenDestroyed) {
    Array<uint64_t> value(1);
    Array<uint32_t> flag(1), out(1);
    std::shared_ptr<Marker> marker;
    {
        auto other = device().create_queue(0);
        launch(*other, "wait_for_flag", {}, {flag.address(), out.address()});
        launch(*other, "append", {}, {value.address(), 8});
        marker = other->mark(false);
    }
    std::atomic_ref<uint32_t>(flag[0]).store(1);
    marker->wait();
    EXPECT_EQ(value[0], 8u);
}

TEST_F(QueueTest, ManyHostThreads) {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++)
        threads.emplace_back([] {
            auto mine = device().create_queue(0);
            Array<uint32_t> out(5000);
            for (int i = 0; i < 100; i++) {
                mine->fill({out.address(), 0xabababab, 4, 5000});
                launch(*mine, "write_index", {{50}, {100}}, {out.address(), 4000});
                mine->synchronize();
                ASSERT_EQ(out[3999], 3999u);
                ASSERT_EQ(out[4000], 0xababababu);
            }
        });
    for (auto& thread : threads) thread.join();
}

TEST_F(QueueTest, Copies) {
    for (size_t bytes : {size_t{1}, size_t{4097}, size_t{3 << 20}, size_t{33 << 20} + 5}) {
        std::vector<uint8_t> from(bytes), to(bytes);
        for (size_t i = 0; i < bytes; i++) from[i] = uint8_t(i * 7 + i / 256);
        Array<uint8_t> middle(bytes);
        queue->copy({middle.address(), reinterpret_cast<uint64_t>(from.data()), bytes});
        queue->copy({reinterpret_cast<uint64_t>(to.data()), middle.address(), bytes});
        queue->synchronize();
        ASSERT_EQ(from, to);
    }
}

TEST_F(QueueTest, CopiesBoxes) {
    for (size_t scale : {1u, 40u}) {
        const size_t width = 13 * scale, height = 7 * scale, depth = 3 * scale;
        Copy copy;
        copy.width = width, copy.height = height, copy.depth = depth;
        copy.source_pitch = width + 3, copy.source_slice = copy.source_pitch * (height + 1);
        copy.destination_pitch = width + 9, copy.destination_slice = copy.destination_pitch * (height + 2);
        std::vector<uint8_t> from(copy.source_slice * depth);
        for (size_t i = 0; i < from.size(); i++) from[i] = uint8_t(i ^ i >> 7);
        Array<uint8_t> to(copy.destination_slice * depth, 0xee);
        copy.source = reinterpret_cast<uint64_t>(from.data());
        copy.destination = to.address();
        queue->copy(copy);
        queue->synchronize();
        for (size_t z = 0; z < depth; z++)
            for (size_t y = 0; y < height + 2; y++)
                for (size_t x = 0; x < width + 9; x++) {
                    const bool inside = x < width && y < height;
                    const uint8_t expected = inside ? from[z * copy.source_slice + y * copy.source_pitch + x] : 0xee;
                    ASSERT_EQ(to[z * copy.destination_slice + y * copy.destination_pitch + x], expected);
                }
    }
}

TEST_F(QueueTest, Fills) {
    const uint32_t value = 0x12345678;
    for (uint32_t element : {1u, 2u, 4u})
        for (size_t width : {size_t{5}, size_t{3'000'000}}) {
            const size_t height = 3, pitch = width * element + 8;
            Array<uint8_t> memory(pitch * height, 0xee);
            queue->fill({memory.address(), value, element, width, height, pitch});
            queue->synchronize();
            for (size_t i = 0; i < pitch * height; i++) {
                const size_t x = i % pitch;
                const uint8_t expected = x < width * element ? uint8_t(value >> (8 * (x % element))) : 0xee;
                ASSERT_EQ(memory[i], expected) << i;
            }
        }
}

TEST_F(QueueTest, HundredMillionThreads) {
    Array<uint64_t> counter(1);
    const size_t before = resident_bytes();
    const double ms = milliseconds([&] { run("count_threads", {{97'657}, {1024}}, {counter.address()}); });
    EXPECT_EQ(counter[0], 97'657ull * 1024);
    if (!sanitized) {
        EXPECT_LT(resident_bytes(), before + (16 << 20));
    }
    std::printf("100 million threads: %.0f ms\n", ms);
}

TEST_F(QueueTest, FourMillionFibers) {
    Array<uint64_t> counter(1);
    const size_t before = resident_bytes();
    const uint32_t blocks = sanitized ? 8 : 4096;
    const double ms = milliseconds([&] { run("count_fibers", {{blocks}, {1024}}, {counter.address()}); });
    EXPECT_EQ(counter[0], blocks * 1024ull);
    if (!sanitized) {
        EXPECT_LT(resident_bytes(), before + device().facts().multiprocessors * (24ull << 20));
    }
    std::printf("4 million fibers with a barrier: %.0f ms\n", ms);
}

TEST_F(QueueTest, LargeGridDimensions) {
    Array<uint64_t> counter(1);
    run("count_threads", {{5, 300, 700}, {1}}, {counter.address()});
    EXPECT_EQ(counter[0], 5ull * 300 * 700);
}

TEST(Code, Symbols) {
    auto code = device().load(image());
    EXPECT_EQ(code->kernel("empty"), nullptr) << "symbols are not names";
    ASSERT_NE(code->kernel("test_empty"), nullptr);
    EXPECT_EQ(code->kernel("test_empty")->info().symbol, "empty");
    EXPECT_EQ(code->function_address("nothing"), 0u);
    auto* function = reinterpret_cast<int (*)(int)>(code->function_address("device_function"));
    ASSERT_NE(function, nullptr);
    EXPECT_EQ(function(41), 42);
}

TEST(Code, EveryLoadIsItsOwn) {
    auto first = device().load(image());
    auto second = device().load(image());
    EXPECT_NE(first->function_address("device_function"), second->function_address("device_function"));
    first = nullptr;
    for (int i = 0; i < 20; i++) {
        auto again = device().load(image());
        EXPECT_NE(again->function_address("device_function"), second->function_address("device_function"));
    }
}

TEST(Code, RefusesNonsense) {
    auto broken = std::make_shared<ptx::Image>();
    broken->kernels = {image()->kernels[0]};
    broken->code = {1, 2, 3};
    EXPECT_THROW(device().load(broken), rt::Error);
    auto lacking = std::make_shared<ptx::Image>(*image());
    lacking->kernels[0].symbol = "not_there";
    EXPECT_THROW(device().load(lacking), rt::Error);
    auto foreign = std::make_shared<ptx::Image>(*image());
    foreign->target.arch = ptx::Arch::spirv;
    EXPECT_THROW(device().load(foreign), rt::Error);
}

} // namespace cpu_test
