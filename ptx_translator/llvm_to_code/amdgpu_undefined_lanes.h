#pragma once

namespace llvm {
class TargetPassConfig;
}

namespace ptx::code {

/// Where a machine instruction leaves a lane of a register undefined that is used earlier in the same block and written
/// nowhere in it, the lane is said to become undefined by an instruction of its own. LLVM 22 has a flag for that
/// instead, and takes such a block for one into which nothing comes (LiveRangeCalc::isDefOnEntry notes UndefOnEntry of
/// a block that only ends undefined), whenever it computes the register's live ranges anew: then others are put into
/// parts of it that are still wanted.
void tell_undefined_lanes(llvm::TargetPassConfig&);

} // namespace ptx::code
