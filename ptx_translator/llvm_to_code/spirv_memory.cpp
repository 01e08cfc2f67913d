#include "llvm_to_code/spirv_memory.h"

#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/CodeGen/AtomicExpandUtils.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>
#include <llvm/Transforms/Utils/LowerAtomic.h>
#include <llvm/Transforms/Utils/LowerMemIntrinsics.h>

#include <algorithm>

namespace ptx::code {
namespace {

using IR = llvm::IRBuilder<>;
using llvm::Value;

bool is_native(const llvm::AtomicRMWInst& update) {
    switch (update.getOperation()) {
    case llvm::AtomicRMWInst::Xchg:
    case llvm::AtomicRMWInst::Add:
    case llvm::AtomicRMWInst::Sub:
    case llvm::AtomicRMWInst::And:
    case llvm::AtomicRMWInst::Or:
    case llvm::AtomicRMWInst::Xor:
    case llvm::AtomicRMWInst::Max:
    case llvm::AtomicRMWInst::Min:
    case llvm::AtomicRMWInst::UMax:
    case llvm::AtomicRMWInst::UMin:
        return update.getType()->isIntegerTy();
    default:
        return false;
    }
}

/// As they are before any is replaced.
llvm::SmallVector<llvm::Instruction*, 0> all_of(llvm::Function& function) {
    llvm::SmallVector<llvm::Instruction*, 0> all;
    for (llvm::Instruction& instruction : llvm::instructions(function)) all.push_back(&instruction);
    return all;
}

bool has_16_bits(const llvm::Type* type) { return type->getPrimitiveSizeInBits() == 16; }

/// As a loop of compare and exchange, of integers.
void expand_update(llvm::AtomicRMWInst& update) {
    llvm::expandAtomicRMWToCmpXchg(&update, [](llvm::IRBuilderBase& ir, Value* address, Value* loaded, Value* wanted,
                                               llvm::Align alignment, llvm::AtomicOrdering order,
                                               llvm::SyncScope::ID scope, Value*& success, Value*& now,
                                               llvm::Instruction*) {
        llvm::Type* type = wanted->getType();
        llvm::Type* word = ir.getIntNTy(type->getPrimitiveSizeInBits());
        Value* exchange =
            ir.CreateAtomicCmpXchg(address, ir.CreateBitCast(loaded, word), ir.CreateBitCast(wanted, word), alignment,
                                   order, llvm::AtomicCmpXchgInst::getStrongestFailureOrdering(order), scope);
        success = ir.CreateExtractValue(exchange, 1);
        now = ir.CreateBitCast(ir.CreateExtractValue(exchange, 0), type);
    });
}

/// 16 bits of an aligned word of 32.
struct Half {
    Value *word, *shift, *mask;

    Half(IR& ir, Value* address) {
        Value* number = ir.CreateTrunc(ir.CreatePtrToInt(address, ir.getInt64Ty()), ir.getInt32Ty());
        Value* odd = ir.CreateAnd(number, 2);
        word = ir.CreateGEP(ir.getInt8Ty(), address, ir.CreateNeg(ir.CreateZExt(odd, ir.getInt64Ty())));
        shift = ir.CreateShl(odd, 3);
        mask = ir.CreateShl(ir.getInt32(0xffff), shift);
    }
    Value* of(IR& ir, Value* all) const { return ir.CreateTrunc(ir.CreateLShr(all, shift), ir.getInt16Ty()); }
    Value* with(IR& ir, Value* all, Value* half) const {
        Value* placed = ir.CreateShl(ir.CreateZExt(half, ir.getInt32Ty()), shift);
        return ir.CreateOr(ir.CreateAnd(all, ir.CreateNot(mask)), placed);
    }
};

/// Exchanges the half at `address`, as an atomic instruction does before which this is made. `next(ir, old, leave)`
/// gives what it becomes; it may add a way to `leave`, behind all, where the half stays as it is. Gives the half
/// before.
template <class F> Value* change_half(llvm::Instruction& atomic, Value* address, llvm::AtomicOrdering order,
                                      llvm::SyncScope::ID scope, F&& next) {
    llvm::BasicBlock* before = atomic.getParent();
    llvm::BasicBlock* after = llvm::SplitBlock(before, &atomic);
    auto* loop = llvm::BasicBlock::Create(atomic.getContext(), "half", before->getParent(), after);
    before->getTerminator()->setSuccessor(0, loop);
    IR ir(before->getTerminator());
    const Half half(ir, address);
    llvm::LoadInst* first = ir.CreateAlignedLoad(ir.getInt32Ty(), half.word, llvm::Align(4));
    first->setAtomic(llvm::AtomicOrdering::Monotonic, scope);
    ir.SetInsertPoint(loop);
    llvm::PHINode* all = ir.CreatePHI(ir.getInt32Ty(), 2);
    all->addIncoming(first, before);
    Value* old = half.of(ir, all);
    Value* wanted = next(ir, old, after);
    Value* exchange = ir.CreateAtomicCmpXchg(half.word, all, half.with(ir, all, wanted), llvm::Align(4), order,
                                             llvm::AtomicCmpXchgInst::getStrongestFailureOrdering(order), scope);
    all->addIncoming(ir.CreateExtractValue(exchange, 0), ir.GetInsertBlock());
    ir.CreateCondBr(ir.CreateExtractValue(exchange, 1), after, loop);
    return old;
}

void update_half(llvm::AtomicRMWInst& update) {
    llvm::Type* type = update.getType();
    Value* old = change_half(update, update.getPointerOperand(), update.getOrdering(), update.getSyncScopeID(),
                             [&](IR& ir, Value* bits, llvm::BasicBlock*) {
                                 Value* value = llvm::buildAtomicRMWValue(
                                     update.getOperation(), ir, ir.CreateBitCast(bits, type), update.getValOperand());
                                 return ir.CreateBitCast(value, ir.getInt16Ty());
                             });
    IR ir(&update);
    update.replaceAllUsesWith(ir.CreateBitCast(old, type));
    update.eraseFromParent();
}

void exchange_half(llvm::AtomicCmpXchgInst& exchange) {
    Value* expected = exchange.getCompareOperand();
    Value* old = change_half(exchange, exchange.getPointerOperand(), exchange.getSuccessOrdering(),
                             exchange.getSyncScopeID(), [&](IR& ir, Value* bits, llvm::BasicBlock* leave) {
                                 auto* equal =
                                     llvm::BasicBlock::Create(ir.getContext(), "half.equal", leave->getParent(), leave);
                                 ir.CreateCondBr(ir.CreateICmpEQ(bits, expected), equal, leave);
                                 ir.SetInsertPoint(equal);
                                 return exchange.getNewValOperand();
                             });
    IR ir(&exchange);
    Value* pair = ir.CreateInsertValue(llvm::PoisonValue::get(exchange.getType()), old, 0);
    exchange.replaceAllUsesWith(ir.CreateInsertValue(pair, ir.CreateICmpEQ(old, expected), 1));
    exchange.eraseFromParent();
}

/// f(distance, bytes) for the pieces of a block, none larger than `most`, each aligned to its size if the block is.
template <class F> void for_each_piece(uint64_t length, uint64_t most, F&& f) {
    for (uint64_t at = 0, bytes = most; at < length; at += bytes) {
        while (bytes > length - at) bytes /= 2;
        f(at, bytes);
    }
}

/// LLVM makes such instructions of what is constant and small, too. Of those the back end makes loads and stores of
/// vectors that SPIR-V has not, aligned as nothing is.
void expand_copy(llvm::MemIntrinsic& block) {
    constexpr uint64_t most_bytes = 128; ///< in a row, not as a loop
    const auto* length = llvm::dyn_cast<llvm::ConstantInt>(block.getLength());
    auto* fill = llvm::dyn_cast<llvm::MemSetInst>(&block);
    auto* copy = llvm::dyn_cast<llvm::MemTransferInst>(&block);
    uint64_t unit = std::min<uint64_t>(block.getDestAlign().valueOrOne().value(), 8);
    if (copy) unit = std::min(unit, copy->getSourceAlign().valueOrOne().value());
    IR ir(&block);
    if (!length || length->getZExtValue() > most_bytes) {
        const llvm::TargetTransformInfo costs(block.getDataLayout());
        if (fill)
            llvm::expandMemSetAsLoop(fill);
        else if (auto* move = llvm::dyn_cast<llvm::MemMoveInst>(&block))
            llvm::expandMemMoveAsLoop(move, costs);
        else
            llvm::expandMemCpyAsLoop(llvm::cast<llvm::MemCpyInst>(&block), costs);
    } else {
        const auto place = [&](Value* from, uint64_t at) { return ir.CreateConstGEP1_64(ir.getInt8Ty(), from, at); };
        llvm::SmallVector<Value*, 16> values; // all are read before one is written: they may overlap
        for_each_piece(length->getZExtValue(), unit, [&](uint64_t at, uint64_t bytes) {
            llvm::Type* type = ir.getIntNTy(unsigned(8 * bytes));
            if (copy) {
                values.push_back(ir.CreateAlignedLoad(type, place(copy->getRawSource(), at), llvm::Align(bytes)));
                return;
            }
            const llvm::APInt ones = llvm::APInt::getSplat(unsigned(8 * bytes), llvm::APInt(8, 1));
            Value* byte = ir.CreateZExt(fill->getValue(), type);
            values.push_back(ir.CreateMul(byte, llvm::ConstantInt::get(type, ones)));
        });
        for_each_piece(length->getZExtValue(), unit, [&, next = values.begin()](uint64_t at, uint64_t bytes) mutable {
            ir.CreateAlignedStore(*next++, place(block.getRawDest(), at), llvm::Align(bytes));
        });
    }
    block.eraseFromParent();
}

} // namespace

void expand_memory_operations(llvm::Function& function) {
    for (llvm::Instruction* instruction : all_of(function)) {
        if (auto* update = llvm::dyn_cast<llvm::AtomicRMWInst>(instruction)) {
            if (has_16_bits(update->getType()))
                update_half(*update);
            else if (!is_native(*update))
                expand_update(*update);
        } else if (auto* exchange = llvm::dyn_cast<llvm::AtomicCmpXchgInst>(instruction)) {
            if (has_16_bits(exchange->getCompareOperand()->getType())) exchange_half(*exchange);
        } else if (auto* block = llvm::dyn_cast<llvm::MemIntrinsic>(instruction)) {
            expand_copy(*block);
        }
    }
}

} // namespace ptx::code
