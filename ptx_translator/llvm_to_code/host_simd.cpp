#include "llvm_to_code/host_simd.h"

#include "ptx/host_abi.h"
#include "simt_to_simd/prepare.h"
#include "simt_to_simd/widen.h"

#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/ConstantRange.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include <cstddef>

namespace ptx::code {
namespace {

using IR = llvm::IRBuilder<>;
using host::Lane;

/// What differs from thread to thread, as arguments behind the others.
struct Field {
    uint32_t offset, end;
};
constexpr Field fields[] = {{offsetof(Lane, thread), 1024},
                            {offsetof(Lane, thread) + 4, 1024},
                            {offsetof(Lane, lane), 32},
                            {offsetof(Lane, warp), 32}};

llvm::Function* copy_with_fields(llvm::Function& body) {
    llvm::SmallVector<llvm::Type*, 12> types(body.getFunctionType()->params());
    types.append(std::size(fields), llvm::Type::getInt32Ty(body.getContext()));
    auto* type = llvm::FunctionType::get(body.getReturnType(), types, false);
    auto* copy =
        llvm::Function::Create(type, llvm::Function::InternalLinkage, body.getName() + ".tile", body.getParent());
    llvm::ValueToValueMapTy map;
    for (llvm::Argument& argument : body.args()) map[&argument] = copy->getArg(argument.getArgNo());
    llvm::SmallVector<llvm::ReturnInst*, 4> returns;
    llvm::CloneFunctionInto(copy, &body, map, llvm::CloneFunctionChangeType::LocalChangesOnly, returns);
    copy->setAttributes(copy->getAttributes().removeFnAttribute(body.getContext(), llvm::Attribute::AlwaysInline));
    for (unsigned i = 0; i < std::size(fields); ++i)
        copy->addParamAttr(unsigned(body.arg_size()) + i,
                           llvm::Attribute::get(body.getContext(), llvm::Attribute::Range,
                                                llvm::ConstantRange(llvm::APInt(32, 0), llvm::APInt(32, fields[i].end))));
    return copy;
}

/// Reads of the Lane's fields become the arguments. False if the Lane goes elsewhere.
bool use_arguments(llvm::Function& copy, unsigned first) {
    const llvm::DataLayout& data = copy.getParent()->getDataLayout();
    llvm::SmallVector<llvm::Value*, 8> pointers{copy.getArg(0)};
    while (!pointers.empty()) {
        for (llvm::User* user : llvm::make_early_inc_range(pointers.pop_back_val()->users())) {
            if (llvm::isa<llvm::GetElementPtrInst>(user)) {
                pointers.push_back(user);
                continue;
            }
            auto* load = llvm::dyn_cast<llvm::LoadInst>(user);
            llvm::APInt offset(64, 0);
            if (!load || load->getPointerOperand()->stripAndAccumulateConstantOffsets(data, offset, true) !=
                             copy.getArg(0))
                return false;
            for (unsigned i = 0; i < std::size(fields); ++i)
                if (offset == fields[i].offset) load->replaceAllUsesWith(copy.getArg(first + i));
        }
    }
    return true;
}

} // namespace

WideThread widen_thread(llvm::Function& body, llvm::TargetMachine& machine) {
    WideThread result;
    result.width = 16;
    const auto scalars = unsigned(body.arg_size());
    llvm::Function* copy = copy_with_fields(body);
    simd::inline_calls(*copy);
    if (!use_arguments(*copy, scalars)) {
        result.why_not = "it asks for services";
    } else {
        simd::prepare(*copy, machine);
        result.why_not = simd::why_not(*copy);
    }
    if (result.why_not.empty()) {
        llvm::SmallVector<simd::Shape, 12> shapes(copy->arg_size(), simd::Shape::regular());
        const auto consecutive = [&](unsigned argument) {
            shapes[argument] = simd::Shape::regular(1);
            shapes[argument].zero_bits = uint8_t(llvm::countr_zero(result.width));
        };
        if (scalars > 1) consecutive(scalars - 1);
        consecutive(scalars);     // x
        consecutive(scalars + 2); // lane
        const llvm::TargetTransformInfo costs = machine.getTargetTransformInfo(*copy);
        const simd::Machine how{costs, machine.getMCSubtargetInfo()->checkFeatures("+avx512f,+avx512bw,+avx512dq,+avx512vl")};
        result.function = simd::widen(*copy, {result.width, 1}, shapes, how);
    }
    copy->eraseFromParent();
    if (getenv("SIMD_DEBUG")) fprintf(stderr, "%s: %s\n", body.getName().str().c_str(), result.why_not.c_str());
    return result;
}

void make_row_loop(IR& ir, const RowLoop& loop) {
    llvm::Function* function = ir.GetInsertBlock()->getParent();
    const auto block = [&](const char* name) { return llvm::BasicBlock::Create(ir.getContext(), name, function); };
    llvm::BasicBlock *before = ir.GetInsertBlock(), *head = block("row"), *tile = block("tile"), *done = block("tile_done"),
                     *one = block("thread"), *next = block("next"), *end = block("row_end");
    llvm::Type* i32 = ir.getInt32Ty();
    llvm::Value* width = ir.getInt32(loop.width);
    ir.CreateBr(head);
    ir.SetInsertPoint(head);
    llvm::PHINode* index = ir.CreatePHI(i32, 2);
    index->addIncoming(ir.getInt32(0), before);
    llvm::Value *x = ir.CreateNUWAdd(loop.x, index), *number = ir.CreateNUWAdd(loop.number, index);
    llvm::Value* low = ir.CreateAnd(ir.CreateOr(x, number), loop.width - 1);
    llvm::Value* fits = ir.CreateICmpUGE(ir.CreateNUWSub(loop.count, index), width);
    ir.CreateCondBr(ir.CreateAnd(ir.CreateIsNull(low), fits), tile, one);
    ir.SetInsertPoint(tile);
    llvm::Value* run = loop.wide(ir, x, number);
    ir.CreateCondBr(run, done, one);
    ir.SetInsertPoint(done);
    loop.after_wide(ir, x, number);
    llvm::BasicBlock* done_end = ir.GetInsertBlock();
    ir.CreateBr(next);
    ir.SetInsertPoint(one);
    loop.one(ir, x, number);
    llvm::BasicBlock* one_end = ir.GetInsertBlock();
    ir.CreateBr(next);
    ir.SetInsertPoint(next);
    llvm::PHINode* step = ir.CreatePHI(i32, 2);
    step->addIncoming(width, done_end);
    step->addIncoming(ir.getInt32(1), one_end);
    llvm::Value* following = ir.CreateNUWAdd(index, step);
    index->addIncoming(following, next);
    ir.CreateCondBr(ir.CreateICmpULT(following, loop.count), head, end);
    ir.SetInsertPoint(end);
}

} // namespace ptx::code
