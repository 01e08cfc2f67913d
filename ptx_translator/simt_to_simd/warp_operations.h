#pragma once

#include <optional>
#include <string>

namespace llvm {
class CallBase;
class CallInst;
} // namespace llvm

/// Operations in which the lanes of a warp meet, in the function of one lane, where all 32 are in one tile.
namespace ptx::simd {

class Shapes;

enum class WarpOperation { sync, shuffle, vote, match_any, match_all, reduce, active_mask, multiply };

/// Makes the call of a neutral function one that only widen() understands.
void make_warp_operation(llvm::CallInst&);
/// What the call is, if make_warp_operation made it.
std::optional<WarpOperation> warp_operation_of(const llvm::CallBase&);

/// Why the lanes cannot meet there as vectors; empty if they can. All lanes must be there: who else takes part is up to
/// those that are elsewhere.
std::string why_not_together(const llvm::CallBase&, const Shapes&);
/// Whether all lanes get the same.
bool gives_all_the_same(const llvm::CallBase&, const Shapes&);

} // namespace ptx::simd
