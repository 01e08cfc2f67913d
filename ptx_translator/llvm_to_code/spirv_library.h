#pragma once

namespace llvm {
class Function;
class Module;
} // namespace llvm

/// What SPIR-V or Intel's compiler lacks, as calls of the device library (spirv_library.cpp and others). The library is
/// neutral IR, so that it is linked and inlined before pointers are mapped and `cuttle.*` is lowered.
namespace ptx::code {

/// Calls of `cuttle.*` functions that the library has become calls of it.
void call_spirv_library(llvm::Function&);
/// Links what is called. Its variables in private memory are allocas of neutral space 5.
void link_spirv_library(llvm::Module&);

} // namespace ptx::code
