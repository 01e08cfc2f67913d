#pragma once

#include <llvm/ADT/StringRef.h>

namespace llvm {
class Function;
}

namespace ptx::code {

/// The symbols amdgpu.cpp declares for calls that need them: a pointer to the block of module-scope variables, which
/// the loader of the code fills in, and the start of dynamic shared memory.
inline constexpr llvm::StringLiteral amdgpu_globals = "cuttle.globals";
inline constexpr llvm::StringLiteral amdgpu_dynamic_shared = "cuttle.shared.dynamic.start";

void lower_amdgpu_calls(llvm::Function&);

} // namespace ptx::code
