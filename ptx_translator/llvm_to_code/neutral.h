#pragma once

#include <llvm/ADT/SmallVector.h>
#include <llvm/ADT/StringRef.h>

namespace llvm {
class CallInst;
class Function;
class Instruction;
class Module;
class Type;
class Value;
} // namespace llvm

/// Neutral IR (docs/neutral_ir.md) as every back end reads it.
namespace ptx::code {

/// LLVM's numbers of the neutral address spaces.
enum Space : unsigned { generic = 0, global = 1, shared = 3, constant = 4, local = 5 };

inline constexpr llvm::StringLiteral kernel_attribute = "cuttle.kernel";
inline constexpr llvm::StringLiteral addressable_attribute = "cuttle.addressable";

bool is_kernel(const llvm::Function&);
/// A call of a declared `cuttle.*` function: its name without that prefix; else empty.
llvm::StringRef cuttle_name(const llvm::Instruction&);
/// All of them, in order.
llvm::SmallVector<llvm::CallInst*, 32> cuttle_calls(llvm::Function&);
/// The bytes that "cuttle.shared.static" says; 0 without.
unsigned static_shared_bytes(const llvm::Function& kernel);

/// Instructions instead of constant expressions, so that pointers can be changed one by one.
void expand_constant_expressions(llvm::Module&);

/// Inlines functions from which `cuttle.exit` is called into their callers, so that the call ends up in kernels, where
/// it is a plain return. What recursion or indirect calls leave stays.
void inline_exits(llvm::Module&);
/// Inlines a function into all its callers, if it is not recursive; true when it changed something.
bool inline_into_callers(llvm::Function&);
/// `cuttle.exit` in kernels becomes ret.
void return_instead_of_exit(llvm::Function& kernel);

/// The same kernel with parameters, which a target's calling convention has; its neutral form has none. Replaces it.
llvm::Function* with_parameters(llvm::Function& kernel, llvm::ArrayRef<llvm::Type*> parameters);

/// Renames atomics' and fences' scopes from the neutral names to a target's: block, cluster, device.
struct Scopes {
    const char *block, *cluster, *device;
};
void rename_scopes(llvm::Module&, const Scopes&);

/// Functions whose address the module takes or that carry "cuttle.addressable".
llvm::SmallVector<llvm::Function*, 8> addressable_functions(llvm::Module&);
/// `root` and all that it may call; an indirect call may reach any addressable function.
llvm::SmallVector<llvm::Function*, 16> reachable_from(llvm::Function& root);

} // namespace ptx::code
