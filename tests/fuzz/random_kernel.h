#pragma once

#include <cstdint>
#include <string>

/// A valid PTX kernel, the same for the same seed everywhere, whose results no conforming machine may differ in:
/// divergent branches and loops, exact integer and f32 arithmetic, warp operations with the masks that control flow
/// implies, barriers in uniform control flow, shared, local and global memory, atomics whose order does not matter,
/// calls. The seeds of wide kernels add packed, short and double arithmetic, video instructions, recursion, indirect
/// calls, loops left from within others, generic addresses, constants and asynchronous copies. The kernels of shapes
/// are made elsewhere (shape_generator.h).
struct RandomKernel {
    static constexpr uint64_t first_wide_seed = 1000000;  ///< from here on more kinds of statements, of sm_90
    static constexpr uint64_t first_shape_seed = 5000000; ///< from here on kernels of shapes
    static constexpr unsigned blocks = 3;
    static constexpr unsigned input_words = 1024;    ///< kernels of shapes read more
    static constexpr unsigned words_per_thread = 16; ///< of output
    static constexpr unsigned atomic_words = 32;     ///< of output, behind those of the threads; start as zero

    /// Has `.visible .entry fuzz(.param .u64 out, .param .u64 in)`, and of shapes with
    /// `, .param .u32 n, .param .u32 m, .param .u32 rounds` behind them.
    std::string text;
    unsigned threads = 0; ///< of a block
    unsigned grid[3] = {blocks, 1, 1}, block[3] = {1, 1, 1};
    unsigned numbers[3] = {}; ///< n, m and rounds
    unsigned in_words = input_words, output_words = 0;
};

RandomKernel make_random_kernel(uint64_t seed);

/// Input word `i` of every kernel.
uint32_t fuzz_input(unsigned i);
