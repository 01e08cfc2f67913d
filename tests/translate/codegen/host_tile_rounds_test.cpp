// Tiles of neighbouring blocks that have the rounds of a loop in turn, against threads one after another.
#include "tiles_and_threads.h"

#include <csetjmp>
#include <csignal>
#include <sys/mman.h>

using namespace codegen_test;
using namespace codegen_test::blocks;

namespace {

using Three = std::array<uint32_t, 3>;

/// Blocks of a row stand side by side, columns 1 to n - 1 of it (or, without `edges`, all), and all rows of blocks on
/// one another, of four rows of 320 words. Threads go on by planes of n * 16 words, n % 8 * 4 + 4 of them. `more`: done
/// in each round, with the round's %b bytes, its sum %sum.
std::string march(const std::string& more = "", const std::string& step = "mul i32 %n, 16", bool edges = true) {
    return kernel(R"(
  %bx = call i32 @cuttle.sreg.ctaid.x()
  %by = call i32 @cuttle.sreg.ctaid.y()
  %x.b = mul i32 %bx, %w
  %c = add i32 %x.b, %x
  %low = icmp slt i32 %c, 1
  %high = icmp sge i32 %c, %n
  %edge = or i1 %low, %high
)" + std::string(edges ? "  br i1 %edge, label %end, label %before\n" : "  br label %before\n") +
                  R"(
before:
  %row.4 = mul i32 %by, 4
  %row = add i32 %row.4, %y
  %row.n = mul i32 %row, 1280
  %row.b = sext i32 %row.n to i64
  %in.row = add i64 %in, %row.b
  %out.row = add i64 %out, %row.b
  %begins = sext i32 %c to i64
  %plane = )" + step +
                  R"(
  %plane.w = sext i32 %plane to i64
  %odd = and i32 %n, 7
  %odd.4 = shl i32 %odd, 2
  %rounds = add i32 %odd.4, 4
  br label %loop
loop:
  %k = phi i32 [ 0, %before ], [ %k.next, %loop ]
  %wide = phi i64 [ %begins, %before ], [ %index.next, %loop ]
  %last.v = phi i32 [ 0, %before ], [ %sum, %loop ]
  %b = shl i64 %wide, 2
  %in.w = add i64 %in.row, %b
  %p0 = inttoptr i64 %in.w to ptr addrspace(1)
  %p1 = getelementptr i8, ptr addrspace(1) %p0, i64 4
  %p2 = getelementptr i8, ptr addrspace(1) %p0, i64 -4
  %p3 = getelementptr i8, ptr addrspace(1) %p0, i64 128
  %v0 = load i32, ptr addrspace(1) %p0
  %v1 = load i32, ptr addrspace(1) %p1
  %v2 = load i32, ptr addrspace(1) %p2
  %v3 = load i32, ptr addrspace(1) %p3
  %s1 = add i32 %v0, %v1
  %s2 = mul i32 %s1, %v2
  %s3 = xor i32 %s2, %v3
  %sum = add i32 %s3, %last.v
  %out.w = add i64 %out.row, %b
  %o.p = inttoptr i64 %out.w to ptr addrspace(1)
  store i32 %sum, ptr addrspace(1) %o.p
)" + more + R"(
  %index.next = add i64 %wide, %plane.w
  %k.next = add i32 %k, 1
  %done = icmp uge i32 %k.next, %rounds
  br i1 %done, label %end, label %loop
end:
  ret void
)") + "declare i32 @cuttle.sreg.ctaid.y() #0\n";
}

ptx::Target target_for(const char* name, uint16_t columns, uint16_t rows) {
    ptx::Target target = ptx::Target::parse(name);
    target.divide(columns, rows);
    return target;
}

constexpr size_t words_of_memory = 176 << 10, margin = 512;

/// A grid from block `first` on, in one call.
struct Launch {
    uint32_t n;
    Three grid, block;
    uint32_t first = 0;

    void operator()(const Code& code, const uint32_t* in, uint32_t* out) const {
        Surroundings around;
        around.set_parameters(in, out, n);
        std::copy_n(grid.begin(), 3, around.grid.grid_dim);
        std::copy_n(block.begin(), 3, around.grid.block_dim);
        around.lane.block[0] = first % grid[0];
        around.lane.block[1] = first / grid[0];
        around.lane.more = uint64_t{grid[0]} * grid[1] * grid[2] - 1 - first;
        code.run_block("k", around.lane);
        EXPECT_EQ(around.lane.more, 0u);
        EXPECT_EQ((Three{around.lane.block[0], around.lane.block[1], around.lane.block[2]}),
                  (Three{grid[0] - 1, grid[1] - 1, grid[2] - 1}));
    }
};

TEST(HostTileRounds, SameMemoryInTurn) {
    std::vector<uint32_t> in(words_of_memory);
    for (uint32_t i = 0; i < in.size(); i++) in[i] = i * 2654435761u;
    const auto memory_after = [&](const Code& code, const Launch& launch) {
        std::vector<uint32_t> out(words_of_memory, 7);
        launch(code, in.data() + margin, out.data() + margin);
        return out;
    };
    for (const char* cpu : {"host", "host:haswell", "host:x86-64-v2"}) {
        if (std::string_view(cpu) == "host:haswell" && !__builtin_cpu_supports("avx2")) continue;
        const Code threads(march(), target_for(cpu, 32, 1), {.phases = true});
        EXPECT_EQ(threads.symbol("k.kernel.together"), nullptr);
        for (const auto& [columns, rows] : {std::pair<uint16_t, uint16_t>{32, 1}, {16, 2}}) {
            const Code tiles(march(), target_for(cpu, columns, rows), {.phases = true, .warp = 1});
            ASSERT_NE(tiles.symbol("k.kernel.together"), nullptr);
            // With 300 there are too few rounds; with n = 60 planes are less than two pages from each other.
            for (uint32_t n : {302u, 303u, 300u, 60u})
                for (const Three& block :
                     {Three{32, 1, 1}, {64, 3, 1}, {32, 4, 2}, {100, 2, 1}, {20, 1, 1}, {16, 4, 1}, {64, 4, 16}})
                    for (const Three& grid : {Three{11, 3, 1}, {1, 3, 1}, {1, 1, 1}, {2, 2, 2}, {70, 1, 1}})
                        for (uint32_t first : {0u, grid[0] - 1}) {
                            const Launch launch{n, grid, block, first};
                            EXPECT_TRUE(memory_after(tiles, launch) == memory_after(threads, launch))
                                << cpu << " n " << n << ", grid " << grid[0] << 'x' << grid[1] << ", block " << block[0]
                                << 'x' << block[1] << 'x' << block[2] << " from " << first;
                        }
        }
    }
}

/// Of these there is but one function, as no thread ends at once.
TEST(HostTileRounds, WithoutEdges) {
    const std::string text = march("", "mul i32 %n, 16", false);
    std::vector<uint32_t> in(words_of_memory);
    for (uint32_t i = 0; i < in.size(); i++) in[i] = i * 2654435761u;
    const Code threads(text, target_for("host", 32, 1), {.phases = true});
    const Code tiles(text, target_for("host", 32, 1), {.phases = true, .warp = 1});
    ASSERT_NE(tiles.symbol("k.kernel.together"), nullptr);
    for (const Launch& launch : {Launch{303, {9, 3, 1}, {32, 3, 1}}, {302, {3, 3, 1}, {100, 4, 1}}}) {
        std::vector<uint32_t> expected(words_of_memory, 7), out(words_of_memory, 7);
        launch(threads, in.data() + margin, expected.data() + margin);
        launch(tiles, in.data() + margin, out.data() + margin);
        EXPECT_TRUE(out == expected) << launch.n;
    }
}

/// What a block reads in each round is what the one behind it has written in the round before: no program may hope for
/// that, but it shows who was first.
TEST(HostTileRounds, BlocksTakeTurns) {
    const auto last_read = [](uint32_t n, const Three& grid, const Three& block) {
        const Code tiles(march(), target_for("host", 32, 1), {.phases = true, .warp = 1});
        const uint32_t plane = n * 16;
        std::vector<uint32_t> memory(words_of_memory, 0);
        std::fill_n(memory.begin() + margin, plane, 1);
        uint32_t* const out = memory.data() + margin + plane;
        // The fourth load is 32 words on: 0 ^ the word there. Without masks, so that the number of rounds is known.
        Launch{n, grid, block}(tiles, out - plane, out);
        return out[plane + 40];
    };
    const uint32_t alone = last_read(303, {2, 1, 1}, {32, 1, 1});
    EXPECT_NE(last_read(303, {8, 1, 1}, {32, 1, 1}), alone);
    EXPECT_EQ(last_read(303, {2, 2, 1}, {32, 1, 1}), alone) << "it is of another row";
    EXPECT_NE(last_read(303, {1, 1, 1}, {256, 1, 1}), alone) << "tiles of one block";
    EXPECT_EQ(last_read(300, {8, 1, 1}, {32, 1, 1}), last_read(300, {2, 1, 1}, {32, 1, 1})) << "few rounds";
    const uint32_t near = last_read(63, {2, 1, 1}, {32, 1, 1});
    EXPECT_EQ(last_read(63, {8, 1, 1}, {32, 1, 1}), near) << "rounds near each other";
}

sigjmp_buf after_fault;

/// The third round cannot be read from column 128 on: block 3, which looks ahead by 32, is the first to meet that. The
/// Lane says so, with others in the midst of their rounds.
TEST(HostTileRounds, FaultsInTurnAreOfTheirBlock) {
    constexpr uint32_t n = 303, plane = n * 16;
    constexpr size_t page = 4096, bytes = words_of_memory * 4, hole = 16 * page;
    auto* const memory = static_cast<uint8_t*>(
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
    ASSERT_NE(memory, MAP_FAILED);
    ASSERT_EQ(mprotect(memory + hole, page, PROT_NONE), 0);
    const auto* const in = reinterpret_cast<uint32_t*>(memory + hole) - 2 * plane - 128;
    for (bool warp : {false, true}) {
        const Code code(march(), target_for("host", 32, 1), {.phases = true, .warp = warp});
        std::vector<uint32_t> out(words_of_memory, 7);
        Surroundings around;
        around.set_parameters(in, out.data(), n);
        const Three grid{10, 1, 1}, block{32, 1, 1};
        std::copy_n(grid.begin(), 3, around.grid.grid_dim);
        std::copy_n(block.begin(), 3, around.grid.block_dim);
        around.lane.more = 9;
        struct sigaction before, handler{};
        handler.sa_handler = [](int) { siglongjmp(after_fault, 1); };
        sigaction(SIGSEGV, &handler, &before);
        bool faulted = sigsetjmp(after_fault, 1) != 0;
        if (!faulted) code.run_block("k", around.lane);
        sigaction(SIGSEGV, &before, nullptr);
        EXPECT_TRUE(faulted);
        EXPECT_EQ(around.lane.block[0], 3u);
        // In turn blocks behind it have been there, and are still to be counted as what the call has not done.
        EXPECT_EQ(out[plane + 5 * 32] != 7, warp);
        EXPECT_EQ(out[3 * plane + 8] == 7, warp);
        EXPECT_EQ(around.lane.more, warp ? 9u : 6u);
    }
    munmap(memory, bytes);
}

TEST(HostTileRounds, OnlyWhereNothingElseTiesThreads) {
    const auto takes_turns = [](const std::string& text, bool counts = false) {
        const Code code(text, target_for("host", 32, 1), {.phases = true, .warp = 1, .counts = counts});
        EXPECT_EQ(code.symbol("k.kernel.why_threads"), nullptr);
        return code.symbol("k.kernel.together") != nullptr;
    };
    EXPECT_TRUE(takes_turns(march()));
    EXPECT_FALSE(takes_turns(march(), true)) << "sums that all threads of the process add to";
    EXPECT_FALSE(takes_turns(march("", "add i32 0, 2047"))) << "less than two pages";
    EXPECT_TRUE(takes_turns(march("", "add i32 0, 2048")));
    EXPECT_TRUE(takes_turns(march("", "add i32 0, -2048")));
    EXPECT_FALSE(takes_turns(march("  %more = load volatile i32, ptr addrspace(1) %p0\n")));
    EXPECT_FALSE(takes_turns(march("  store volatile i32 %sum, ptr addrspace(1) %o.p\n")));
    EXPECT_FALSE(takes_turns(march("  %more = atomicrmw add ptr addrspace(1) %o.p, i32 1 monotonic\n")));
    EXPECT_FALSE(takes_turns(march("  fence acquire\n")));
    EXPECT_FALSE(takes_turns(march("  %s.x = shl i32 %x, 2\n  %s.p = inttoptr i32 %s.x to ptr addrspace(3)\n"
                                   "  store i32 %sum, ptr addrspace(3) %s.p\n")));
}

} // namespace
