#pragma once

#include <llvm/ADT/StringRef.h>
#include <llvm/IR/IRBuilder.h>

namespace llvm {
class CallInst;
class TargetMachine;
} // namespace llvm

namespace ptx::code {
class LaneAccess;

/// Lowers every `cuttle.*` call of the function that `lane` belongs to. Directed rounding becomes calls of
/// device_library/host_library.cpp. `parameter_bytes`: of the kernel, 0 in other functions. `clusters`: its .shared
/// addresses are those of KernelInfo::uses_cluster. Throws ptx::Error naming
/// what the host lacks.
void lower_calls(LaneAccess& lane, const llvm::TargetMachine&, uint32_t parameter_bytes, bool clusters);

/// The 64-bit or 32-bit value of a special register, or null if there is none of that name.
llvm::Value* special_register(LaneAccess& lane, llvm::IRBuilder<>&, llvm::StringRef name);

/// A call of the service at this offset of Services with arguments behind the Lane. `result` is its C type.
llvm::CallInst* call_service(LaneAccess& lane, llvm::IRBuilder<>&, uint32_t offset, llvm::Type* result,
                             llvm::ArrayRef<llvm::Value*> arguments);

} // namespace ptx::code
