#pragma once

#include <llvm/ADT/StringRef.h>

#include <optional>

namespace llvm {
class CallBase;
} // namespace llvm

namespace ptx::simd {

/// An operation that does not round to nearest: a call of device_library/host_library.cpp's cuttle_round_OP_MODE_TYPE_avx.
struct Directed {
    llvm::StringRef instruction; ///< without its ending: "vadd"
    unsigned mxcsr;              ///< the control register that rounds so
    unsigned operands;
};

std::optional<Directed> directed_of(const llvm::CallBase&);

} // namespace ptx::simd
