#pragma once

#include <llvm/ADT/SmallVector.h>

#include <cstdint>
#include <optional>

namespace llvm {
class DataLayout;
class Type;
class Value;
} // namespace llvm

namespace ptx::simd {

class Shapes;

/// A value that is not regular, but the same number and a constant in each lane: %tid.x * 2 - (%tid.x & 3).
struct Pattern {
    uint64_t bits = 0; ///< that the number may have; others are zero
    llvm::SmallVector<int64_t, 32> offsets;
};

/// The offsets are in bits of their own, so nothing is carried into the number's.
bool never_carries(const Pattern&);

std::optional<Pattern> pattern_of(const Shapes&, const llvm::DataLayout&, const llvm::Value*);

/// Elements from the first lane's: which each lane has, and how many there are, all that lies between included.
struct Elements {
    int64_t first = 0; ///< in bytes from the first lane's
    unsigned count = 0;
    llvm::SmallVector<unsigned, 32> of_lanes;
};

/// Null if there is no pattern, or few elements, or too many for what the lanes have of them.
std::optional<Elements> elements_of(const Shapes&, const llvm::DataLayout&, const llvm::Value* pointer, llvm::Type*);
/// Whether lanes may store the elements together with all that lies between.
bool is_stored_between(const Elements&);
/// Whether the address is in the CTA's shared memory, as the kernel's Lane says where it is.
bool is_shared_memory(const llvm::Value* pointer, const llvm::DataLayout&);

} // namespace ptx::simd
