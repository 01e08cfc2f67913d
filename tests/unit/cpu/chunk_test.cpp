// How blocks are handed out.
#include "fixture.h"

namespace cpu_test {

using ChunkTest = Cpu;

TEST_F(ChunkTest, GroupsOfBlocksStayTogether) {
    // Not divisible by a group, and more than the threads take at first, so that they take from each other.
    for (const Dim3 grid : {Dim3{1003}, {7, 311}, {13, 13, 14}, {20'000}}) {
        const uint32_t blocks = uint32_t(grid.count());
        for (uint32_t threads : {64u, 256u, 96u}) {
            Array<uint32_t> ran(blocks), others(1), chunks(1);
            run("in_groups", {grid, {threads}}, {ran.address(), others.address(), chunks.address()});
            for (uint32_t i = 0; i < blocks; i++) ASSERT_EQ(ran[i], 1u) << i;
            EXPECT_EQ(others[0], 0u) << grid.x << " blocks of " << threads;
            EXPECT_LE(chunks[0], (blocks * threads + 255) / (256 / threads * threads) + 1);
        }
    }
}

TEST_F(ChunkTest, NoThreadGoesWithoutForAGroup) {
    for (uint32_t blocks : {1u, 2u, 3u, 5u, 9u}) {
        Array<uint32_t> ran(blocks), others(1), chunks(1);
        run("in_groups", {{blocks}, {1}}, {ran.address(), others.address(), chunks.address()});
        for (uint32_t i = 0; i < blocks; i++) ASSERT_EQ(ran[i], 1u) << i;
        EXPECT_GE(chunks[0], std::min(blocks, std::min(device().facts().multiprocessors, 2u)));
    }
}

// A thread that looks for work of one launch while that ends and the next begins takes nothing of the next that others
// take, too. It takes a thread that is put aside at a bad moment: with more threads than processors, and many launches.
TEST_F(ChunkTest, WhoComesLateTakesNothingTwice) {
    constexpr uint32_t blocks = 24, launches = 10'000;
    Array<uint32_t> ran(blocks);
    for (uint32_t i = 0; i < launches; i++) launch(*queue, "count_slowly", {{blocks}, {1}}, {ran.address(), 60});
    queue->synchronize();
    for (uint32_t i = 0; i < blocks; i++) EXPECT_EQ(ran[i], launches) << i;
}

} // namespace cpu_test
