// What tiles do not write while they are alone, but others want to read.
#include "llvm_to_code/host_tile_loops.h"

#include <llvm/IR/Module.h>

namespace ptx::code {

using llvm::Value;

llvm::Function* make_code(llvm::Module& module, const llvm::Twine& name, llvm::Type* result,
                          llvm::ArrayRef<llvm::Type*> parameters, bool exported) {
    auto* type = llvm::FunctionType::get(result, parameters, false);
    auto* function = llvm::Function::Create(
        type, exported ? llvm::Function::ExternalLinkage : llvm::Function::InternalLinkage, name, module);
    if (exported)
        function->setVisibility(llvm::GlobalValue::DefaultVisibility);
    else
        function->addFnAttr(llvm::Attribute::NoInline);
    llvm::BasicBlock::Create(module.getContext(), "entry", function);
    return function;
}

Value* slots_of(IR& ir, Value* slots, Value* number, uint32_t warp_bytes) {
    if (!warp_bytes) return slots;
    Value* warp = ir.CreateZExt(ir.CreateLShr(number, llvm::Log2_32(in_warp)), ir.getInt64Ty());
    return ir.CreateGEP(ir.getInt8Ty(), slots, ir.CreateNUWMul(warp, ir.getInt64(warp_bytes)));
}

llvm::Function* make_slots_complete(llvm::Module& module, const llvm::Twine& name, const TileCode& code,
                                    uint32_t warp_bytes) {
    IR ir(module.getContext());
    llvm::Type *i32 = ir.getInt32Ty(), *i64 = ir.getInt64Ty();
    llvm::Function* function =
        make_code(module, name + ".complete", ir.getVoidTy(), {ir.getPtrTy(), i64, i32, i32, i32}, false);
    function->addFnAttr(llvm::Attribute::OptimizeForSize);
    ir.SetInsertPoint(&function->getEntryBlock());
    Value *slots = function->getArg(0), *threads = function->getArg(1);
    TileLoops loops;
    for (unsigned axis = 0; axis < 3; ++axis) {
        loops.begin[axis] = ir.getInt32(0);
        loops.end[axis] = loops.size[axis] = function->getArg(2 + axis);
    }
    const auto complete = [&](IR& at, const Place& place, const simd::AbridgedSlot& slot) {
        llvm::Type* type = at.getIntNTy(8 * slot.bytes);
        llvm::SmallVector<llvm::Constant*, 32> steps;
        for (unsigned column = 0; column < code.columns; ++column)
            steps.push_back(llvm::ConstantInt::get(type, uint64_t(slot.stride) * column, false, true));
        Value* first = nullptr;
        for (unsigned row = 0; row < code.rows; ++row) {
            Value* number = at.CreateNUWAdd(place.number, at.CreateNUWMul(loops.size[0], at.getInt32(row)));
            Value* among = at.CreateZExt(warp_bytes ? at.CreateAnd(number, in_warp - 1) : number, i64);
            Value* offset = at.CreateNUWAdd(at.CreateNUWMul(threads, at.getInt64(slot.byte)),
                                            at.CreateNUWMul(among, at.getInt64(slot.bytes)));
            Value* address = at.CreateGEP(at.getInt8Ty(), slots_of(at, slots, number, warp_bytes), offset);
            if (!first || slot.by_row) first = at.CreateAlignedLoad(type, address, llvm::Align(1));
            Value* all = at.CreateAdd(at.CreateVectorSplat(code.columns, first), llvm::ConstantVector::get(steps));
            at.CreateAlignedStore(all, address, llvm::Align(1));
        }
    };
    const auto tile = [&](IR& at, const Place& place) -> Value* {
        for (const simd::AbridgedSlot& slot : code.abridged) complete(at, place, slot);
        return at.getTrue();
    };
    const auto nothing = [](IR&, const Place&) {};
    const auto no_threads = [](IR&, const Place&, Value*, Value*) {};
    loops.tile = tile;
    loops.after_tile = nothing;
    loops.threads = no_threads;
    loops.columns = code.columns;
    loops.rows = code.rows;
    loops.whole_warps = code.whole_warps;
    loops.make(ir);
    ir.CreateRetVoid();
    return function;
}

llvm::Function* make_fill(llvm::Module& module, const llvm::Twine& name) {
    IR ir(module.getContext());
    llvm::Type* i32 = ir.getInt32Ty();
    llvm::Function* function = make_code(module, name + ".fill", ir.getVoidTy(), {ir.getPtrTy(), i32, i32}, false);
    function->addFnAttr(llvm::Attribute::OptimizeForSize);
    ir.SetInsertPoint(&function->getEntryBlock());
    const auto one = [&](IR& at, Value* thread) -> Value* {
        at.CreateStore(function->getArg(2),
                       at.CreateGEP(i32, function->getArg(0), at.CreateZExt(thread, at.getInt64Ty())));
        return at.getInt32(1);
    };
    loop(ir, ir.getInt32(0), function->getArg(1), one);
    ir.CreateRetVoid();
    return function;
}

} // namespace ptx::code
