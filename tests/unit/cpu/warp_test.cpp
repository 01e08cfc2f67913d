#include "fixture.h"

#include <algorithm>
#include <bit>
#include <random>

namespace cpu_test {

using WarpTest = Cpu;

/// PTX ISA 9.7.9.6, written down once more.
static void reference_shuffle(uint32_t mode, uint32_t lane, uint32_t b, uint32_t c, uint32_t& value,
                              uint32_t& predicate) {
    const int by = int(b & 31), clamp = int(c & 31), segment = int(c >> 8 & 31), me = int(lane);
    const int highest = (me & segment) | (clamp & ~segment & 31), lowest = me & segment;
    int from = me;
    bool valid = false;
    if (mode == 0) from = me - by, valid = from >= highest;
    if (mode == 1) from = me + by, valid = from <= highest;
    if (mode == 2) from = me ^ by, valid = from <= highest;
    if (mode == 3) from = lowest | (by & ~segment & 31), valid = from <= highest;
    value = 1000 + uint32_t(valid ? from : me);
    predicate = valid;
}

TEST_F(WarpTest, Shuffles) {
    std::mt19937 random(3);
    Array<uint32_t> values(32), predicates(32), by(32);
    for (int round = 0; round < 400; round++) {
        const uint32_t mode = random() % 4;
        const uint32_t width = 1u << random() % 6;
        const uint32_t clamp = round % 2 ? ((32 - width) << 8 | (mode == 0 ? 0 : 31)) : uint32_t(random() & 0x1f1f);
        const uint32_t same = random() % 33;
        for (auto i = 0u; i < 32; i++) by[i] = round % 3 ? same : uint32_t(random() % 64);
        run("shuffles", {{1}, {32}}, {values.address(), predicates.address(), mode, by.address(), clamp});
        for (uint32_t lane = 0; lane < 32; lane++) {
            uint32_t value = 0, predicate = 0;
            reference_shuffle(mode, lane, by[lane], clamp, value, predicate);
            ASSERT_EQ(predicates[lane], predicate) << mode << " " << lane;
            ASSERT_EQ(values[lane], value) << mode << " " << lane;
        }
    }
}

TEST_F(WarpTest, Votes) {
    std::mt19937 random(4);
    Array<uint32_t> out(128);
    for (int round = 0; round < 100; round++) {
        uint32_t mask = round % 4 == 0 ? ~0u : uint32_t(random());
        if (!mask) mask = 1;
        const uint32_t predicates = round % 5 == 0 ? mask : round % 5 == 1 ? 0 : uint32_t(random());
        run("votes", {{1}, {32}}, {out.address(), predicates, mask});
        for (uint32_t lane = 0; lane < 32; lane++) {
            if (!(mask >> lane & 1)) continue;
            const uint32_t ballot = predicates & mask;
            ASSERT_EQ(out[4 * lane], ballot == mask);
            ASSERT_EQ(out[4 * lane + 1], ballot != 0);
            ASSERT_EQ(out[4 * lane + 2], ballot == mask || ballot == 0);
            ASSERT_EQ(out[4 * lane + 3], ballot);
        }
    }
}

TEST_F(WarpTest, Matches) {
    std::mt19937 random(5);
    Array<uint32_t> any(32);
    Array<uint64_t> all(32), values(32);
    for (int round = 0; round < 100; round++) {
        const uint32_t mask = uint32_t(random()) | 1;
        for (uint32_t i = 0; i < 32; i++) values[i] = round % 3 == 0 ? 1ull << 40 : uint64_t{random() % 4} << 33;
        run("matches", {{1}, {32}}, {any.address(), all.address(), values.address(), mask});
        for (uint32_t lane = 0; lane < 32; lane++) {
            if (!(mask >> lane & 1)) continue;
            uint32_t same = 0;
            for (uint32_t i = 0; i < 32; i++)
                if ((mask >> i & 1) && values[i] == values[lane]) same |= 1u << i;
            ASSERT_EQ(any[lane], same);
            ASSERT_EQ(all[lane], same == mask ? mask | 1ull << 32 : 0);
        }
    }
}

TEST_F(WarpTest, Reductions) {
    std::mt19937 random(6);
    Array<uint32_t> out(256), values(32);
    for (int round = 0; round < 50; round++) {
        const uint32_t mask = round ? uint32_t(random()) | 1 : ~0u;
        uint32_t e[8] = {0, 0x7fffffff, 0x80000000, ~0u, 0, ~0u, 0, 0};
        for (uint32_t i = 0; i < 32; i++) {
            const uint32_t v = values[i] = uint32_t(random());
            if (!(mask >> i & 1)) continue;
            e[0] += v;
            e[1] = uint32_t(std::min(int32_t(e[1]), int32_t(v)));
            e[2] = uint32_t(std::max(int32_t(e[2]), int32_t(v)));
            e[3] = std::min(e[3], v);
            e[4] = std::max(e[4], v);
            e[5] &= v;
            e[6] |= v;
            e[7] ^= v;
        }
        run("reductions", {{1}, {32}}, {out.address(), values.address(), mask});
        for (uint32_t lane = 0; lane < 32; lane++)
            for (uint32_t op = 0; op < 8 && (mask >> lane & 1); op++) ASSERT_EQ(out[8 * lane + op], e[op]) << op;
    }
}

TEST_F(WarpTest, Exchanges) {
    for (uint32_t mask : {~0u, 0x0ff0f001u, 1u << 31}) {
        Array<uint32_t> out(32 * 32 * 3, 77);
        run("exchanges", {{1}, {32}}, {out.address(), mask});
        for (uint32_t lane = 0; lane < 32; lane++) {
            if (!(mask >> lane & 1)) continue;
            for (uint32_t from = 0; from < 32; from++) {
                const uint32_t* item = &out[(lane * 32 + from) * 3];
                const bool there = mask >> from & 1;
                ASSERT_EQ(item[0], there ? from : 0);
                ASSERT_EQ(item[1], there ? from * from : 0);
                ASSERT_EQ(item[2], there ? ~from : 0);
            }
        }
    }
}

TEST_F(WarpTest, SidesOfABranchGoOnByThemselves) {
    Array<uint32_t> out(32);
    run("two_masks", {{1}, {32}}, {out.address()});
    uint32_t expected[32];
    for (uint32_t i = 0; i < 32; i++) expected[i] = i;
    for (int step = 0; step < 5; step++) {
        uint32_t before[32];
        std::copy(expected, expected + 32, before);
        for (uint32_t i = 0; i < 32; i += 3) expected[i] = before[(i + 3) % 33 & 31];
    }
    for (int step = 0; step < 2; step++) {
        uint32_t sum = 0;
        for (uint32_t i = 0; i < 32; i++) sum += i % 3 ? expected[i] : 0;
        for (uint32_t i = 0; i < 32; i++) expected[i] += i % 3 ? sum : 0;
    }
    for (uint32_t i = 0; i < 32; i++) EXPECT_EQ(out[i], expected[i] + 31 * 1000) << i;
}

TEST_F(WarpTest, ExitedLanesAreLeftOut) {
    Array<uint32_t> out(64);
    run("gone_lanes", {{1}, {32}}, {out.address()});
    for (uint32_t lane = 0; lane < 20; lane++) {
        EXPECT_EQ(out[lane], (1u << 20) - 1);
        EXPECT_EQ(out[32 + lane], 0u); // what a lane that has exited gives, as on an H100
    }
    Array<uint32_t> votes(32);
    run("exit_completes", {{1}, {32}}, {votes.address()});
    for (uint32_t lane = 0; lane < 31; lane++) EXPECT_EQ(votes[lane], 0x7fffffffu);
}

TEST_F(WarpTest, PartialWarps) {
    Array<uint32_t> out(32);
    run("exit_completes", {{1}, {20}}, {out.address()});
    for (uint32_t lane = 0; lane < 20; lane++) EXPECT_EQ(out[lane], (1u << 20) - 1);
}

TEST_F(WarpTest, ActiveMask) {
    Array<uint32_t> out(3 * 96);
    run("active_masks", {{3}, {96}}, {out.address()});
    for (uint32_t i = 0; i < out.size(); i++) {
        const uint32_t lane = i % 96 % 32;
        EXPECT_EQ(out[i], lane < 10 ? 0x3ffu : lane < 30 ? 0x3ffffc00u : 0u) << i;
    }
    run("active_mask_loop", {{1}, {32}}, {out.address()});
    for (uint32_t lane = 0; lane < 32; lane++) EXPECT_EQ(out[lane], ~0u << lane);
}

} // namespace cpu_test
