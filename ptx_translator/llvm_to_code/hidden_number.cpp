#include "llvm_to_code/hidden_number.h"

#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/Module.h>

namespace ptx::code {

llvm::Value* hidden_number(llvm::IRBuilder<>& ir, unsigned number, const char* assembler) {
    auto* type = llvm::FunctionType::get(ir.getInt32Ty(), {ir.getInt32Ty()}, false);
    const auto hide = [&]() -> llvm::FunctionCallee {
        if (assembler) return {type, llvm::InlineAsm::get(type, "", assembler, false)};
        llvm::FunctionCallee function = ir.GetInsertBlock()->getModule()->getOrInsertFunction("cuttle.opaque", type);
        // A call alone does not stay convergent.
        llvm::cast<llvm::Function>(function.getCallee())->setConvergent();
        return function;
    };
    llvm::CallInst* value = ir.CreateCall(hide(), {ir.getInt32(number)});
    value->setConvergent(); // else LLVM makes a loop of its own out of what leads back with nothing changed
    return value;
}

} // namespace ptx::code
