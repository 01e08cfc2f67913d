#pragma once

namespace llvm {
class Module;
}

namespace ptx::code {

/// Half and bfloat operations that LLVM's x86 back end would get wrong, written out:
///   fma of both, which it rounds twice: in double, with one rounding to the format;
///   integers to bfloat, which it rounds twice as well;
///   rounding to bfloat, for which it uses an instruction that flushes denormals where there is one.
/// May leave calls of device_library/host_library.cpp.
void lower_small_floats(llvm::Module&);

} // namespace ptx::code
