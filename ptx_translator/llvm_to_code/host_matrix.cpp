#include "llvm_to_code/host_matrix.h"

#include "llvm_to_code/host_calls.h"
#include "llvm_to_code/host_lane.h"

#include <llvm/IR/Module.h>

#include <cstddef>

namespace ptx::code {
namespace {

/// A function of one form's: (lane, the service that lets a warp meet, form, words of A, B and C...) -> words of D. A
/// kernel has thousands of multiplications where its loops are unrolled, so their common part is written once.
llvm::Function* multiply_function(llvm::Module& module, llvm::StringRef name, llvm::FunctionType& words) {
    if (llvm::Function* known = module.getFunction(name)) return known;
    llvm::LLVMContext& context = module.getContext();
    auto* results = llvm::cast<llvm::ArrayType>(words.getReturnType());
    llvm::SmallVector<llvm::Type*, 32> types(2, llvm::PointerType::get(context, 0));
    types.append(words.param_begin(), words.param_end());
    auto* function = llvm::Function::Create(llvm::FunctionType::get(results, types, false),
                                            llvm::Function::InternalLinkage, name, module);
    function->addFnAttr(llvm::Attribute::NoInline);
    function->setConvergent();
    function->setDoesNotThrow();

    llvm::IRBuilder<> ir(llvm::BasicBlock::Create(context, "entry", function));
    const unsigned first = 3, sources = function->arg_size() - first,
                   all = sources + static_cast<unsigned>(results->getNumElements());
    auto* block_type = llvm::ArrayType::get(ir.getInt32Ty(), all);
    llvm::AllocaInst* block = ir.CreateAlloca(block_type, nullptr, "mma");
    auto word = [&](unsigned i) { return ir.CreateConstInBoundsGEP2_32(block_type, block, 0, i); };
    for (unsigned i = 0; i < sources; ++i) ir.CreateStore(function->getArg(first + i), word(i));
    // Written in two steps where D is made of halves.
    for (unsigned i = sources; i < all; ++i) ir.CreateStore(ir.getInt32(0), word(i));
    auto* compute_type = llvm::FunctionType::get(ir.getVoidTy(), {ir.getPtrTy(), ir.getInt64Ty()}, false);
    llvm::Value* compute = module.getOrInsertFunction("cuttle_matrix_multiply", compute_type).getCallee();
    auto* meet = llvm::FunctionType::get(
        ir.getVoidTy(), {ir.getPtrTy(), ir.getInt32Ty(), ir.getPtrTy(), ir.getPtrTy(), ir.getInt64Ty()}, false);
    llvm::CallInst* call = ir.CreateCall(
        meet, function->getArg(1), {function->getArg(0), ir.getInt32(0xffffffff), block, compute, function->getArg(2)});
    call->setConvergent();
    call->setDoesNotThrow();
    llvm::Value* result = llvm::PoisonValue::get(results);
    for (unsigned i = sources; i < all; ++i)
        result = ir.CreateInsertValue(result, ir.CreateLoad(ir.getInt32Ty(), word(i)), i - sources);
    ir.CreateRet(result);
    return function;
}

} // namespace

llvm::Value* lower_matrix_multiply(llvm::CallInst& call, LaneAccess& lane, llvm::IRBuilder<>& ir) {
    const llvm::Function& form = *call.getCalledFunction();
    llvm::Function* function =
        multiply_function(*call.getModule(), ("lanes." + form.getName()).str(), *form.getFunctionType());
    llvm::SmallVector<llvm::Value*, 32> arguments{lane.lane(), lane.service(offsetof(host::Services, collective))};
    arguments.append(call.arg_begin(), call.arg_end());
    llvm::CallInst* made = ir.CreateCall(function, arguments);
    made->setConvergent();
    return made;
}

} // namespace ptx::code
