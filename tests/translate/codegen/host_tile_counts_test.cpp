// What vectors are counted to do.
#include "tiles_and_threads.h"

using namespace codegen_test;
using namespace codegen_test::blocks;

namespace {

constexpr uint32_t threads = 64, columns = 32, tiles = threads / columns;

/// Of a block of threads in tiles of 32; thread i loads in[i].
Counts counts_of(const std::string& body, const std::vector<uint32_t>& in, bool chain = false) {
    ptx::Target target = ptx::Target::parse("host");
    target.divide(columns, 1);
    const Code code(kernel(body), target, {.phases = true, .warp = 1, .counts = true});
    EXPECT_EQ(code.symbol("k.kernel.why_threads"), nullptr);
    Counts counts{};
    *static_cast<Counts**>(code.symbol("k.kernel.counts")) = &counts;
    std::vector<uint32_t> out(threads * words);
    Surroundings around;
    around.set_parameters(in.data(), out.data(), threads);
    Block(code, around, threads, 1).run(chain);
    return counts;
}

std::vector<uint32_t> same(uint32_t number) { return std::vector<uint32_t>(threads, number); }

/// Threads whose number is odd store it elsewhere first.
const std::string odd_ones = R"(
  %odd = trunc i32 %v to i1
  br i1 %odd, label %work, label %end
work:
  %there = add i64 %out, %ib
  %there.p = inttoptr i64 %there to ptr addrspace(1)
  store i32 %v, ptr addrspace(1) %there.p
  br label %end
end:
  call void @cuttle.barrier.sync(i32 0, i32 0)
  store i32 %v, ptr addrspace(1) %o
  ret void
)";

TEST(HostTileCounts, AccessesWithoutOrder) {
    // in[i], contiguous; out[4 * i]. The value is loaded again behind the barrier, or kept.
    const Counts counts = counts_of(R"(
  store i32 %v, ptr addrspace(1) %o
  call void @cuttle.barrier.sync(i32 0, i32 0)
  ret void
)", same(1));
    EXPECT_EQ(counts.accesses, 2 * tiles);
    EXPECT_EQ(counts.scattered, tiles);
    EXPECT_EQ(counts.lanes, counts.room);
    EXPECT_GE(counts.room, 2 * threads);
    EXPECT_EQ(counts.barriers, 0u) << "for the caller to count";
}

TEST(HostTileCounts, GroupsOfLanesHaveAnOrder) {
    // Groups of four at places that only the group knows, each lane behind the other or in front of it.
    const auto counts = [](const std::string& place) {
        return counts_of(R"(
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %first = and i32 %x, -4
  %own = and i32 %x, 3
  %place = )" + place + R"(
  %scaled = mul i32 %first, %n
  %row = and i32 %scaled, 28
  %row.w = zext i32 %row to i64
  %place.w = zext i32 %place to i64
  %sum = add i64 %row.w, %place.w
  %bytes = shl i64 %sum, 2
  %a.n = add i64 %in, %bytes
  %a.p = inttoptr i64 %a.n to ptr addrspace(1)
  %a = load i32, ptr addrspace(1) %a.p
  store i32 %a, ptr addrspace(1) %o
  ret void
)", same(1));
    };
    const Counts in_order = counts("add i32 %own, 0"), not_so = counts("sub i32 3, %own");
    EXPECT_EQ(in_order.scattered, tiles) << "the store";
    EXPECT_EQ(not_so.scattered, 2 * tiles);
}

TEST(HostTileCounts, MasksWithoutTheBitsOfAWord) {
    // Words at 2 x - x % 64: of 4 x, whose last bits are 0, the mask takes 252, not 255.
    const Counts counts = counts_of(R"(
  %own = shl i32 %x, 2
  %s = inttoptr i32 %own to ptr addrspace(3)
  store i32 %v, ptr addrspace(3) %s
  call void @cuttle.barrier.sync(i32 0, i32 0)
  %twice = shl i32 %x, 3
  %low = and i32 %own, 252
  %place = sub i32 %twice, %low
  %behind = add i32 %place, 256
  %there = inttoptr i32 %behind to ptr addrspace(3)
  %a = load i32, ptr addrspace(3) %there
  store i32 %a, ptr addrspace(1) %o
  ret void
)", same(1));
    EXPECT_EQ(counts.scattered, tiles) << "the store to global memory";
}

TEST(HostTileCounts, LanesThatAreThere) {
    const Counts all = counts_of(odd_ones, same(1)), none = counts_of(odd_ones, same(2));
    EXPECT_EQ(all.lanes, all.room);
    EXPECT_LT(none.room, all.room) << "blocks that no lane comes to do not run";
    // One lane of the first tile.
    std::vector<uint32_t> in = same(2);
    in[5] = 3;
    const Counts one = counts_of(odd_ones, in);
    const uint64_t stores = (all.room - none.room) / threads;
    EXPECT_GE(stores, 1u);
    EXPECT_EQ(one.lanes, none.lanes + stores);
    EXPECT_EQ(one.room, none.room + columns * stores);
    EXPECT_EQ(one.accesses, none.accesses + 1);
}

TEST(HostTileCounts, ChainsCountTheBarriersTheyPass) {
    const Counts counts = counts_of(R"(
  store i32 %v, ptr addrspace(1) %o
  call void @cuttle.barrier.sync(i32 0, i32 0)
  store i32 %v, ptr addrspace(1) %o
  call void @cuttle.barrier.sync(i32 0, i32 0)
  ret void
)", same(1), true);
    EXPECT_EQ(counts.barriers, 2u);
}

TEST(HostTileCounts, OnlyWhenAsked) {
    const Code code(kernel(odd_ones), ptx::Target::parse("host"), {.phases = true, .warp = 1});
    EXPECT_EQ(code.symbol("k.kernel.counts"), nullptr);
}

} // namespace
