#include "llvm_to_code/spirv_calls.h"

#include "llvm_to_code/gpu_calls.h"
#include "llvm_to_code/neutral.h"

#include <llvm/IR/Module.h>

namespace ptx::code {
namespace {

/// A call of one of OpenCL C's built-in functions by its mangled name, which LLVM turns into SPIR-V instructions.
llvm::CallInst* builtin(GpuCall& site, const char* name, llvm::Type* result, llvm::ArrayRef<llvm::Value*> arguments,
                        bool convergent = false) {
    llvm::SmallVector<llvm::Type*, 2> types;
    for (llvm::Value* argument : arguments) types.push_back(argument->getType());
    auto callee = site.call.getModule()->getOrInsertFunction(name, llvm::FunctionType::get(result, types, false));
    auto* function = llvm::cast<llvm::Function>(callee.getCallee());
    function->setCallingConv(llvm::CallingConv::SPIR_FUNC);
    function->setDoesNotThrow();
    if (convergent)
        function->setConvergent();
    else
        function->setDoesNotAccessMemory();
    llvm::CallInst* call = site.ir.CreateCall(callee, arguments);
    call->setCallingConv(llvm::CallingConv::SPIR_FUNC);
    return call;
}

llvm::Value* work_item(GpuCall& site, const char* name, unsigned axis) {
    llvm::IRBuilder<>& ir = site.ir;
    return ir.CreateTrunc(builtin(site, name, ir.getInt64Ty(), {ir.getInt32(axis)}), ir.getInt32Ty());
}

template <unsigned axis> llvm::Value* thread_index(GpuCall& site) { return work_item(site, "_Z12get_local_idj", axis); }
template <unsigned axis> llvm::Value* block_index(GpuCall& site) { return work_item(site, "_Z12get_group_idj", axis); }
template <unsigned axis> llvm::Value* block_size(GpuCall& site) { return work_item(site, "_Z14get_local_sizej", axis); }
template <unsigned axis> llvm::Value* grid_size(GpuCall& site) { return work_item(site, "_Z14get_num_groupsj", axis); }

llvm::Value* lane_number(GpuCall& site) {
    return builtin(site, "_Z22get_sub_group_local_idv", site.ir.getInt32Ty(), {});
}

llvm::Value* barrier(GpuCall& site) {
    site.demand(0, 0, "the barrier's number");
    site.demand(1, 0, "the number of threads");
    // CLK_LOCAL_MEM_FENCE | CLK_GLOBAL_MEM_FENCE
    return builtin(site, "_Z7barrierj", site.ir.getVoidTy(), {site.ir.getInt32(3)}, true);
}

llvm::Value* argument(GpuCall& site, SpirvArgument number) { return site.kernel().getArg(number); }

llvm::Value* kernel_parameters(GpuCall& site) {
    return site.ir.CreateIntToPtr(argument(site, parameters_argument), site.call.getType());
}

llvm::Value* global_address(GpuCall& site) {
    return site.ir.CreateAdd(argument(site, globals_argument), site.operand(0));
}

llvm::Value* dynamic_start(GpuCall& site) { return site.ir.getInt32((static_shared_bytes(site.kernel()) + 15) & ~15u); }

llvm::Value* generic_shared(GpuCall& site) {
    llvm::IRBuilder<>& ir = site.ir;
    llvm::Value* base = ir.CreateAddrSpaceCast(argument(site, shared_argument), ir.getPtrTy(spirv_generic));
    return ir.CreatePtrToInt(base, ir.getInt64Ty());
}

llvm::Value* from_shared(GpuCall& site) { return site.ir.CreateAdd(generic_shared(site), site.operand(0)); }
llvm::Value* to_shared(GpuCall& site) { return site.ir.CreateSub(site.operand(0), generic_shared(site)); }

constexpr GpuLowering table[] = {
    {llvm::StringLiteral("sreg.tid.x"), thread_index<0>},
    {llvm::StringLiteral("sreg.tid.y"), thread_index<1>},
    {llvm::StringLiteral("sreg.tid.z"), thread_index<2>},
    {llvm::StringLiteral("sreg.ctaid.x"), block_index<0>},
    {llvm::StringLiteral("sreg.ctaid.y"), block_index<1>},
    {llvm::StringLiteral("sreg.ctaid.z"), block_index<2>},
    {llvm::StringLiteral("sreg.ntid.x"), block_size<0>},
    {llvm::StringLiteral("sreg.ntid.y"), block_size<1>},
    {llvm::StringLiteral("sreg.ntid.z"), block_size<2>},
    {llvm::StringLiteral("sreg.nctaid.x"), grid_size<0>},
    {llvm::StringLiteral("sreg.nctaid.y"), grid_size<1>},
    {llvm::StringLiteral("sreg.nctaid.z"), grid_size<2>},
    {llvm::StringLiteral("sreg.laneid"), lane_number},
    {llvm::StringLiteral("barrier.sync"), barrier},
    {llvm::StringLiteral("kernel.parameters"), kernel_parameters},
    {llvm::StringLiteral("global.address"), global_address},
    {llvm::StringLiteral("shared.dynamic"), dynamic_start},
    {llvm::StringLiteral("cvta.shared"), from_shared},
    {llvm::StringLiteral("cvta.to.shared"), to_shared},
};

} // namespace

void lower_spirv_calls(llvm::Function& kernel) { lower_gpu_calls(kernel, table, "spirv"); }

} // namespace ptx::code
