#include "llvm_to_code/amdgpu_calls.h"

#include "llvm_to_code/amdgpu_barriers.h"
#include "llvm_to_code/amdgpu_matrix.h"
#include "llvm_to_code/gpu_calls.h"
#include "llvm_to_code/neutral.h"

#include <llvm/IR/IntrinsicsAMDGPU.h>
#include <llvm/IR/Module.h>

#include <algorithm>
#include <string>

namespace ptx::code {
namespace {

llvm::Value* no_operands(llvm::IRBuilder<>& ir, llvm::Intrinsic::ID id) {
    return ir.CreateIntrinsic(id, llvm::ArrayRef<llvm::Type*>(), llvm::ArrayRef<llvm::Value*>());
}

template <llvm::Intrinsic::ID id> llvm::Value* intrinsic(GpuCall& site) { return no_operands(site.ir, id); }

/// Reads a field of the hidden arguments behind the kernel's own (code object version 5).
llvm::Value* hidden_argument(GpuCall& site, unsigned offset, llvm::Type* type) {
    llvm::IRBuilder<>& ir = site.ir;
    llvm::Value* base = no_operands(ir, llvm::Intrinsic::amdgcn_implicitarg_ptr);
    llvm::LoadInst* load = ir.CreateLoad(type, ir.CreateConstInBoundsGEP1_32(ir.getInt8Ty(), base, offset));
    load->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(ir.getContext(), {}));
    return load;
}

template <unsigned axis> llvm::Value* block_size(GpuCall& site) {
    return site.ir.CreateZExt(hidden_argument(site, 12 + 2 * axis, site.ir.getInt16Ty()), site.ir.getInt32Ty());
}

template <unsigned axis> llvm::Value* grid_size(GpuCall& site) {
    return hidden_argument(site, 4 * axis, site.ir.getInt32Ty());
}

/// A warp is 32 lanes, half of a wave on wave64 processors.
llvm::Value* lane_number(GpuCall& site) {
    llvm::IRBuilder<>& ir = site.ir;
    llvm::Value* all = ir.getInt32(~0u);
    llvm::Value* low = ir.CreateIntrinsic(llvm::Intrinsic::amdgcn_mbcnt_lo, {}, {all, ir.getInt32(0)});
    return ir.CreateAnd(ir.CreateIntrinsic(llvm::Intrinsic::amdgcn_mbcnt_hi, {}, {all, low}), 31);
}

llvm::Value* barrier(GpuCall& site) {
    site.demand(0, 0, "the barrier's number");
    site.demand(1, 0, "the number of threads");
    llvm::IRBuilder<>& ir = site.ir;
    const auto block = ir.getContext().getOrInsertSyncScopeID("workgroup");
    ir.CreateFence(llvm::AtomicOrdering::Release, block);
    llvm::Value* call = no_operands(ir, llvm::Intrinsic::amdgcn_s_barrier);
    ir.CreateFence(llvm::AtomicOrdering::Acquire, block);
    return call;
}

llvm::Value* kernel_parameters(GpuCall& site) {
    llvm::Function& kernel = site.kernel();
    if (kernel.arg_size() == 0 || !kernel.getArg(0)->getType()->isPointerTy())
        return llvm::PoisonValue::get(site.call.getType());
    return kernel.getArg(0);
}

llvm::Value* global_address(GpuCall& site) {
    llvm::IRBuilder<>& ir = site.ir;
    llvm::GlobalVariable* pointer = site.call.getModule()->getNamedGlobal(amdgpu_globals);
    return ir.CreateAdd(ir.CreateLoad(ir.getInt64Ty(), pointer), site.operand(0));
}

llvm::Value* dynamic_start(GpuCall& site) {
    return site.ir.CreatePtrToInt(site.call.getModule()->getNamedGlobal(amdgpu_dynamic_shared), site.ir.getInt32Ty());
}

llvm::Value* cast_address(GpuCall& site, unsigned from, unsigned to) {
    llvm::IRBuilder<>& ir = site.ir;
    llvm::Value* pointer = ir.CreateIntToPtr(site.operand(0), ir.getPtrTy(from));
    return ir.CreatePtrToInt(ir.CreateAddrSpaceCast(pointer, ir.getPtrTy(to)), ir.getInt64Ty());
}

template <unsigned from, unsigned to> llvm::Value* cast(GpuCall& site) { return cast_address(site, from, to); }

template <llvm::Intrinsic::ID id> llvm::Value* is_in(GpuCall& site) {
    return site.ir.CreateIntrinsic(id, {}, {site.ir.CreateIntToPtr(site.operand(0), site.ir.getPtrTy())});
}

llvm::Value* is_global(GpuCall& site) {
    llvm::Value* other = site.ir.CreateOr(is_in<llvm::Intrinsic::amdgcn_is_shared>(site),
                                          is_in<llvm::Intrinsic::amdgcn_is_private>(site));
    return site.ir.CreateNot(other);
}

/// What the launch passes behind the packed parameters (ptx/gpu_services.h): `from_end` words before the hidden
/// arguments, where functions find it, too.
llvm::Value* launch_argument(GpuCall& site, unsigned from_end) {
    llvm::IRBuilder<>& ir = site.ir;
    llvm::Function& function = *site.call.getFunction();
    if (function.getCallingConv() == llvm::CallingConv::AMDGPU_KERNEL)
        return function.getArg(static_cast<unsigned>(function.arg_size()) - from_end);
    llvm::Value* hidden = no_operands(ir, llvm::Intrinsic::amdgcn_implicitarg_ptr);
    llvm::LoadInst* load =
        ir.CreateLoad(ir.getInt64Ty(), ir.CreateConstGEP1_32(ir.getInt8Ty(), hidden, -8u * from_end));
    load->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(ir.getContext(), {}));
    return load;
}
llvm::Value* service_block(GpuCall& site) { return launch_argument(site, 2); }

/// Cooperative groups finds the grid's workspace by the two halves of its address.
template <unsigned shift> llvm::Value* workspace(GpuCall& site) {
    return site.ir.CreateTrunc(site.ir.CreateLShr(launch_argument(site, 1), shift), site.ir.getInt32Ty());
}

/// A call of device_library/amdgpu_library.cpp, which takes predicates as 32-bit integers and gives two results as one
/// 64-bit one. `first`: an argument in front of the call's own.
llvm::Value* library_call(GpuCall& site, const char* function, llvm::Type* result = nullptr,
                          llvm::Value* first = nullptr) {
    llvm::IRBuilder<>& ir = site.ir;
    const auto passed = [&](llvm::Type* type) { return type->isIntegerTy(1) ? ir.getInt32Ty() : type; };
    llvm::SmallVector<llvm::Value*, 6> arguments;
    llvm::SmallVector<llvm::Type*, 6> types;
    if (first) {
        types.push_back(first->getType());
        arguments.push_back(first);
    }
    for (llvm::Value* argument : site.call.args()) {
        types.push_back(passed(argument->getType()));
        arguments.push_back(argument->getType()->isIntegerTy(1) ? ir.CreateZExt(argument, types.back()) : argument);
    }
    if (!result) result = site.call.getType()->isStructTy() ? ir.getInt64Ty() : passed(site.call.getType());
    llvm::FunctionCallee callee =
        site.call.getModule()->getOrInsertFunction(function, llvm::FunctionType::get(result, types, false));
    llvm::CallInst* call = ir.CreateCall(callee, arguments);
    if (site.call.isConvergent()) call->setConvergent();
    return call;
}

template <const char* const& function> llvm::Value* library(GpuCall& site) { return library_call(site, function); }
/// Of amdgpu_services.h.
template <const char* const& function> llvm::Value* service(GpuCall& site) {
    return library_call(site, function, nullptr, service_block(site));
}
template <const char* const& function, unsigned shift> llvm::Value* counter(GpuCall& site) {
    return site.ir.CreateLShr(library_call(site, function, site.ir.getInt64Ty()), shift);
}

#define LIBRARY_FUNCTION(name) constexpr const char* name = "cuttle_gpu_" #name
LIBRARY_FUNCTION(active_mask);
LIBRARY_FUNCTION(warp_sync);
LIBRARY_FUNCTION(shuffle);
LIBRARY_FUNCTION(vote);
LIBRARY_FUNCTION(match_any);
LIBRARY_FUNCTION(match_all);
LIBRARY_FUNCTION(reduce);
LIBRARY_FUNCTION(spin);
LIBRARY_FUNCTION(trap);
LIBRARY_FUNCTION(vprintf);
LIBRARY_FUNCTION(malloc);
LIBRARY_FUNCTION(free);
LIBRARY_FUNCTION(assertfail);
LIBRARY_FUNCTION(device_call);
LIBRARY_FUNCTION(nanosleep);
LIBRARY_FUNCTION(clock);
LIBRARY_FUNCTION(globaltimer);
LIBRARY_FUNCTION(atomic_add_ftz_f32);
LIBRARY_FUNCTION(atomic_extreme_16);
LIBRARY_FUNCTION(mbarrier);
LIBRARY_FUNCTION(bulk_copy);
LIBRARY_FUNCTION(bulk_reduce);
LIBRARY_FUNCTION(bulk_multicast);
LIBRARY_FUNCTION(tensor_copy);
LIBRARY_FUNCTION(tensor_multicast);
LIBRARY_FUNCTION(tensor_replace);
#undef LIBRARY_FUNCTION

/// round.fadd.rz.f32 -> cuttle_round_fadd_rz_f32, texture.sample -> cuttle_texture_sample.
llvm::Value* of_that_name(GpuCall& site) {
    std::string symbol = "cuttle_" + cuttle_name(site.call).str();
    std::replace(symbol.begin(), symbol.end(), '.', '_');
    return library_call(site, symbol.c_str());
}

/// A word of ptx::gpu::ClusterLaunch, which such a kernel takes in front of what services want.
llvm::Value* cluster_launch(GpuCall& site) {
    llvm::IRBuilder<>& ir = site.ir;
    llvm::Function& kernel = site.kernel();
    llvm::Value* block = kernel.getArg(static_cast<unsigned>(kernel.arg_size()) - 3);
    llvm::LoadInst* load = ir.CreateLoad(ir.getInt32Ty(), ir.CreateInBoundsGEP(ir.getInt8Ty(), block, site.operand(0)));
    load->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(ir.getContext(), {}));
    return load;
}

/// The same in all lanes, as the caller knows.
llvm::Value* uniform(GpuCall& site) {
    return site.ir.CreateIntrinsic(llvm::Intrinsic::amdgcn_readfirstlane, {site.ir.getInt32Ty()}, {site.operand(0)});
}

llvm::Value* dynamic_bytes(GpuCall& site) { return hidden_argument(site, 120, site.ir.getInt32Ty()); }

constexpr GpuLowering table[] = {
    {llvm::StringLiteral("sreg.tid.x"), intrinsic<llvm::Intrinsic::amdgcn_workitem_id_x>},
    {llvm::StringLiteral("sreg.tid.y"), intrinsic<llvm::Intrinsic::amdgcn_workitem_id_y>},
    {llvm::StringLiteral("sreg.tid.z"), intrinsic<llvm::Intrinsic::amdgcn_workitem_id_z>},
    {llvm::StringLiteral("sreg.ctaid.x"), intrinsic<llvm::Intrinsic::amdgcn_workgroup_id_x>},
    {llvm::StringLiteral("sreg.ctaid.y"), intrinsic<llvm::Intrinsic::amdgcn_workgroup_id_y>},
    {llvm::StringLiteral("sreg.ctaid.z"), intrinsic<llvm::Intrinsic::amdgcn_workgroup_id_z>},
    {llvm::StringLiteral("sreg.ntid.x"), block_size<0>},
    {llvm::StringLiteral("sreg.ntid.y"), block_size<1>},
    {llvm::StringLiteral("sreg.ntid.z"), block_size<2>},
    {llvm::StringLiteral("sreg.nctaid.x"), grid_size<0>},
    {llvm::StringLiteral("sreg.nctaid.y"), grid_size<1>},
    {llvm::StringLiteral("sreg.nctaid.z"), grid_size<2>},
    {llvm::StringLiteral("sreg.laneid"), lane_number},
    {llvm::StringLiteral("sreg.clock"), counter<clock, 0>},
    {llvm::StringLiteral("sreg.clock_hi"), counter<clock, 32>},
    {llvm::StringLiteral("sreg.clock64"), counter<clock, 0>},
    {llvm::StringLiteral("sreg.globaltimer"), counter<globaltimer, 0>},
    {llvm::StringLiteral("sreg.globaltimer_lo"), counter<globaltimer, 0>},
    {llvm::StringLiteral("sreg.globaltimer_hi"), counter<globaltimer, 32>},
    {llvm::StringLiteral("sreg.dynamic_smem_size"), dynamic_bytes},
    {llvm::StringLiteral("active.mask"), library<active_mask>},
    {llvm::StringLiteral("warp.sync"), library<warp_sync>},
    {llvm::StringLiteral("shuffle"), library<shuffle>},
    {llvm::StringLiteral("vote"), library<vote>},
    {llvm::StringLiteral("match.any"), library<match_any>},
    {llvm::StringLiteral("match.all"), library<match_all>},
    {llvm::StringLiteral("reduce"), library<reduce>},
    {llvm::StringLiteral("spin"), service<spin>},
    {llvm::StringLiteral("trap"), service<trap>},
    {llvm::StringLiteral("vprintf"), service<vprintf>},
    {llvm::StringLiteral("malloc"), service<malloc>},
    {llvm::StringLiteral("free"), service<free>},
    {llvm::StringLiteral("assertfail"), service<assertfail>},
    {llvm::StringLiteral("device.call"), service<device_call>},
    {llvm::StringLiteral("sreg.envreg1"), workspace<32>},
    {llvm::StringLiteral("sreg.envreg2"), workspace<0>},
    {llvm::StringLiteral("nanosleep"), library<nanosleep>},
    {llvm::StringLiteral("atomic.add.ftz.f32"), library<atomic_add_ftz_f32>},
    {llvm::StringLiteral("atomic.extreme.16"), library<atomic_extreme_16>},
    {llvm::StringLiteral("round."), of_that_name},
    {llvm::StringLiteral("texture."), of_that_name},
    {llvm::StringLiteral("surface."), of_that_name},
    {llvm::StringLiteral("mma."), lower_amdgpu_matrix},
    {llvm::StringLiteral("mbarrier"), library<mbarrier>},
    {llvm::StringLiteral("bulk.copy"), library<bulk_copy>},
    {llvm::StringLiteral("bulk.reduce"), library<bulk_reduce>},
    {llvm::StringLiteral("bulk.multicast"), library<bulk_multicast>},
    {llvm::StringLiteral("tensor.copy"), service<tensor_copy>},
    {llvm::StringLiteral("tensor.multicast"), service<tensor_multicast>},
    {llvm::StringLiteral("tensor.replace"), service<tensor_replace>},
    {llvm::StringLiteral("launch.cluster"), cluster_launch},
    {llvm::StringLiteral("group.uniform"), uniform},
    {llvm::StringLiteral("barrier.sync"), barrier},
    {llvm::StringLiteral("barrier.reduce"), lower_barrier_vote},
    {llvm::StringLiteral("kernel.parameters"), kernel_parameters},
    {llvm::StringLiteral("global.address"), global_address},
    {llvm::StringLiteral("shared.dynamic"), dynamic_start},
    {llvm::StringLiteral("cvta.shared"), cast<Space::shared, Space::generic>},
    {llvm::StringLiteral("cvta.to.shared"), cast<Space::generic, Space::shared>},
    {llvm::StringLiteral("cvta.local"), cast<Space::local, Space::generic>},
    {llvm::StringLiteral("cvta.to.local"), cast<Space::generic, Space::local>},
    {llvm::StringLiteral("isspacep.shared"), is_in<llvm::Intrinsic::amdgcn_is_shared>},
    {llvm::StringLiteral("isspacep.shared.cluster"), is_in<llvm::Intrinsic::amdgcn_is_shared>},
    {llvm::StringLiteral("isspacep.local"), is_in<llvm::Intrinsic::amdgcn_is_private>},
    {llvm::StringLiteral("isspacep.global"), is_global},
};

} // namespace

void lower_amdgpu_calls(llvm::Function& function) { lower_gpu_calls(function, table, "amdgcn"); }

} // namespace ptx::code
