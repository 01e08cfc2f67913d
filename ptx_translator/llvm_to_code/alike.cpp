#include "llvm_to_code/alike.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/Hashing.h>
#include <llvm/ADT/MapVector.h>
#include <llvm/ADT/STLExtras.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Operator.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include <optional>
#include <utility>
#include <vector>

namespace ptx::code {
namespace {

using llvm::Constant;
using llvm::Function;
using llvm::Instruction;
using llvm::Value;

/// More would not be in registers.
constexpr size_t most_arguments = 8;

/// An operand, by its instruction's number.
struct Operand {
    unsigned instruction, number;
    bool operator==(const Operand&) const = default;
};

/// A number, a vector of numbers without gaps, or where there is one.
bool is_number(const Value* value) {
    if (llvm::isa<llvm::ConstantInt, llvm::ConstantDataVector>(value)) return value->getType()->isIntOrIntVectorTy();
    if (const auto* variable = llvm::dyn_cast<llvm::GlobalVariable>(value))
        return variable->isConstant() && variable->hasPrivateLinkage();
    const auto* type = llvm::dyn_cast<llvm::FixedVectorType>(value->getType());
    const auto* constant = llvm::dyn_cast<Constant>(value);
    if (!type || !constant || !type->getElementType()->isIntegerTy()) return false;
    for (unsigned i = 0; i < type->getNumElements(); ++i)
        if (!llvm::isa_and_nonnull<llvm::ConstantInt>(constant->getAggregateElement(i))) return false;
    return true;
}

/// Whether the code is as good, nearly, with a variable there.
bool may_vary(const Instruction& instruction, unsigned operand) {
    const bool wide = instruction.getOperand(operand)->getType()->isVectorTy();
    switch (instruction.getOpcode()) {
    case Instruction::UDiv:
    case Instruction::SDiv:
    case Instruction::URem:
    case Instruction::SRem:
        return operand == 0;
    case Instruction::Shl:
    case Instruction::LShr:
    case Instruction::AShr:
        return operand == 0 || !wide;
    case Instruction::GetElementPtr:
        return operand > 0 && !llvm::cast<llvm::GEPOperator>(instruction).getSourceElementType()->isStructTy() &&
               instruction.getNumOperands() == 2;
    case Instruction::Store:
        return operand == 0;
    case Instruction::Call: {
        const auto& call = llvm::cast<llvm::CallInst>(instruction);
        const Function* callee = call.getCalledFunction();
        return callee && !callee->isIntrinsic() && !callee->isDeclaration() && operand < call.arg_size();
    }
    case Instruction::ICmp:
    case Instruction::PHI:
    case Instruction::Ret:
        return true;
    case Instruction::Select:
        return operand > 0;
    default:
        return instruction.isBinaryOp();
    }
}

size_t hash_of(const Function& function) {
    llvm::hash_code hash = llvm::hash_combine(function.getFunctionType(), function.size());
    for (const Instruction& instruction : llvm::instructions(function))
        hash = llvm::hash_combine(hash, instruction.getOpcode(), instruction.getType(), instruction.getNumOperands());
    return hash;
}

/// Gives each argument, block and instruction its place, in the order in which all functions that are alike have them.
llvm::DenseMap<const Value*, unsigned> numbers_of(const Function& function) {
    llvm::DenseMap<const Value*, unsigned> numbers;
    const auto add = [&](const Value& value) { numbers.try_emplace(&value, unsigned(numbers.size())); };
    for (const llvm::Argument& argument : function.args()) add(argument);
    for (const llvm::BasicBlock& block : function) add(block);
    for (const Instruction& instruction : llvm::instructions(function)) add(instruction);
    return numbers;
}

/// The operands in which one function differs from another, if those are but constants.
std::optional<std::vector<Operand>> differences(const Function& one, const Function& other) {
    if (one.getFunctionType() != other.getFunctionType() || one.getAttributes() != other.getAttributes() ||
        one.size() != other.size() || one.getInstructionCount() != other.getInstructionCount())
        return std::nullopt;
    const auto numbers = numbers_of(one), others = numbers_of(other);
    for (const auto& [block, other_block] : llvm::zip_equal(one, other))
        if (block.size() != other_block.size()) return std::nullopt;
    std::vector<Operand> found;
    unsigned number = 0;
    for (auto a = llvm::inst_begin(one), b = llvm::inst_begin(other); a != llvm::inst_end(one); ++a, ++b, ++number) {
        if (!a->isSameOperationAs(&*b) || a->getRawSubclassOptionalData() != b->getRawSubclassOptionalData())
            return std::nullopt;
        for (unsigned i = 0; i < a->getNumOperands(); ++i) {
            const Value *x = a->getOperand(i), *y = b->getOperand(i);
            if (const auto place = numbers.find(x); place != numbers.end()) {
                if (others.lookup_or(y, ~0u) != place->second) return std::nullopt;
            } else if (x != y) {
                if (x->getType() != y->getType() || !is_number(x) || !is_number(y) || !may_vary(*a, i))
                    return std::nullopt;
                found.push_back({number, i});
            }
        }
        const auto* phi = llvm::dyn_cast<llvm::PHINode>(&*a);
        for (unsigned i = 0; phi && i < phi->getNumIncomingValues(); ++i)
            if (numbers.lookup(phi->getIncomingBlock(i)) !=
                others.lookup(llvm::cast<llvm::PHINode>(*b).getIncomingBlock(i)))
                return std::nullopt;
    }
    return found;
}

std::vector<Instruction*> instructions_of(Function& function) {
    std::vector<Instruction*> all;
    for (Instruction& instruction : llvm::instructions(function)) all.push_back(&instruction);
    return all;
}

/// A constant made one: where it goes, and what each member of the group has for it.
struct Argument {
    std::vector<Operand> places;
    std::vector<Constant*> values;
};

/// Functions that differ from the first in constants.
struct Group {
    llvm::SmallVector<Function*, 16> members;
    std::vector<std::vector<Instruction*>> bodies; ///< theirs
    std::vector<Argument> arguments;

    explicit Group(Function& first) { push_back(first); }

    /// False if it is not alike, or would make too many arguments.
    bool add(Function& function) {
        const auto places = differences(*members.front(), function);
        if (!places) return false;
        push_back(function);
        std::vector<Argument> before = arguments;
        find_arguments(*places);
        if (arguments.size() <= most_arguments) return true;
        members.pop_back();
        bodies.pop_back();
        arguments = std::move(before);
        return false;
    }

  private:
    void push_back(Function& function) {
        members.push_back(&function);
        bodies.push_back(instructions_of(function));
    }

    void find_arguments(std::vector<Operand> places) {
        for (const Argument& known : arguments)
            for (const Operand& place : known.places)
                if (!llvm::is_contained(places, place)) places.push_back(place);
        arguments.clear();
        for (const Operand& place : places) {
            std::vector<Constant*> values;
            for (const auto& body : bodies)
                values.push_back(llvm::cast<Constant>(body[place.instruction]->getOperand(place.number)));
            const auto same = llvm::find_if(arguments, [&](const Argument& one) { return one.values == values; });
            if (same == arguments.end())
                arguments.push_back({{place}, std::move(values)});
            else
                same->places.push_back(place);
        }
    }
};

std::vector<Group> groups_of(llvm::ArrayRef<Function*> functions) {
    std::vector<Group> groups;
    llvm::DenseMap<size_t, llvm::SmallVector<size_t, 2>> by_hash;
    for (Function* function : functions) {
        if (!function) continue;
        auto& similar = by_hash[hash_of(*function)];
        if (llvm::any_of(similar, [&](size_t group) { return groups[group].add(*function); })) continue;
        similar.push_back(groups.size());
        groups.emplace_back(*function);
    }
    return groups;
}

/// What says of an operation that which is not true of all is left out.
void keep_common_metadata(Instruction& instruction, const Instruction& other) {
    llvm::SmallVector<std::pair<unsigned, llvm::MDNode*>, 4> all;
    instruction.getAllMetadata(all);
    for (const auto& [kind, node] : all)
        if (other.getMetadata(kind) != node) instruction.setMetadata(kind, nullptr);
}

/// Vectors are passed in memory, bits as bytes: they are no part of the calling convention without wide registers.
llvm::Type* type_in_memory(llvm::Type* type) {
    if (!type->getScalarType()->isIntegerTy(1)) return type;
    return type->getWithNewBitWidth(8);
}

Constant* argument_of(Constant& value, llvm::Module& module) {
    if (!value.getType()->isVectorTy()) return &value;
    llvm::Type* type = type_in_memory(value.getType());
    Constant* stored = &value;
    if (type != value.getType()) {
        llvm::SmallVector<Constant*, 32> bytes;
        const unsigned count = llvm::cast<llvm::FixedVectorType>(type)->getNumElements();
        for (unsigned i = 0; i < count; ++i)
            bytes.push_back(llvm::ConstantInt::get(type->getScalarType(), value.getAggregateElement(i)->isOneValue()));
        stored = llvm::ConstantVector::get(bytes);
    }
    for (llvm::GlobalVariable& known : module.globals())
        if (known.isConstant() && known.hasPrivateLinkage() && known.hasInitializer() &&
            known.getInitializer() == stored)
            return &known;
    auto* variable = new llvm::GlobalVariable(module, type, true, llvm::GlobalValue::PrivateLinkage, stored);
    variable->setUnnamedAddr(llvm::GlobalValue::UnnamedAddr::Global);
    return variable;
}

/// What the operand is in the function's body.
Value* value_of(llvm::IRBuilder<>& ir, llvm::Argument* argument, llvm::Type* type) {
    if (!type->isVectorTy()) return argument;
    llvm::Type* stored = type_in_memory(type);
    auto* load = ir.CreateLoad(stored, argument);
    load->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(ir.getContext(), {}));
    return stored == type ? static_cast<Value*>(load) : ir.CreateTrunc(load, type);
}

void merge(const Group& group) {
    Function& first = *group.members.front();
    llvm::Module& module = *first.getParent();
    llvm::LLVMContext& context = module.getContext();
    llvm::SmallVector<llvm::Type*, 24> types(first.getFunctionType()->params());
    for (const Argument& argument : group.arguments) {
        llvm::Type* type = argument.values.front()->getType();
        types.push_back(type->isVectorTy() ? llvm::PointerType::get(context, 0) : type);
    }
    auto* type = llvm::FunctionType::get(first.getReturnType(), types, false);
    Function* all = Function::Create(type, llvm::Function::InternalLinkage, first.getName() + ".alike", module);
    llvm::ValueToValueMapTy map;
    for (llvm::Argument& argument : first.args()) map[&argument] = all->getArg(argument.getArgNo());
    llvm::SmallVector<llvm::ReturnInst*, 4> returns;
    llvm::CloneFunctionInto(all, &first, map, llvm::CloneFunctionChangeType::LocalChangesOnly, returns);
    const std::vector<Instruction*> body = instructions_of(*all);
    for (const auto& others : llvm::drop_begin(group.bodies))
        for (const auto& [own, other] : llvm::zip_equal(body, others)) keep_common_metadata(*own, *other);
    llvm::IRBuilder<> ir(&*all->getEntryBlock().getFirstNonPHIOrDbgOrAlloca());
    for (const auto& [i, argument] : llvm::enumerate(group.arguments)) {
        Value* value = value_of(ir, all->getArg(unsigned(first.arg_size() + i)), argument.values.front()->getType());
        for (const Operand& place : argument.places) body[place.instruction]->setOperand(place.number, value);
    }
    for (const auto& [i, member] : llvm::enumerate(group.members)) {
        for (llvm::User* user : llvm::make_early_inc_range(member->users())) {
            auto* call = llvm::cast<llvm::CallInst>(user);
            llvm::SmallVector<Value*, 24> arguments(call->args());
            for (const Argument& argument : group.arguments)
                arguments.push_back(argument_of(*argument.values[i], module));
            auto* merged = llvm::CallInst::Create(all, arguments, "", call->getIterator());
            merged->setCallingConv(call->getCallingConv());
            merged->setAttributes(call->getAttributes());
            merged->takeName(call);
            call->replaceAllUsesWith(merged);
            call->eraseFromParent();
        }
        member->eraseFromParent();
    }
}

} // namespace

ptrdiff_t count_alike(llvm::ArrayRef<Function*> functions) { return ptrdiff_t(groups_of(functions).size()); }

void merge_alike(llvm::ArrayRef<Function*> functions) {
    for (const Group& group : groups_of(functions))
        if (group.members.size() > 1) merge(group);
}

} // namespace ptx::code
