#pragma once

#include <cstdint>
#include <string>

/// A valid PTX kernel, the same for the same seed everywhere, whose results no conforming machine may differ in:
/// divergent branches and loops, exact integer and f32 arithmetic, warp operations with the masks that control flow
/// implies, barriers in uniform control flow, shared, local and global memory, atomics whose order does not matter,
/// calls. The seeds of wide kernels add packed, short and double arithmetic, video instructions, recursion, indirect
/// calls, loops left from within others, generic addresses, constants and asynchronous copies.
struct RandomKernel {
    static constexpr uint64_t first_wide_seed = 1000000; ///< from here on more kinds of statements, of sm_90
    static constexpr unsigned blocks = 3;
    static constexpr unsigned input_words = 1024;
    static constexpr unsigned words_per_thread = 16; ///< of output
    static constexpr unsigned atomic_words = 32;     ///< of output, behind those of the threads; start as zero

    std::string text; ///< has `.visible .entry fuzz(.param .u64 out, .param .u64 in)`
    unsigned threads = 0;

    unsigned output_words() const { return blocks * threads * words_per_thread + atomic_words; }
};

RandomKernel make_random_kernel(uint64_t seed);

/// Input word `i` of every kernel.
uint32_t fuzz_input(unsigned i);
