#include "llvm_to_code/spirv_soft_doubles.h"

#include "ast/position.h"
#include "llvm_to_code/spirv_legalize.h"

#include <llvm/ADT/STLExtras.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>

namespace ptx::code {
namespace {

using IR = llvm::IRBuilder<>;
using llvm::Value;

/// The same with 64-bit integers for doubles; the type itself if there are none.
llvm::Type* without_doubles(llvm::Type* type) {
    if (type->isDoubleTy()) return llvm::Type::getInt64Ty(type->getContext());
    if (auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(type))
        return vector->getElementType()->isDoubleTy()
                   ? llvm::FixedVectorType::get(llvm::Type::getInt64Ty(type->getContext()), vector->getNumElements())
                   : type;
    if (auto* array = llvm::dyn_cast<llvm::ArrayType>(type))
        return llvm::ArrayType::get(without_doubles(array->getElementType()), array->getNumElements());
    auto* structure = llvm::dyn_cast<llvm::StructType>(type);
    if (!structure || structure->isOpaque()) return type;
    llvm::SmallVector<llvm::Type*, 8> elements;
    for (llvm::Type* element : structure->elements()) elements.push_back(without_doubles(element));
    if (llvm::equal(elements, structure->elements())) return type;
    return llvm::StructType::get(type->getContext(), elements, structure->isPacked());
}

bool has_double(llvm::Type* type) { return without_doubles(type) != type; }
bool has_double(const Value* value) { return has_double(value->getType()); }

llvm::Constant* without_doubles(llvm::Constant* constant) {
    llvm::Type* type = without_doubles(constant->getType());
    if (type == constant->getType()) return constant;
    if (llvm::isa<llvm::PoisonValue>(constant)) return llvm::PoisonValue::get(type);
    if (llvm::isa<llvm::UndefValue>(constant)) return llvm::UndefValue::get(type);
    if (constant->isNullValue()) return llvm::Constant::getNullValue(type);
    if (auto* number = llvm::dyn_cast<llvm::ConstantFP>(constant))
        return llvm::ConstantInt::get(type, number->getValueAPF().bitcastToAPInt());
    llvm::SmallVector<llvm::Constant*, 16> elements;
    for (unsigned i = 0; llvm::Constant* element = constant->getAggregateElement(i); ++i)
        elements.push_back(without_doubles(element));
    if (elements.empty()) refuse_form(*constant);
    if (auto* array = llvm::dyn_cast<llvm::ArrayType>(type)) return llvm::ConstantArray::get(array, elements);
    if (auto* structure = llvm::dyn_cast<llvm::StructType>(type)) return llvm::ConstantStruct::get(structure, elements);
    return llvm::ConstantVector::get(elements);
}

/// A call `cuttle_f64_NAME` of the device library.
Value* library(IR& ir, llvm::StringRef name, llvm::Type* result, llvm::ArrayRef<Value*> arguments) {
    llvm::SmallVector<llvm::Type*, 3> types;
    for (Value* argument : arguments) types.push_back(argument->getType());
    llvm::FunctionCallee callee = ir.GetInsertBlock()->getModule()->getOrInsertFunction(
        ("cuttle_f64_" + name).str(), llvm::FunctionType::get(result, types, false));
    return ir.CreateCall(callee, arguments);
}

Value* bits_of(IR& ir, Value* number) { return ir.CreateBitCast(number, ir.getInt64Ty()); }
Value* number_of(IR& ir, Value* bits) { return ir.CreateBitCast(bits, ir.getDoubleTy()); }

/// A function of doubles that gives one.
Value* arithmetic(IR& ir, llvm::StringRef name, llvm::ArrayRef<Value*> numbers) {
    llvm::SmallVector<Value*, 3> bits;
    for (Value* number : numbers) bits.push_back(bits_of(ir, number));
    return number_of(ir, library(ir, name, ir.getInt64Ty(), bits));
}

constexpr uint64_t sign_bit = uint64_t{1} << 63;

Value* compared(IR& ir, llvm::CmpInst::Predicate predicate, Value* a, Value* b) {
    // LLVM's numbers of predicates are the sets of cuttle::soft::Order's values for which they hold.
    static_assert(llvm::CmpInst::FCMP_OEQ == 1 && llvm::CmpInst::FCMP_OGT == 2 && llvm::CmpInst::FCMP_OLT == 4 &&
                  llvm::CmpInst::FCMP_UNO == 8);
    Value* order = library(ir, "compare", ir.getInt32Ty(), {bits_of(ir, a), bits_of(ir, b)});
    return ir.CreateICmpNE(ir.CreateAnd(order, uint64_t(predicate)), ir.getInt32(0));
}

/// Of a format's numbers, as the library's functions have it in their names; empty for others.
llvm::StringRef format_of(const llvm::Type* type) {
    return type->isFloatTy() ? "f32" : type->isHalfTy() ? "f16" : type->isBFloatTy() ? "bf16" : "";
}

Value* widened(IR& ir, Value* number) {
    const llvm::StringRef format = format_of(number->getType());
    if (format.empty()) return nullptr;
    Value* bits = ir.CreateBitCast(number, ir.getIntNTy(number->getType()->getScalarSizeInBits()));
    return number_of(ir, library(ir, ("from_" + format).str(), ir.getInt64Ty(), ir.CreateZExt(bits, ir.getInt32Ty())));
}

Value* narrowed(IR& ir, Value* number, llvm::Type* type) {
    const llvm::StringRef format = format_of(type);
    if (format.empty()) return nullptr;
    Value* bits = library(ir, ("to_" + format).str(), ir.getInt32Ty(), bits_of(ir, number));
    return ir.CreateBitCast(ir.CreateTrunc(bits, ir.getIntNTy(type->getScalarSizeInBits())), type);
}

Value* from_integer(IR& ir, Value* integer, bool is_signed) {
    if (integer->getType()->getIntegerBitWidth() > 64) return nullptr;
    Value* wide = is_signed ? ir.CreateSExt(integer, ir.getInt64Ty()) : ir.CreateZExt(integer, ir.getInt64Ty());
    return number_of(ir, library(ir, is_signed ? "from_signed" : "from_unsigned", ir.getInt64Ty(), wide));
}

/// Saturating, which is more than LLVM's plain conversions ask for.
Value* to_integer(IR& ir, Value* number, llvm::Type* type, bool is_signed) {
    const unsigned width = type->getIntegerBitWidth();
    if (width > 64) return nullptr;
    Value* wide = library(ir, is_signed ? "to_signed" : "to_unsigned", ir.getInt64Ty(), bits_of(ir, number));
    if (width == 64) return wide;
    const auto limit = [&](const llvm::APInt& value) {
        return ir.getInt64((is_signed ? value.sext(64) : value.zext(64)).getZExtValue());
    };
    if (is_signed) {
        wide = ir.CreateBinaryIntrinsic(llvm::Intrinsic::smin, wide, limit(llvm::APInt::getSignedMaxValue(width)));
        wide = ir.CreateBinaryIntrinsic(llvm::Intrinsic::smax, wide, limit(llvm::APInt::getSignedMinValue(width)));
    } else {
        wide = ir.CreateBinaryIntrinsic(llvm::Intrinsic::umin, wide, limit(llvm::APInt::getMaxValue(width)));
    }
    return ir.CreateTrunc(wide, type);
}

/// The library's name of what is a function of doubles alone; empty for others.
llvm::StringRef function_of(llvm::Intrinsic::ID intrinsic) {
    switch (intrinsic) {
    case llvm::Intrinsic::sqrt:
        return "root";
    case llvm::Intrinsic::fma:
        return "fuse";
    case llvm::Intrinsic::floor:
        return "floor";
    case llvm::Intrinsic::ceil:
        return "ceil";
    case llvm::Intrinsic::trunc:
        return "trunc";
    case llvm::Intrinsic::rint:
    case llvm::Intrinsic::nearbyint:
    case llvm::Intrinsic::roundeven:
        return "nearest";
    case llvm::Intrinsic::minimum:
        return "minimum";
    case llvm::Intrinsic::maximum:
        return "maximum";
    case llvm::Intrinsic::minnum:
    case llvm::Intrinsic::minimumnum:
        return "minimum_number";
    case llvm::Intrinsic::maxnum:
    case llvm::Intrinsic::maximumnum:
        return "maximum_number";
    default:
        return "";
    }
}

Value* intrinsic(IR& ir, llvm::IntrinsicInst& call, llvm::ArrayRef<Value*> operands, llvm::Type* result) {
    const llvm::Intrinsic::ID id = call.getIntrinsicID();
    if (const llvm::StringRef name = function_of(id); !name.empty()) return arithmetic(ir, name, operands);
    switch (id) {
    case llvm::Intrinsic::fabs:
        return number_of(ir, ir.CreateAnd(bits_of(ir, operands[0]), ~sign_bit));
    case llvm::Intrinsic::copysign: {
        Value* size = ir.CreateAnd(bits_of(ir, operands[0]), ~sign_bit);
        return number_of(ir, ir.CreateOr(size, ir.CreateAnd(bits_of(ir, operands[1]), sign_bit)));
    }
    case llvm::Intrinsic::fptosi_sat:
    case llvm::Intrinsic::fptoui_sat:
        return to_integer(ir, operands[0], result, id == llvm::Intrinsic::fptosi_sat);
    case llvm::Intrinsic::is_fpclass:
        return is_of_class(ir, operands[0], call.getArgOperand(1));
    default:
        return nullptr;
    }
}

/// What an instruction does with scalars, without doubles but for operands and result; null if there is no form.
Value* replacement(IR& ir, llvm::Instruction& instruction, llvm::ArrayRef<Value*> operands, llvm::Type* result) {
    switch (instruction.getOpcode()) {
    case llvm::Instruction::FNeg:
        return number_of(ir, ir.CreateXor(bits_of(ir, operands[0]), sign_bit));
    case llvm::Instruction::FAdd:
        return arithmetic(ir, "add", operands);
    case llvm::Instruction::FSub:
        return arithmetic(ir, "subtract", operands);
    case llvm::Instruction::FMul:
        return arithmetic(ir, "multiply", operands);
    case llvm::Instruction::FDiv:
        return arithmetic(ir, "divide", operands);
    case llvm::Instruction::FCmp:
        return compared(ir, llvm::cast<llvm::FCmpInst>(instruction).getPredicate(), operands[0], operands[1]);
    case llvm::Instruction::FPExt:
        return widened(ir, operands[0]);
    case llvm::Instruction::FPTrunc:
        return narrowed(ir, operands[0], result);
    case llvm::Instruction::SIToFP:
    case llvm::Instruction::UIToFP:
        return from_integer(ir, operands[0], instruction.getOpcode() == llvm::Instruction::SIToFP);
    case llvm::Instruction::FPToSI:
    case llvm::Instruction::FPToUI:
        return to_integer(ir, operands[0], result, instruction.getOpcode() == llvm::Instruction::FPToSI);
    case llvm::Instruction::Call:
        if (auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction))
            return intrinsic(ir, *call, operands, result);
        return nullptr;
    default:
        return nullptr;
    }
}

/// Whether it only moves its operands' bits, whatever their type.
bool moves_bits(const llvm::Instruction& instruction) {
    return llvm::isa<llvm::PHINode, llvm::SelectInst, llvm::LoadInst, llvm::StoreInst, llvm::AllocaInst,
                     llvm::GetElementPtrInst, llvm::BitCastInst, llvm::FreezeInst, llvm::ExtractValueInst,
                     llvm::InsertValueInst, llvm::ExtractElementInst, llvm::InsertElementInst, llvm::ShuffleVectorInst>(
        instruction);
}

void replace(llvm::Instruction& instruction) {
    IR ir(&instruction);
    auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction);
    const llvm::SmallVector<Value*, 3> operands(call ? call->args() : instruction.operands());
    auto* vector = llvm::dyn_cast<llvm::FixedVectorType>(instruction.getType());
    Value* value = nullptr;
    if (!vector) {
        value = replacement(ir, instruction, operands, instruction.getType());
    } else {
        value = llvm::PoisonValue::get(vector);
        for (unsigned i = 0; i < vector->getNumElements(); ++i) {
            llvm::SmallVector<Value*, 3> elements;
            for (Value* operand : operands)
                elements.push_back(operand->getType()->isVectorTy() ? ir.CreateExtractElement(operand, i) : operand);
            Value* element = replacement(ir, instruction, elements, vector->getElementType());
            if (!element) refuse_form(instruction);
            value = ir.CreateInsertElement(value, element, i);
        }
    }
    if (!value) refuse_form(instruction);
    instruction.replaceAllUsesWith(value);
    instruction.eraseFromParent();
}

/// What only moves bits gets other types, as do the constants that it moves.
void retype(llvm::Instruction& instruction) {
    if (auto* variable = llvm::dyn_cast<llvm::AllocaInst>(&instruction))
        variable->setAllocatedType(without_doubles(variable->getAllocatedType()));
    if (auto* address = llvm::dyn_cast<llvm::GetElementPtrInst>(&instruction)) {
        address->setSourceElementType(without_doubles(address->getSourceElementType()));
        address->setResultElementType(without_doubles(address->getResultElementType()));
    }
    for (llvm::Use& operand : instruction.operands())
        if (auto* constant = llvm::dyn_cast<llvm::Constant>(operand); constant && has_double(constant))
            operand.set(without_doubles(constant));
    if (!has_double(&instruction)) return;
    if (llvm::isa<llvm::FPMathOperator>(instruction)) instruction.copyFastMathFlags(llvm::FastMathFlags());
    instruction.mutateType(without_doubles(instruction.getType()));
}

bool names_double(const llvm::Instruction& instruction) {
    if (const auto* variable = llvm::dyn_cast<llvm::AllocaInst>(&instruction))
        return has_double(variable->getAllocatedType());
    if (const auto* address = llvm::dyn_cast<llvm::GetElementPtrInst>(&instruction))
        return has_double(address->getSourceElementType());
    return false;
}

bool has_double(const llvm::Instruction& instruction) {
    return has_double(instruction.getType()) || names_double(instruction) ||
           llvm::any_of(instruction.operands(), [](const llvm::Use& use) { return has_double(use.get()); });
}

} // namespace

bool has_doubles(const llvm::Function& function) {
    return llvm::any_of(llvm::instructions(function),
                        [](const llvm::Instruction& instruction) { return has_double(instruction); });
}

void remove_doubles(llvm::Function& function) {
    for (llvm::Instruction& instruction : llvm::make_early_inc_range(llvm::instructions(function)))
        if (has_double(instruction) && !moves_bits(instruction)) replace(instruction);
    for (llvm::Instruction& instruction : llvm::instructions(function))
        if (has_double(instruction)) retype(instruction);
    for (llvm::Instruction& instruction : llvm::make_early_inc_range(llvm::instructions(function))) {
        auto* cast = llvm::dyn_cast<llvm::BitCastInst>(&instruction);
        if (!cast || cast->getType() != cast->getOperand(0)->getType()) continue;
        cast->replaceAllUsesWith(cast->getOperand(0));
        cast->eraseFromParent();
    }
}

void remove_doubles_of_globals(llvm::Module& module) {
    for (llvm::GlobalVariable& variable : llvm::make_early_inc_range(module.globals())) {
        if (!has_double(variable.getValueType())) continue;
        auto* changed = new llvm::GlobalVariable(
            module, without_doubles(variable.getValueType()), variable.isConstant(), variable.getLinkage(),
            variable.hasInitializer() ? without_doubles(variable.getInitializer()) : nullptr, "", &variable,
            variable.getThreadLocalMode(), variable.getAddressSpace());
        changed->copyAttributesFrom(&variable);
        changed->takeName(&variable);
        variable.replaceAllUsesWith(changed);
        variable.eraseFromParent();
    }
}

} // namespace ptx::code
