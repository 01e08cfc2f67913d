#pragma once

namespace llvm {
class Module;
}

namespace ptx::code {

/// PTX's approximate functions, which the neutral IR says in LLVM's intrinsics (llvm.exp2, llvm.sin ... of float),
/// become calls of the device library, to be inlined: LLVM itself would call libm. Other types do not occur.
void lower_approximations(llvm::Module&);

} // namespace ptx::code
