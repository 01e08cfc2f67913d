#include "fixture.h"

#include <numeric>

namespace cpu_test {

using BarrierTest = Cpu;

TEST_F(BarrierTest, SumsInSharedMemory) {
    for (uint32_t threads : {2u, 32u, 64u, 256u, 1024u}) {
        constexpr uint32_t blocks = 37;
        Array<uint32_t> in(blocks * threads);
        Array<uint64_t> out(blocks);
        for (uint32_t i = 0; i < in.size(); i++) in[i] = i * 2654435761u;
        run("sum_shared", {{blocks}, {threads}, threads * 8}, {in.address(), out.address()});
        for (uint32_t b = 0; b < blocks; b++)
            ASSERT_EQ(out[b], std::accumulate(&in[b * threads], &in[b * threads] + threads, uint64_t{0})) << threads;
    }
}

TEST_F(BarrierTest, StaticAndDynamicShared) {
    Array<uint32_t> out(4 * 50);
    run("static_and_dynamic", {{4}, {50}, 200}, {out.address()});
    for (uint32_t i = 0; i < out.size(); i++) ASSERT_EQ(out[i], 100 + i % 50 % 5 + (49 - i % 50) + 200);
}

TEST_F(BarrierTest, Reductions) {
    for (uint32_t threads : {10u, 32u, 100u}) {
        Array<uint32_t> out(3 * threads);
        run("barrier_reductions", {{1}, {threads}}, {out.address()});
        for (uint32_t i = 0; i < threads; i++) {
            ASSERT_EQ(out[3 * i], (threads + 2) / 3);
            ASSERT_EQ(out[3 * i + 1], 0u);
            ASSERT_EQ(out[3 * i + 2], 1u);
        }
    }
}

TEST_F(BarrierTest, ExitedThreadsCount) {
    for (uint32_t threads : {32u, 96u, 100u}) {
        Array<uint32_t> out(5 * threads);
        run("exit_before_barrier", {{5}, {threads}, 64}, {out.address()});
        for (uint32_t i = 0; i < out.size(); i++) {
            const uint32_t thread = i % threads;
            ASSERT_EQ(out[i], thread % 4 < 2 ? threads - threads / 4 : 0) << threads << " " << thread;
        }
    }
}

TEST_F(BarrierTest, ProducerAndConsumer) {
    Array<uint64_t> out(64);
    run("produce_consume", {{1}, {64}, 128}, {out.address()});
    for (uint64_t lane = 0; lane < 32; lane++) {
        EXPECT_EQ(out[lane], 0u);
        EXPECT_EQ(out[32 + lane], 1000 * (49 * 50 / 2) + 50 * (lane ^ 1));
    }
}

TEST_F(BarrierTest, SomeWarpsOfAPartialCta) {
    Array<uint32_t> out(80, 1);
    run("partial_barrier", {{1}, {80}, 128}, {out.address()});
    for (uint32_t i = 0; i < 80; i++) EXPECT_EQ(out[i], i / 32 == 1 ? 1 : 7 * (i % 32 % 16)) << i;
}

TEST_F(BarrierTest, ManyTimes) {
    for (uint32_t threads : {1u, 33u, 1024u}) {
        constexpr uint64_t rounds = 100;
        Array<uint32_t> out(threads * 3);
        run("many_barriers", {{3}, {threads}, threads * 4}, {out.address(), rounds});
        for (uint32_t i = 0; i < out.size(); i++) ASSERT_EQ(out[i], (i % threads + rounds) % threads);
    }
}

TEST_F(BarrierTest, ExitInsideFunctions) {
    Array<uint32_t> out(3 * 1024);
    run("exit_in_function", {{3}, {1024}}, {out.address()});
    for (uint32_t i = 0; i < out.size(); i++) ASSERT_EQ(out[i], i % 2 ? 0u : 1u);
}

} // namespace cpu_test
