#pragma once

#include "ptx/phases.h"

#include <llvm/ADT/StringRef.h>

#include <optional>

namespace llvm {
class CallInst;
class Instruction;
} // namespace llvm

namespace ptx::code {

/// A neutral function that ends a phase, and the numbers of its operands.
struct PhaseOperation {
    static constexpr int none = -1;
    llvm::StringLiteral name;
    host::Wait wait;
    int operation, barrier, value, detail, clamp, mask;
};

/// Null for what does not end a phase.
const PhaseOperation* phase_operation_of(const llvm::Instruction&);
/// The value of an operand that is a constant.
std::optional<uint64_t> constant_operand(const llvm::CallInst&, int operand);

} // namespace ptx::code
