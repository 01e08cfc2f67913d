#include "llvm_to_code/host_matrix.h"

#include "llvm_to_code/host_calls.h"
#include "llvm_to_code/host_lane.h"

#include <llvm/IR/Module.h>

#include <cstddef>

namespace ptx::code {

llvm::Value* lower_matrix_multiply(llvm::CallInst& call, LaneAccess& lane, llvm::IRBuilder<>& ir) {
    auto* results = llvm::cast<llvm::ArrayType>(call.getType());
    const unsigned sources = call.arg_size() - 1, all = sources + static_cast<unsigned>(results->getNumElements());
    auto* block_type = llvm::ArrayType::get(ir.getInt32Ty(), all);
    llvm::IRBuilder<> entry(&*call.getFunction()->getEntryBlock().getFirstInsertionPt());
    llvm::AllocaInst* block = entry.CreateAlloca(block_type, nullptr, "mma");
    auto word = [&](unsigned i) { return ir.CreateConstInBoundsGEP2_32(block_type, block, 0, i); };
    for (unsigned i = 0; i < sources; ++i) ir.CreateStore(call.getArgOperand(i + 1), word(i));
    // Written in two steps where D is made of halves.
    for (unsigned i = sources; i < all; ++i) ir.CreateStore(ir.getInt32(0), word(i));
    auto* type = llvm::FunctionType::get(ir.getVoidTy(), {ir.getPtrTy(), ir.getInt64Ty()}, false);
    llvm::Value* compute = call.getModule()->getOrInsertFunction("cuttle_matrix_multiply", type).getCallee();
    call_service(lane, ir, offsetof(host::Services, collective), ir.getVoidTy(),
                 {ir.getInt32(0xffffffff), block, compute, call.getArgOperand(0)})
        ->setConvergent();
    llvm::Value* result = llvm::PoisonValue::get(results);
    for (unsigned i = sources; i < all; ++i)
        result = ir.CreateInsertValue(result, ir.CreateLoad(ir.getInt32Ty(), word(i)), i - sources);
    return result;
}

} // namespace ptx::code
