#include "llvm_to_code/call_values.h"

namespace ptx::code {

llvm::Value* convert(llvm::IRBuilder<>& ir, llvm::Value* value, llvm::Type* type) {
    if (value->getType() == type) return value;
    if (type->isPointerTy()) return ir.CreateIntToPtr(value, type);
    if (value->getType()->isPointerTy()) return ir.CreatePtrToInt(value, type);
    return ir.CreateZExtOrTrunc(value, type);
}

llvm::Value* as_result(llvm::IRBuilder<>& ir, llvm::Value* value, llvm::Type* type) {
    if (value->getType() == type) return value;
    auto* pair = llvm::dyn_cast<llvm::StructType>(type);
    if (!pair) return convert(ir, value, type);
    llvm::Value* first = convert(ir, value, pair->getElementType(0));
    llvm::Value* second = convert(ir, ir.CreateLShr(value, 32), pair->getElementType(1));
    llvm::Value* result = ir.CreateInsertValue(llvm::PoisonValue::get(pair), first, 0);
    return ir.CreateInsertValue(result, second, 1);
}

} // namespace ptx::code
