#pragma once

#include "ast_to_llvm/emitter.h"

#include <string>
#include <vector>

/// What the warp-level matrix moves share. PTX ISA 9.7.14.5.15 - 9.7.14.5.17: a matrix has rows of 16 bytes, one lane
/// knows the address of one row, and four neighbouring lanes hold a row of 32-bit words.
namespace ptx::ast_to_llvm {

class MatrixRows {
  public:
    MatrixRows(Emitter& emitter, const Instruction& instruction)
        : emitter_(emitter), ir_(emitter.ir()), instruction_(instruction),
          lane_(emitter.call("cuttle.sreg.laneid", ir_.getInt32Ty(), {})) {}

    llvm::Value* lane() const { return lane_; }
    /// Number of the group of four lanes that this one belongs to, and its place in the group.
    llvm::Value* group() const { return ir_.CreateLShr(lane_, 2); }
    llvm::Value* place() const { return ir_.CreateAnd(lane_, 3); }

    /// What lane `from` gives as `value`. Every lane of the warp takes part.
    llvm::Value* of_lane(llvm::Value* value, llvm::Value* from);
    /// The shared address that this lane gives as the address operand.
    llvm::Value* own_address(const Operand& address);
    /// A pointer to byte `offset` of the row at this shared address.
    llvm::Value* at(llvm::Value* address, llvm::Value* offset);
    /// The registers of a vector operand, which must be `count`.
    std::vector<Operand> registers(const Operand& vector, unsigned count) const;
    /// Lanes have seen each other's memory when this returns.
    void meet();

  private:
    Emitter& emitter_;
    llvm::IRBuilder<>& ir_;
    const Instruction& instruction_;
    llvm::Value* lane_;
};

} // namespace ptx::ast_to_llvm
