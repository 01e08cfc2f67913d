#pragma once

namespace llvm {
class Module;
}

namespace ptx::code {

/// Makes selections between constant vectors, lane by lane, that are used as one scalar arithmetic: LLVM 22's
/// AMDGPUCodeGenPrepare folds what operates on that scalar into the selection, and keeps the vector as its condition,
/// which is no valid IR (foldBinOpIntoSelect). After all other optimisations, which would make selections of it again.
void expand_selected_vectors(llvm::Module&);

} // namespace ptx::code
