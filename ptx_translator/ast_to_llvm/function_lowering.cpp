#include "ast_to_llvm/function_lowering.h"

#include "ast_to_llvm/debug_locations.h"
#include "ast_to_llvm/types.h"

#include <llvm/IR/Dominators.h>
#include <llvm/Transforms/Utils/Local.h>
#include <llvm/Transforms/Utils/PromoteMemToReg.h>

#include <algorithm>

namespace ptx::ast_to_llvm {

FunctionLowering::FunctionLowering(ModuleContext& context, const Function& source)
    : context_(context), source_(source), result_(context.function(source)), builder_(context.module().getContext()) {
    registers_.resize(source.registers.size());
    parameters_.resize(source.parameters.size());
    results_.resize(source.results.size());
    locals_.resize(source.locals.size());
    labels_.resize(source.labels.size());
    for (LabelId id = 0; id < static_cast<LabelId>(source.labels.size()); ++id) labels_in_order_.push_back(id);
    std::sort(labels_in_order_.begin(), labels_in_order_.end(), [&](LabelId a, LabelId b) {
        return std::pair(source.labels[static_cast<size_t>(a)].instruction, a) <
               std::pair(source.labels[static_cast<size_t>(b)].instruction, b);
    });
}

void FunctionLowering::run() {
    entry_ = llvm::BasicBlock::Create(module().getContext(), "entry", result_);
    auto* body = new_block("body");
    if (context_.debug) context_.debug->begin(*result_, source_);
    make_formals();
    builder_.SetInsertPoint(body);
    lower_body();
    llvm::BranchInst::Create(body, entry_);
    llvm::removeUnreachableBlocks(*result_);
    promote();
}

// Formals of .reg space are the function's first registers, results before parameters.
void FunctionLowering::make_formals() {
    if (source_.is_entry) return;
    RegisterId next = 0;
    for (size_t i = 0; i < source_.results.size(); ++i) make_result(i, next);
    for (size_t i = 0; i < source_.parameters.size(); ++i) make_parameter(i, next);
}

void FunctionLowering::make_result(size_t index, RegisterId& next) {
    const Variable& result = source_.results[index];
    if (result.space == Space::reg) {
        results_[index] = register_slot(formal_register(result, next++));
        return;
    }
    bool returns = returns_scalar(source_.results);
    if (index > 0 || !returns) {
        results_[index] = result_->getArg(static_cast<unsigned>(index - (returns ? 1 : 0)));
        return;
    }
    auto* type = scalar_type(module().getContext(), result);
    results_[index] = entry_alloca(type, result.name);
    llvm::IRBuilder<>(entry_).CreateStore(llvm::ConstantInt::get(type, 0), results_[index]);
}

void FunctionLowering::make_parameter(size_t index, RegisterId& next) {
    const Variable& parameter = source_.parameters[index];
    unsigned pointers = static_cast<unsigned>(source_.results.size()) - (returns_scalar(source_.results) ? 1 : 0);
    llvm::Argument* argument = result_->getArg(pointers + static_cast<unsigned>(index));
    argument->setName(parameter.name);
    parameters_[index] = argument;
    if (parameter.space == Space::reg) {
        builder_.SetInsertPoint(entry_);
        write(formal_register(parameter, next++), argument, parameter.type);
    } else if (is_scalar(parameter)) {
        parameters_[index] = entry_alloca(argument->getType(), parameter.name);
        llvm::IRBuilder<>(entry_).CreateStore(argument, parameters_[index]);
    }
}

Operand FunctionLowering::formal_register(const Variable& formal, RegisterId id) const {
    if (!is_scalar(formal)) throw Error(formal.where, "vector register parameters are not supported yet");
    Operand operand;
    operand.kind = Operand::Kind::reg;
    operand.register_id = id;
    operand.where = formal.where;
    return operand;
}

void FunctionLowering::lower_body() {
    for (size_t i = 0; i < source_.instructions.size(); ++i) {
        enter_labels(i);
        // Code behind a jump that no label leads to: PTX allows it; the block has no predecessor and goes away.
        if (builder_.GetInsertBlock()->getTerminator()) builder_.SetInsertPoint(new_block("dead"));
        const Instruction& instruction = source_.instructions[i];
        if (context_.debug) builder_.SetCurrentDebugLocation(context_.debug->at(instruction));
        lower_guarded(instruction);
    }
    enter_labels(source_.instructions.size());
    if (!builder_.GetInsertBlock()->getTerminator()) return_to_caller();
    for (size_t id = 0; id < labels_.size(); ++id)
        if (labels_[id] && labels_[id]->empty())
            throw Error(source_.labels[id].where, "label '" + source_.labels[id].name + "' stands nowhere");
}

void FunctionLowering::enter_labels(size_t instruction) {
    for (; next_label_ < labels_in_order_.size(); ++next_label_) {
        LabelId id = labels_in_order_[next_label_];
        if (source_.labels[static_cast<size_t>(id)].instruction > static_cast<int64_t>(instruction)) return;
        continue_in(block_of(id));
    }
}

void FunctionLowering::lower_guarded(const Instruction& instruction) {
    if (instruction.predicate == none) return lower(instruction);
    Operand guard;
    guard.kind = Operand::Kind::reg;
    guard.register_id = instruction.predicate;
    guard.negated = instruction.predicate_negated;
    guard.where = instruction.where;
    auto* next = new_block("next");
    const std::vector<Operand>& operands = instruction.operands;
    if (instruction.opcode == Opcode::bra && operands.size() == 1 && operands[0].kind == Operand::Kind::label) {
        builder_.CreateCondBr(read(guard, Type::pred), block_of(operands[0].label_id), next);
        return continue_in(next);
    }
    auto* then = new_block("then");
    builder_.CreateCondBr(read(guard, Type::pred), then, next);
    builder_.SetInsertPoint(then);
    lower(instruction);
    continue_in(next);
}

void FunctionLowering::lower(const Instruction& instruction) {
    Lowering lower = lowering_of(instruction.opcode);
    if (!lower) throw Error(instruction.where, instruction.opcode_text + " is not supported yet");
    lower(*this, instruction);
}

llvm::BasicBlock* FunctionLowering::block_of(LabelId id) {
    llvm::BasicBlock*& block = labels_[static_cast<size_t>(id)];
    if (!block) block = new_block(source_.labels[static_cast<size_t>(id)].name.c_str());
    return block;
}

llvm::BasicBlock* FunctionLowering::new_block(const char* name) {
    return llvm::BasicBlock::Create(module().getContext(), name, result_);
}

void FunctionLowering::continue_in(llvm::BasicBlock* next) {
    if (!builder_.GetInsertBlock()->getTerminator()) builder_.CreateBr(next);
    next->moveAfter(builder_.GetInsertBlock());
    builder_.SetInsertPoint(next);
}

void FunctionLowering::return_to_caller() {
    bool returns = !source_.is_entry && returns_scalar(source_.results);
    for (size_t i = returns ? 1 : 0; i < source_.results.size(); ++i)
        if (source_.results[i].space == Space::reg)
            builder_.CreateStore(result_value(i), result_->getArg(static_cast<unsigned>(i - (returns ? 1 : 0))));
    if (returns)
        builder_.CreateRet(result_value(0));
    else
        builder_.CreateRetVoid();
}

/// What the slot of a scalar result holds, as it travels.
llvm::Value* FunctionLowering::result_value(size_t index) {
    auto* slot = llvm::cast<llvm::AllocaInst>(results_[index]);
    llvm::Value* value = builder_.CreateLoad(slot->getAllocatedType(), slot);
    return builder_.CreateZExt(value, scalar_type(module().getContext(), source_.results[index]));
}

llvm::AllocaInst* FunctionLowering::entry_alloca(llvm::Type* type, const llvm::Twine& name,
                                                 llvm::MaybeAlign alignment) {
    llvm::IRBuilder<> builder(entry_);
    auto* slot = builder.CreateAlloca(type, nullptr, name);
    if (alignment) slot->setAlignment(std::max(*alignment, slot->getAlign()));
    return slot;
}

namespace {

/// Takes away the initial zero (register_slot) of a register that is always written before it is read. Nearly all are;
/// with two stores each, PromoteMemToReg would scan a block from its start for every one of them.
void drop_initial_store(llvm::AllocaInst& slot, const llvm::DominatorTree& dominators) {
    llvm::StoreInst *initial = nullptr, *first = nullptr;
    for (llvm::User* user : slot.users()) {
        auto* store = llvm::dyn_cast<llvm::StoreInst>(user);
        if (!store) continue;
        if (store->getParent() == slot.getParent())
            initial = store;
        else if (!first || dominators.dominates(store, first))
            first = store;
    }
    if (!initial || !first) return;
    for (llvm::User* user : slot.users())
        if (llvm::isa<llvm::LoadInst>(user) && !dominators.dominates(first, llvm::cast<llvm::Instruction>(user)))
            return;
    initial->eraseFromParent();
}

} // namespace

// Registers become SSA values here and not in the optimiser, because insert_spins follows values, and because the IR
// is then fit to read.
void FunctionLowering::promote() {
    std::vector<llvm::AllocaInst*> promotable;
    for (llvm::Instruction& instruction : *entry_)
        if (auto* slot = llvm::dyn_cast<llvm::AllocaInst>(&instruction); slot && llvm::isAllocaPromotable(slot))
            promotable.push_back(slot);
    llvm::DominatorTree dominators(*result_);
    for (llvm::AllocaInst* slot : promotable) drop_initial_store(*slot, dominators);
    llvm::PromoteMemToReg(promotable, dominators);
}

} // namespace ptx::ast_to_llvm
