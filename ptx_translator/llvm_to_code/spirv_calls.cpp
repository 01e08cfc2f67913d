#include "llvm_to_code/spirv_calls.h"

#include "llvm_to_code/gpu_calls.h"
#include "llvm_to_code/neutral.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/IR/ConstantRange.h>
#include <llvm/IR/IntrinsicsSPIRV.h>
#include <llvm/IR/Module.h>

namespace ptx::code {
namespace {

llvm::CallInst* builtin(GpuCall& site, const char* name, llvm::Type* result, llvm::ArrayRef<llvm::Value*> arguments,
                        bool convergent = false) {
    return call_builtin(site.ir, name, result, arguments, convergent);
}

/// `most`: what the value may be at most, by CUDA's limits.
llvm::Value* work_item(GpuCall& site, const char* name, unsigned axis, uint64_t most) {
    llvm::IRBuilder<>& ir = site.ir;
    llvm::CallInst* call = builtin(site, name, ir.getInt64Ty(), {ir.getInt32(axis)});
    call->addRangeRetAttr(llvm::ConstantRange(llvm::APInt(64, 0), llvm::APInt(64, most + 1)));
    return ir.CreateTrunc(call, ir.getInt32Ty());
}

constexpr uint64_t most_threads = 1024, most_blocks = 0x7fffffff;

template <unsigned axis> llvm::Value* thread_index(GpuCall& site) {
    return work_item(site, "_Z12get_local_idj", axis, most_threads - 1);
}
template <unsigned axis> llvm::Value* block_index(GpuCall& site) {
    return work_item(site, "_Z12get_group_idj", axis, most_blocks - 1);
}
/// All groups of a launch are of one size. Asked for that of the group itself, which OpenCL lets be smaller at the
/// grid's edge, compilers may compare.
template <unsigned axis> llvm::Value* block_size(GpuCall& site) {
    return work_item(site, "_Z23get_enqueued_local_sizej", axis, most_threads);
}
template <unsigned axis> llvm::Value* grid_size(GpuCall& site) {
    return work_item(site, "_Z14get_num_groupsj", axis, most_blocks);
}

llvm::Value* lane_number(GpuCall& site) {
    llvm::CallInst* call = builtin(site, "_Z22get_sub_group_local_idv", site.ir.getInt32Ty(), {});
    call->addRangeRetAttr(llvm::ConstantRange(llvm::APInt(32, 0), llvm::APInt(32, 32)));
    return call;
}

// SPIR-V 1.4, 3.27 and 3.25.
constexpr uint32_t scope_workgroup = 2, scope_subgroup = 3;
constexpr uint32_t acquire_release = 0x8, workgroup_memory = 0x100, global_memory = 0x200;

llvm::Value* control_barrier(GpuCall& site, uint32_t scope) {
    llvm::IRBuilder<>& ir = site.ir;
    return builtin(
        site, "_Z22__spirv_ControlBarrieriii", ir.getVoidTy(),
        {ir.getInt32(scope), ir.getInt32(scope), ir.getInt32(acquire_release | workgroup_memory | global_memory)},
        true);
}

llvm::Value* block_barrier(GpuCall& site) { return control_barrier(site, scope_workgroup); }
llvm::Value* warp_barrier(GpuCall& site) { return control_barrier(site, scope_subgroup); }

llvm::Value* barrier(GpuCall& site) {
    site.demand(0, 0, "the barrier's number");
    site.demand(1, 0, "the number of threads");
    return block_barrier(site);
}

llvm::Value* ballot(GpuCall& site) {
    llvm::IRBuilder<>& ir = site.ir;
    llvm::Value* yes = ir.CreateICmpNE(site.operand(0), ir.getInt32(0));
    llvm::Value* words =
        builtin(site, "_Z29__spirv_GroupNonUniformBallotib", llvm::FixedVectorType::get(ir.getInt32Ty(), 4),
                {ir.getInt32(scope_subgroup), yes}, true);
    return ir.CreateExtractElement(words, uint64_t{0});
}

llvm::Value* lane_shuffle(GpuCall& site) {
    // A float goes as it is.
    const auto* cast = llvm::dyn_cast<llvm::BitCastInst>(site.operand(0));
    if (cast && cast->getSrcTy()->isFloatTy()) {
        llvm::Value* number =
            builtin(site, "_Z17sub_group_shufflefj", cast->getSrcTy(), {cast->getOperand(0), site.operand(1)}, true);
        return site.ir.CreateBitCast(number, site.call.getType());
    }
    return builtin(site, "_Z17sub_group_shufflejj", site.ir.getInt32Ty(), {site.operand(0), site.operand(1)}, true);
}

/// A function of Intel's compiler, which refuses modules with SPV_KHR_shader_clock.
llvm::Value* read_clock(GpuCall& site) {
    return builtin(site, "_Z23intel_get_cycle_counterv", site.ir.getInt64Ty(), {}, true);
}
template <unsigned shift> llvm::Value* counter(GpuCall& site) { return site.ir.CreateLShr(read_clock(site), shift); }

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

/// What LLVM cannot see through, nor copy to where it would unswitch a loop; legalize_for_spirv takes it away.
llvm::Value* opaque(GpuCall& site) {
    return builtin(site, spirv_opaque, site.ir.getInt32Ty(), {site.operand(0)}, true);
}

llvm::Value* cluster_launch(GpuCall& site) {
    llvm::IRBuilder<>& ir = site.ir;
    llvm::Value* address =
        ir.CreateAdd(argument(site, cluster_argument), ir.CreateZExt(site.operand(0), ir.getInt64Ty()));
    return ir.CreateLoad(ir.getInt32Ty(), ir.CreateIntToPtr(address, ir.getPtrTy(spirv_global)));
}
/// A hint, of which this target makes nothing.
llvm::Value* uniform(GpuCall& site) { return site.operand(0); }

llvm::Value* service_block(GpuCall& site) { return argument(site, services_argument); }
/// Cooperative groups finds the grid's workspace by the two halves of its address.
template <unsigned shift> llvm::Value* workspace(GpuCall& site) {
    return site.ir.CreateTrunc(site.ir.CreateLShr(argument(site, workspace_argument), shift), site.ir.getInt32Ty());
}

llvm::Value* cast_address(GpuCall& site, unsigned from, unsigned to) {
    llvm::IRBuilder<>& ir = site.ir;
    llvm::Value* pointer = ir.CreateIntToPtr(site.operand(0), ir.getPtrTy(from));
    return ir.CreatePtrToInt(ir.CreateAddrSpaceCast(pointer, ir.getPtrTy(to)), ir.getInt64Ty());
}
llvm::Value* from_local(GpuCall& site) { return cast_address(site, spirv_private, spirv_generic); }
llvm::Value* to_local(GpuCall& site) { return cast_address(site, spirv_generic, spirv_private); }

/// Whether a generic address is of a space: SPIR-V's cast gives null if it is not.
llvm::Value* is_in(GpuCall& site, unsigned space) {
    llvm::IRBuilder<>& ir = site.ir;
    llvm::Value* pointer = ir.CreateIntToPtr(site.operand(0), ir.getPtrTy(spirv_generic));
    llvm::Type* type = ir.getPtrTy(space);
    llvm::Value* cast = ir.CreateIntrinsic(llvm::Intrinsic::spv_generic_cast_to_ptr_explicit, {type}, {pointer});
    return ir.CreateICmpNE(ir.CreatePtrToInt(cast, ir.getInt64Ty()), ir.getInt64(0));
}
llvm::Value* is_shared(GpuCall& site) { return is_in(site, spirv_shared); }
llvm::Value* is_local(GpuCall& site) { return is_in(site, spirv_private); }
llvm::Value* is_global(GpuCall& site) { return is_in(site, spirv_global); }

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
    {llvm::StringLiteral("block.barrier"), block_barrier},
    {llvm::StringLiteral("subgroup.barrier"), warp_barrier},
    {llvm::StringLiteral("subgroup.ballot"), ballot},
    {llvm::StringLiteral("subgroup.shuffle"), lane_shuffle},
    {llvm::StringLiteral("sreg.clock"), counter<0>},
    {llvm::StringLiteral("sreg.clock_hi"), counter<32>},
    {llvm::StringLiteral("sreg.clock64"), counter<0>},
    {llvm::StringLiteral("sreg.globaltimer"), counter<0>},
    {llvm::StringLiteral("sreg.globaltimer_lo"), counter<0>},
    {llvm::StringLiteral("sreg.globaltimer_hi"), counter<32>},
    {llvm::StringLiteral("sreg.envreg1"), workspace<32>},
    {llvm::StringLiteral("sreg.envreg2"), workspace<0>},
    {llvm::StringLiteral("service.block"), service_block},
    {llvm::StringLiteral("launch.cluster"), cluster_launch},
    {llvm::StringLiteral("group.uniform"), uniform},
    {llvm::StringLiteral("opaque"), opaque},
    {llvm::StringLiteral("kernel.parameters"), kernel_parameters},
    {llvm::StringLiteral("global.address"), global_address},
    {llvm::StringLiteral("shared.dynamic"), dynamic_start},
    {llvm::StringLiteral("cvta.shared"), from_shared},
    {llvm::StringLiteral("cvta.to.shared"), to_shared},
    {llvm::StringLiteral("cvta.local"), from_local},
    {llvm::StringLiteral("cvta.to.local"), to_local},
    {llvm::StringLiteral("isspacep.shared"), is_shared},
    {llvm::StringLiteral("isspacep.shared.cluster"), is_shared},
    {llvm::StringLiteral("isspacep.local"), is_local},
    {llvm::StringLiteral("isspacep.global"), is_global},
};

/// Which lanes are active is the same all through a block and asked for once there: each shuffle asks.
void share_active_masks(llvm::Function& kernel) {
    llvm::DenseMap<const llvm::BasicBlock*, llvm::CallInst*> first;
    for (llvm::CallInst* call : cuttle_calls(kernel)) {
        const auto* predicate = cuttle_name(*call) == "subgroup.ballot"
                                    ? llvm::dyn_cast<llvm::ConstantInt>(call->getArgOperand(0))
                                    : nullptr;
        if (!predicate || predicate->isZero()) continue;
        llvm::CallInst*& known = first[call->getParent()];
        if (!known) {
            known = call;
            continue;
        }
        call->replaceAllUsesWith(known);
        call->eraseFromParent();
    }
}

} // namespace

llvm::CallInst* call_builtin(llvm::IRBuilder<>& ir, llvm::StringRef name, llvm::Type* result,
                             llvm::ArrayRef<llvm::Value*> arguments, bool convergent) {
    llvm::SmallVector<llvm::Type*, 2> types;
    for (llvm::Value* argument : arguments) types.push_back(argument->getType());
    llvm::Module* module = ir.GetInsertBlock()->getModule();
    auto callee = module->getOrInsertFunction(name, llvm::FunctionType::get(result, types, false));
    auto* function = llvm::cast<llvm::Function>(callee.getCallee());
    function->setCallingConv(llvm::CallingConv::SPIR_FUNC);
    function->setDoesNotThrow();
    if (convergent)
        function->setConvergent();
    else
        function->setDoesNotAccessMemory();
    llvm::CallInst* call = ir.CreateCall(callee, arguments);
    call->setCallingConv(llvm::CallingConv::SPIR_FUNC);
    return call;
}

void lower_spirv_calls(llvm::Function& kernel) {
    share_active_masks(kernel);
    lower_gpu_calls(kernel, table, "spirv");
}

} // namespace ptx::code
