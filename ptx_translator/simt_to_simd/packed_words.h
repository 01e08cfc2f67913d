#pragma once

#include <llvm/IR/PassManager.h>

namespace ptx::simd {

/// Words that hold several elements, as those of f16x2 and dp4a: bit casts between them and vectors, and sums over a
/// vector's elements, become operations on elements. LLVM's Scalarizer, which leaves both as they are, then takes the
/// vectors apart.
struct UnpackWordsPass : llvm::PassInfoMixin<UnpackWordsPass> {
    llvm::PreservedAnalyses run(llvm::Function&, llvm::FunctionAnalysisManager&);
};

} // namespace ptx::simd
