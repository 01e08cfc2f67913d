#pragma once

namespace llvm {
class Module;
}

namespace ptx::code {

/// Half and bfloat operations that LLVM's x86 back end, or AMDGPU's with bfloat, would get wrong, written out:
///   fma of both, which it rounds twice: in double, with one rounding to the format;
///   integers to bfloat, which it rounds twice as well;
///   rounding to bfloat, for which it uses an instruction that flushes denormals where there is one.
/// May leave calls of the device library.
/// `half_fma`: the target has one, and is left it.
void lower_small_floats(llvm::Module&, bool half_fma = false);

} // namespace ptx::code
