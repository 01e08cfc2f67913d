#pragma once

#include "blocks_of_warps.h"

/// Kernels of blocks_of_warps.h in tiles, against threads one after another: the same memory.
namespace codegen_test::blocks {

struct Memory {
    std::vector<uint32_t> out;
    std::array<uint8_t, 4096> shared;
    bool operator==(const Memory&) const = default;
};

enum class Way { phases, chain, stopped_chain };

inline Memory memory_after(const Code& code, uint32_t x, uint32_t y, Way way = Way::phases) {
    Surroundings around;
    std::vector<uint32_t> in(most_threads + 8);
    for (uint32_t i = 0; i < in.size(); ++i) in[i] = i * 2654435761u >> (i % 3 ? 25 : 3);
    Memory memory{std::vector<uint32_t>(most_threads * words, 0xeeeeeeee), {}};
    around.set_parameters(in.data(), memory.out.data(), 100u);
    Block block(code, around, x, y);
    if (way == Way::stopped_chain) block.stop();
    block.run(way != Way::phases);
    memory.shared = around.shared;
    return memory;
}

/// Made for tiles of each of those blocks.
inline void expect_same_memory(const std::string& text,
                               std::initializer_list<std::pair<uint16_t, uint16_t>> divisions) {
    for (const char* cpu : {"host", "host:haswell", "host:x86-64-v2"}) {
        if (std::string_view(cpu) == "host:haswell" && !__builtin_cpu_supports("avx2")) continue;
        ptx::Target target = ptx::Target::parse(cpu);
        const Code threads(text, target, {.phases = true});
        for (const auto& [columns, rows] : divisions) {
            target.divide(columns, rows);
            const Code tiles(text, target, {.phases = true, .warp = true});
            EXPECT_EQ(tiles.symbol("k.kernel.why_threads"), nullptr);
            for (const auto& [x, y] : {std::pair{64u, 1u}, {96u, 2u}, {100u, 1u}, {48u, 3u}, {16u, 6u}, {8u, 8u}}) {
                SCOPED_TRACE(target.name() + " " + std::to_string(x) + "x" + std::to_string(y));
                const Memory expected = memory_after(threads, x, y);
                EXPECT_TRUE(memory_after(tiles, x, y) == expected);
                EXPECT_TRUE(memory_after(tiles, x, y, Way::chain) == expected) << "without the runner";
                EXPECT_TRUE(memory_after(tiles, x, y, Way::stopped_chain) == expected) << "a round without the runner";
            }
        }
    }
}

} // namespace codegen_test::blocks
