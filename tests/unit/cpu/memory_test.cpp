#include "fixture.h"

#include "backend/cpu/facts.h"
#include "backend/cpu/memory.h"
#include "backend/device_side/free_space.h"

#include <cstring>
#include <map>
#include <random>
#include <set>
#include <thread>

namespace cpu_test {

using cpu::Arena;

TEST(FreeSpace, TakesAndMergesBack) {
    FreeSpace space(0x1000, 1 << 20, 512);
    const uint64_t a = space.take(1), b = space.take(512), c = space.take(513);
    EXPECT_EQ(a, 0x1000u);
    EXPECT_EQ(b, a + 512);
    EXPECT_EQ(c, b + 512);
    EXPECT_EQ(space.used(), 512u * 4);
    EXPECT_EQ(space.size_of(c), 1024u);
    EXPECT_EQ(space.give(b), 512u);
    EXPECT_EQ(space.give(b), 0u) << "twice";
    EXPECT_EQ(space.give(a + 512), 0u);
    EXPECT_EQ(space.take(512), b) << "the hole fits";
    EXPECT_EQ(space.give(a), 512u);
    EXPECT_EQ(space.give(c), 1024u);
    EXPECT_EQ(space.give(b), 512u);
    EXPECT_EQ(space.take(1 << 20), 0x1000u) << "all pieces have merged";
    EXPECT_EQ(space.take(1), 0u);
}

TEST(FreeSpace, AlignsInWhatFits) {
    FreeSpace space(0x1200, 0x2e00, 512);
    const uint64_t a = space.take(0x1000, 0x1000);
    EXPECT_EQ(a, 0x2000u);
    EXPECT_EQ(space.take(0x1000, 0x1000), 0x3000u) << "what is left behind it";
    EXPECT_EQ(space.take(512, 0x1000), 0u);
    EXPECT_EQ(space.take(0xe00), 0x1200u) << "what is left before it";
    EXPECT_EQ(space.give(a), 0x1000u);
    EXPECT_EQ(space.take(0x1000, 0x1000), a);
}

TEST(FreeSpace, RandomUseNeverOverlaps) {
    std::mt19937 random(7);
    FreeSpace space(1 << 20, 8 << 20, 16);
    std::map<uint64_t, uint64_t> live;
    uint64_t used = 0;
    for (int step = 0; step < 100'000; step++) {
        if (live.empty() || random() % 2) {
            const uint64_t bytes = 1 + random() % (random() % 16 ? 1000 : 100'000);
            const uint64_t alignment = random() % 4 ? 1 : 1u << random() % 18;
            const uint64_t address = space.take(bytes, alignment);
            if (!address) continue;
            ASSERT_EQ(address % alignment, 0u);
            auto next = live.upper_bound(address);
            ASSERT_TRUE(next == live.end() || address + bytes <= next->first);
            ASSERT_TRUE(next == live.begin() || std::prev(next)->first + std::prev(next)->second <= address);
            ASSERT_EQ(address % 16, 0u);
            live[address] = space.rounded(bytes);
            used += space.rounded(bytes);
        } else {
            auto victim = std::next(live.begin(), std::ptrdiff_t(random() % std::min<size_t>(live.size(), 64)));
            ASSERT_EQ(space.give(victim->first), victim->second);
            used -= victim->second;
            live.erase(victim);
        }
        ASSERT_EQ(space.used(), used);
    }
    for (const auto& [address, size] : live) ASSERT_EQ(space.give(address), size);
    EXPECT_NE(space.take(8 << 20), 0u);
}

TEST(Arena, KeepsItsBudget) {
    Arena arena(64 << 20);
    EXPECT_EQ(arena.info().free_bytes, 64u << 20);
    const uint64_t a = arena.allocate(40 << 20);
    ASSERT_NE(a, 0u);
    EXPECT_EQ(a % 512, 0u);
    EXPECT_EQ(arena.info().free_bytes, 24u << 20);
    EXPECT_EQ(arena.allocate((24 << 20) + 1), 0u);
    EXPECT_EQ(arena.allocate(~size_t{0}), 0u);
    const uint64_t b = arena.allocate(24 << 20);
    ASSERT_NE(b, 0u);
    std::memset(reinterpret_cast<void*>(a), 1, 40 << 20);
    std::memset(reinterpret_cast<void*>(b), 2, 24 << 20);
    EXPECT_EQ(arena.allocate(1), 0u);
    EXPECT_TRUE(arena.release(a));
    EXPECT_FALSE(arena.release(a));
    EXPECT_EQ(arena.info().free_bytes, 40u << 20);
    EXPECT_EQ(*reinterpret_cast<uint8_t*>(b + (24 << 20) - 1), 2);
    EXPECT_TRUE(arena.release(b));
}

// Taichi lays out pages in an allocation of which it counts every byte.
TEST(Arena, AlignsLargeOnesAsAGpu) {
    Arena arena(64 << 20);
    const uint64_t small = arena.allocate(100), large = arena.allocate(3'055'616), other = arena.allocate(1 << 20);
    EXPECT_EQ(large % (2 << 20), 0u);
    EXPECT_EQ(other % (2 << 20), 0u);
    for (uint64_t each : {small, large, other}) EXPECT_TRUE(arena.release(each));
    EXPECT_EQ(arena.info().free_bytes, 64u << 20);
}

TEST(Arena, GivesPagesBack) {
    Arena arena(1 << 30);
    const size_t before = resident_bytes();
    const uint64_t a = arena.allocate(512 << 20);
    std::memset(reinterpret_cast<void*>(a), 1, 512 << 20);
    EXPECT_GE(resident_bytes(), before + (500 << 20));
    arena.release(a);
    if (!sanitized) {
        EXPECT_LT(resident_bytes(), before + (100 << 20));
    }
}

TEST(Arena, ManyThreads) {
    Arena arena(256 << 20);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; t++)
        threads.emplace_back([&, t] {
            std::mt19937 random{unsigned(t)};
            for (int i = 0; i < 2000; i++) {
                const size_t bytes = 1 + random() % 100'000;
                const uint64_t a = arena.allocate(bytes);
                ASSERT_NE(a, 0u);
                std::memset(reinterpret_cast<void*>(a), t, bytes);
                ASSERT_EQ(*reinterpret_cast<uint8_t*>(a + bytes - 1), t);
                arena.release(a);
            }
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(arena.info().free_bytes, 256u << 20);
}

TEST(CpuDevice, DescribesItself) {
    const DeviceFacts& facts = device().facts();
    EXPECT_EQ(backend().name(), "cpu");
    EXPECT_TRUE(facts.name.starts_with("Cuttle CPU (")) << facts.name;
    EXPECT_EQ(facts.uuid, cpu::describe_device(0, 1).uuid) << "stable";
    EXPECT_NE(facts.uuid, cpu::describe_device(1, 1).uuid);
    EXPECT_NE(cpu::describe_device(0, 1).pci_device, cpu::describe_device(1, 1).pci_device);
    EXPECT_GT(facts.multiprocessors, 0u);
    EXPECT_GT(facts.clock_khz, 100'000u);
    EXPECT_LE(facts.memory_bytes, cpu::machine_memory());
    EXPECT_EQ(facts.target.arch, ptx::Arch::host);
}

TEST(CpuDevice, MemoryIsExhaustible) {
    const MemoryInfo before = device().memory();
    EXPECT_EQ(before.total_bytes, device().facts().memory_bytes);
    EXPECT_EQ(device().allocate(before.total_bytes + 512, MemoryKind::device), 0u);
    const uint64_t all = device().allocate(before.free_bytes, MemoryKind::device);
    ASSERT_NE(all, 0u);
    EXPECT_EQ(device().memory().free_bytes, 0u);
    EXPECT_EQ(device().allocate(1, MemoryKind::device), 0u);
    device().release(all, MemoryKind::device);
    EXPECT_EQ(device().memory().free_bytes, before.free_bytes);
}

TEST(CpuDevice, KindsOfMemory) {
    for (MemoryKind kind : {MemoryKind::device, MemoryKind::pinned, MemoryKind::managed}) {
        const uint64_t address = device().allocate(1000, kind);
        ASSERT_NE(address, 0u);
        EXPECT_EQ(address % 512, 0u);
        EXPECT_EQ(device().owns(address), kind != MemoryKind::pinned);
        std::memset(reinterpret_cast<void*>(address), 5, 1000);
        device().release(address, kind);
    }
}

TEST(CpuDevice, SmallAllocationsAreFast) {
    constexpr int count = 100'000;
    const uint64_t keep = device().allocate(512, MemoryKind::device);
    const double ms = milliseconds([&] {
        for (int i = 0; i < count; i++)
            device().release(device().allocate(4096, MemoryKind::device), MemoryKind::device);
    });
    device().release(keep, MemoryKind::device);
    const double each = ms * 1e6 / count;
    RecordProperty("allocate_release_ns", int(each));
    std::printf("allocate + release: %.0f ns\n", each);
    EXPECT_LT(each, 20'000);
}

TEST(CpuDevice, Occupancy) {
    EXPECT_EQ(device().resident_blocks_per_multiprocessor(kernel("empty"), 1024, 0), 1u);
    EXPECT_EQ(device().resident_blocks_per_multiprocessor(kernel("empty"), 256, 0), 6u);
    EXPECT_EQ(device().resident_blocks_per_multiprocessor(kernel("empty"), 32, 0), 24u);
    EXPECT_EQ(device().resident_blocks_per_multiprocessor(kernel("empty"), 32, 48 << 10), 2u);
}

} // namespace cpu_test
