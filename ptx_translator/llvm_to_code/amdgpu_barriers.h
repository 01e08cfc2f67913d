#pragma once

#include "ptx/image.h"

#include <llvm/ADT/StringRef.h>

namespace llvm {
class Function;
class Instruction;
class Module;
class Value;
} // namespace llvm

namespace ptx::code {

/// Inlines functions with barriers that are emulated into their callers, up to the kernels.
void inline_emulated_barriers(llvm::Module&);

/// Where a kernel's emulated barriers lie in LDS.
inline constexpr llvm::StringLiteral barrier_area_attribute = "cuttle.barriers";

/// How many bytes of static shared memory a kernel has with `bytes` behind its own ones, which begin at the next
/// multiple of 16. What comes behind, dynamic shared memory, stays as aligned as its declaration has made it.
uint32_t shared_bytes_with(uint32_t own, uint32_t bytes);

/// Barriers with numbers or for some of the threads become calls of the device library and loops that wait. They lie
/// behind the kernel's static shared memory, which grows. What all threads do at barrier 0 stays: it is made of the
/// hardware's. After inspect_kernels.
void lower_emulated_barriers(llvm::Function& kernel, KernelInfo& info);

/// A block that is part of a work group. Values of 32 bits that are known before all barriers.
struct PartOfGroup {
    llvm::Value* area;    ///< shared address of its ptx::amdgpu::ClusterArea
    llvm::Value* threads; ///< how many it has
};

/// All barriers of such a block, none of which the hardware has.
void lower_barriers_of_part(llvm::Function& kernel, const PartOfGroup& block);
/// A loop before `place` until the word at a shared address is no longer `phase`.
void wait_for_phase(llvm::Instruction& place, llvm::Value* address, llvm::Value* phase);

} // namespace ptx::code
