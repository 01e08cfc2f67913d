#pragma once

#include <cstdint>

namespace llvm {
class Function;
} // namespace llvm

namespace ptx::simd {

/// A tile's function that can stop before each round of a loop: i32 (arguments..., ptr frame, i32 way). It gives what
/// is next.
struct Rounds {
    enum Next : uint32_t { refused, done, more };
    enum Way : uint32_t {
        whole,
        begin,
        go_on
    }; ///< whole: without a stop; go_on: where it has said `more`, for a round
    llvm::Function* function = nullptr;
    uint32_t frame_bytes = 0; ///< what is kept from round to round; 64 bytes are aligned
};

/// Where a loop reads and writes what lies far apart, a plane of memory in each round, other tiles should have their
/// round before this one goes on. Only for functions that nothing but ordinary memory ties to other threads: no shared
/// memory, no order of accesses, no calls but arithmetic. Takes the body of `made`, i1 (arguments...), and erases it;
/// none: it has no such loop.
Rounds cut_into_rounds(llvm::Function& made);

} // namespace ptx::simd
