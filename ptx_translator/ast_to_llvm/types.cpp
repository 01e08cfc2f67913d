#include "ast_to_llvm/types.h"

#include <llvm/IR/Type.h>

namespace ptx::ast_to_llvm {

llvm::Type* llvm_type(llvm::LLVMContext& context, Type type) {
    switch (type) {
    case Type::f16:
        return llvm::Type::getHalfTy(context);
    case Type::bf16:
        return llvm::Type::getBFloatTy(context);
    case Type::f32:
        return llvm::Type::getFloatTy(context);
    case Type::f64:
        return llvm::Type::getDoubleTy(context);
    case Type::f16x2:
        return llvm::FixedVectorType::get(llvm::Type::getHalfTy(context), 2);
    case Type::bf16x2:
        return llvm::FixedVectorType::get(llvm::Type::getBFloatTy(context), 2);
    case Type::f32x2:
        return llvm::FixedVectorType::get(llvm::Type::getFloatTy(context), 2);
    case Type::u16x2:
    case Type::s16x2:
        return llvm::FixedVectorType::get(llvm::Type::getInt16Ty(context), 2);
    case Type::u8x4:
    case Type::s8x4:
        return llvm::FixedVectorType::get(llvm::Type::getInt8Ty(context), 4);
    default:
        return register_type(context, type);
    }
}

unsigned bit_width(Type type) { return type == Type::pred ? 1 : 8 * size_of(type); }

llvm::IntegerType* register_type(llvm::LLVMContext& context, Type type) {
    return llvm::IntegerType::get(context, bit_width(type));
}

bool is_signed(Type type) { return kind_of(type) == TypeKind::signed_integer; }

bool is_scalar(const Variable& variable) { return !variable.is_array && variable.lanes == 1; }

llvm::IntegerType* scalar_type(llvm::LLVMContext& context, const Variable& variable) {
    if (variable.type == Type::pred) return llvm::Type::getInt32Ty(context);
    return register_type(context, variable.type);
}

bool returns_scalar(std::span<const Variable> results) { return !results.empty() && is_scalar(results.front()); }

llvm::FunctionType* function_type(llvm::LLVMContext& context, std::span<const Variable> results,
                                  std::span<const Variable> parameters) {
    auto* pointer = llvm::PointerType::get(context, local_space);
    bool returns = returns_scalar(results);
    llvm::Type* result = returns ? scalar_type(context, results.front()) : llvm::Type::getVoidTy(context);
    llvm::SmallVector<llvm::Type*, 8> arguments(results.size() - (returns ? 1 : 0), pointer);
    for (const Variable& parameter : parameters) {
        if (is_scalar(parameter))
            arguments.push_back(scalar_type(context, parameter));
        else
            arguments.push_back(pointer);
    }
    return llvm::FunctionType::get(result, arguments, false);
}

} // namespace ptx::ast_to_llvm
