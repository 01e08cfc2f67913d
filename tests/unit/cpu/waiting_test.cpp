// Lanes and CTAs that wait for one another through memory, and for the whole grid.
#include "fixture.h"

#include <atomic>

namespace cpu_test {

using WaitingTest = Cpu;

TEST_F(WaitingTest, LockAmongLanes) {
    for (uint32_t threads : {32u, 64u, 1000u}) {
        Array<uint64_t> counters(10);
        run("lock_counter", {{10}, {threads}}, {counters.address()});
        for (uint32_t b = 0; b < 10; b++) ASSERT_EQ(counters[b], 3 * threads);
    }
}

TEST_F(WaitingTest, LockAmongCtas) {
    Array<uint32_t> lock(1);
    Array<uint64_t> counter(1);
    run("lock_counter_global", {{50}, {64}}, {lock.address(), counter.address()});
    EXPECT_EQ(counter[0], 50u * 64);
}

TEST_F(WaitingTest, LanesWaitInReverse) {
    Array<uint32_t> out(2 * 512);
    run("wait_for_lane", {{2}, {512}}, {out.address()});
    for (uint32_t i = 0; i < out.size(); i++) ASSERT_EQ(out[i], i % 512 + 1);
}

TEST_F(WaitingTest, LookBack) {
    for (const char* name : {"look_back", "look_back_whole"})
        for (int round = 0; round < 3; round++)
            for (uint32_t blocks : {2u, 64u, sanitized ? 200u : 5000u}) {
                Array<uint64_t> sums(blocks);
                run(name, {{blocks}, {64}}, {sums.address()});
                for (uint64_t b = 0; b < blocks; b++) ASSERT_EQ(sums[b], (b + 1) * (b + 2) / 2) << name;
            }
}

TEST_F(WaitingTest, HandMadeGridBarrier) {
    const uint32_t blocks = device().facts().multiprocessors *
                            device().resident_blocks_per_multiprocessor(kernel("own_grid_barrier"), 96, 0);
    for (uint32_t count : {1u, 2u, blocks}) {
        Array<uint64_t> arrived(1), out(96 * count);
        run("own_grid_barrier", {{count}, {96}}, {arrived.address(), out.address(), 5});
        for (uint32_t i = 0; i < out.size(); i++) ASSERT_EQ(out[i], 5 * count);
    }
}

TEST_F(WaitingTest, CooperativeGrid) {
    const uint32_t blocks =
        device().facts().multiprocessors * device().resident_blocks_per_multiprocessor(kernel("grid_barrier"), 128, 0);
    for (uint32_t count : {1u, 3u, blocks}) {
        const uint32_t n = count * 128;
        Array<uint32_t> values(n), out(n);
        run("grid_barrier", {{count}, {128}, 0, true}, {values.address(), out.address(), 4});
        for (uint32_t i = 0; i < n; i++) ASSERT_EQ(out[i], (i + 4 * 128) % n);
        run("workspace_barrier", {{count}, {128}, 0, true}, {values.address(), out.address()});
        for (uint32_t i = 0; i < n; i++) ASSERT_EQ(out[i], n - i);
    }
}

TEST_F(WaitingTest, CooperativeGridWithExits) {
    Array<uint64_t> counter(1), out(6 * 64);
    run("grid_barrier_exits", {{6}, {64}, 0, true}, {counter.address(), out.address()});
    for (uint32_t i = 0; i < out.size(); i++) {
        const bool there = i / 64 % 2 == 0 && i % 64 % 3 != 0;
        ASSERT_EQ(out[i], there ? 3u * 42 : 0u) << i;
    }
}

// One block of each cluster leaves while the other waits for the grid.
TEST_F(WaitingTest, CooperativeClustersWithExits) {
    for (uint32_t width : {2u, 3u, 6u}) {
        Array<uint64_t> counter(1), out(6 * 64);
        run("cluster_grid_barrier_exits", {{6}, {64}, 0, true, {width}}, {counter.address(), out.address()});
        for (uint32_t i = 0; i < out.size(); i++) {
            const bool there = i / 64 % 2 == 0 && i % 64 % 3 != 0;
            ASSERT_EQ(out[i], there ? 3u * 42 : 0u) << width << ": " << i;
        }
    }
}

TEST_F(WaitingTest, GridBarrierNeedsACooperativeLaunch) {
    Array<uint32_t> values(64), out(64);
    launch(*queue, "grid_barrier", {{2}, {32}}, {values.address(), out.address(), 1});
    queue->synchronize();
    std::string message;
    EXPECT_EQ(queue->fault(&message), Fault::trap);
    EXPECT_NE(message.find("not cooperative"), std::string::npos) << message;
}

TEST_F(WaitingTest, DeadlocksEndWithAnExplanation) {
    launch(*queue, "stuck_at_barrier", {{3}, {32}});
    queue->synchronize();
    std::string message;
    EXPECT_EQ(queue->fault(&message), Fault::trap);
    for (const char* part : {"test_stuck_at_barrier", "barrier 0 has 16 of 32", "mask 0xffffffff", "0xffff0000"})
        EXPECT_NE(message.find(part), std::string::npos) << message;
}

} // namespace cpu_test
