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
/// Links what is called. Its variables in private memory are allocas of neutral space 5. `fp64`: whether the GPU has
/// doubles, in which floats are then rounded otherwise than to nearest.
void link_spirv_library(llvm::Module&, bool fp64);

} // namespace ptx::code
