#include "llvm_to_code/gpu_calls.h"

#include "llvm_to_code/amdgpu_barriers.h"
#include "llvm_to_code/call_values.h"
#include "llvm_to_code/machine.h"
#include "llvm_to_code/neutral.h"
#include "ptx/launch_mark.h"

#include <llvm/IR/Function.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Module.h>

namespace ptx::code {
namespace {

llvm::Value* threads_before(GpuCall& site, llvm::StringRef x, llvm::StringRef y, llvm::StringRef z) {
    llvm::IRBuilder<>& ir = site.ir;
    llvm::Value* row =
        ir.CreateAdd(ir.CreateMul(site.special_register(z), site.special_register("ntid.y")), site.special_register(y));
    return ir.CreateAdd(ir.CreateMul(row, site.special_register("ntid.x")), site.special_register(x));
}

/// PTX ISA 10.3: warps take threads in the order of their numbers.
llvm::Value* warp_number(GpuCall& site) {
    return site.ir.CreateLShr(threads_before(site, "tid.x", "tid.y", "tid.z"), 5);
}

llvm::Value* warp_count(GpuCall& site) {
    llvm::Value* threads = site.special_register("ntid.x");
    for (const char* name : {"ntid.y", "ntid.z"}) threads = site.ir.CreateMul(threads, site.special_register(name));
    return site.ir.CreateLShr(site.ir.CreateAdd(threads, site.ir.getInt32(31)), 5);
}

llvm::Value* mask_equal(GpuCall& site) {
    return site.ir.CreateShl(site.ir.getInt32(1), site.special_register("laneid"));
}
llvm::Value* mask_less(GpuCall& site) { return site.ir.CreateSub(mask_equal(site), site.ir.getInt32(1)); }
llvm::Value* mask_less_equal(GpuCall& site) { return site.ir.CreateOr(mask_less(site), mask_equal(site)); }
llvm::Value* mask_greater_equal(GpuCall& site) { return site.ir.CreateNot(mask_less(site)); }
llvm::Value* mask_greater(GpuCall& site) { return site.ir.CreateNot(mask_less_equal(site)); }

template <unsigned value> llvm::Value* constant(GpuCall& site) { return site.ir.getInt32(value); }

/// Without clusters each CTA is one. With them, the targets' registers are those of the work group (gpu_clusters.h).
template <const char* const& name> llvm::Value* same_as(GpuCall& site) { return site.special_register(name); }
constexpr const char* tid_x = "tid.x";
constexpr const char *ctaid_x = "ctaid.x", *ctaid_y = "ctaid.y", *ctaid_z = "ctaid.z";
constexpr const char *nctaid_x = "nctaid.x", *nctaid_y = "nctaid.y", *nctaid_z = "nctaid.z";

/// A CTA's shared memory begins at 0: no cluster has more than one.
llvm::Value* no_window(GpuCall& site) { return site.ir.getInt32(0); }

/// Flushed or not as the target's mode says.
llvm::Value* atomic_add(GpuCall& site) {
    llvm::Value* pointer = site.ir.CreateIntToPtr(site.operand(0), site.ir.getPtrTy(0));
    return site.ir.CreateAtomicRMW(llvm::AtomicRMWInst::FAdd, pointer, site.operand(1), llvm::Align(4),
                                   llvm::AtomicOrdering::AcquireRelease,
                                   site.call.getContext().getOrInsertSyncScopeID("device"));
}

constexpr GpuLowering derived[] = {
    {llvm::StringLiteral("sreg.warpid"), warp_number},
    {llvm::StringLiteral("sreg.nwarpid"), warp_count},
    {llvm::StringLiteral("sreg.lanemask_eq"), mask_equal},
    {llvm::StringLiteral("sreg.lanemask_lt"), mask_less},
    {llvm::StringLiteral("sreg.lanemask_le"), mask_less_equal},
    {llvm::StringLiteral("sreg.lanemask_ge"), mask_greater_equal},
    {llvm::StringLiteral("sreg.lanemask_gt"), mask_greater},
    {llvm::StringLiteral("sreg.tid.w"), constant<0>},
    {llvm::StringLiteral("sreg.ntid.w"), constant<0>},
    {llvm::StringLiteral("sreg.ctaid.w"), constant<0>},
    {llvm::StringLiteral("sreg.nctaid.w"), constant<0>},
    {llvm::StringLiteral("sreg.clusterid.x"), same_as<ctaid_x>},
    {llvm::StringLiteral("sreg.clusterid.y"), same_as<ctaid_y>},
    {llvm::StringLiteral("sreg.clusterid.z"), same_as<ctaid_z>},
    {llvm::StringLiteral("sreg.nclusterid.x"), same_as<nctaid_x>},
    {llvm::StringLiteral("sreg.nclusterid.y"), same_as<nctaid_y>},
    {llvm::StringLiteral("sreg.nclusterid.z"), same_as<nctaid_z>},
    {llvm::StringLiteral("sreg.cluster_ctaid.x"), constant<0>},
    {llvm::StringLiteral("sreg.cluster_ctaid.y"), constant<0>},
    {llvm::StringLiteral("sreg.cluster_ctaid.z"), constant<0>},
    {llvm::StringLiteral("sreg.cluster_nctaid.x"), constant<1>},
    {llvm::StringLiteral("sreg.cluster_nctaid.y"), constant<1>},
    {llvm::StringLiteral("sreg.cluster_nctaid.z"), constant<1>},
    {llvm::StringLiteral("sreg.cluster_ctarank"), constant<0>},
    {llvm::StringLiteral("sreg.cluster_nctarank"), constant<1>},
    {llvm::StringLiteral("sreg.is_explicit_cluster"), constant<0>},
    {llvm::StringLiteral("group.tid.x"), same_as<tid_x>},
    {llvm::StringLiteral("group.ctaid.x"), same_as<ctaid_x>},
    {llvm::StringLiteral("group.ctaid.y"), same_as<ctaid_y>},
    {llvm::StringLiteral("group.ctaid.z"), same_as<ctaid_z>},
    {llvm::StringLiteral("group.nctaid.x"), same_as<nctaid_x>},
    {llvm::StringLiteral("group.nctaid.y"), same_as<nctaid_y>},
    {llvm::StringLiteral("group.nctaid.z"), same_as<nctaid_z>},
    {llvm::StringLiteral("shared.window"), no_window},
    {llvm::StringLiteral("atomic.add.ftz.f32"), atomic_add},
};

const GpuLowering* find_lowering(llvm::ArrayRef<GpuLowering> table, llvm::StringRef name) {
    for (const GpuLowering& row : table)
        if (row.name == name || (row.name.ends_with(".") && name.starts_with(row.name))) return &row;
    for (const GpuLowering& row : derived)
        if (row.name == name) return &row;
    return nullptr;
}

} // namespace

llvm::Function& GpuCall::kernel() {
    llvm::Function& function = *call.getFunction();
    if (!is_kernel(function))
        fail("cuttle." + cuttle_name(call).str() + " in function '" + function.getName().str() +
             "', outside of a kernel");
    return function;
}

llvm::Value* GpuCall::operand(unsigned i) { return call.getArgOperand(i); }

llvm::Value* GpuCall::special_register(llvm::StringRef name) {
    const GpuLowering* row = find_lowering(table, ("sreg." + name).str());
    if (!row) fail("no special register " + name.str());
    return row->lower(*this);
}

void GpuCall::demand(unsigned i, uint64_t value, const char* what) {
    auto* constant = llvm::dyn_cast<llvm::ConstantInt>(operand(i));
    if (constant && constant->getZExtValue() == value) return;
    fail("cuttle." + cuttle_name(call).str() + ": " + what + " must be " + std::to_string(value) + " on this target");
}

void lower_gpu_calls(llvm::Function& function, llvm::ArrayRef<GpuLowering> table, const char* target) {
    for (llvm::CallInst* call : cuttle_calls(function)) {
        const llvm::StringRef name = cuttle_name(*call);
        const GpuLowering* row = find_lowering(table, name);
        if (!row) fail(std::string("the ") + target + " target has no lowering of cuttle." + name.str());
        llvm::IRBuilder<> ir(call);
        GpuCall site{*call, ir, table};
        llvm::Value* value = row->lower(site);
        if (!call->getType()->isVoidTy()) call->replaceAllUsesWith(as_result(ir, value, call->getType()));
        call->eraseFromParent();
    }
}

llvm::Value* lower_barrier_vote(GpuCall& site) {
    llvm::IRBuilder<>& ir = site.ir;
    unsigned area = 0;
    site.kernel().getFnAttribute(barrier_area_attribute).getValueAsString().getAsInteger(10, area);
    llvm::Type* word = ir.getInt32Ty();
    llvm::FunctionCallee callee =
        site.call.getModule()->getOrInsertFunction("cuttle_gpu_barrier_vote", word, word, word, word);
    llvm::CallInst* call =
        ir.CreateCall(callee, {ir.getInt32(area), site.operand(0), ir.CreateZExt(site.operand(3), word)});
    call->setConvergent();
    return call;
}

void check_atomics(llvm::Function& function) {
    const llvm::DataLayout& layout = function.getDataLayout();
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
        if (!instruction.isAtomic() || llvm::isa<llvm::FenceInst>(instruction)) continue;
        const llvm::Value* value = &instruction;
        if (auto* store = llvm::dyn_cast<llvm::StoreInst>(&instruction)) value = store->getValueOperand();
        if (auto* exchange = llvm::dyn_cast<llvm::AtomicCmpXchgInst>(&instruction))
            value = exchange->getNewValOperand();
        if (layout.getTypeSizeInBits(value->getType()) > 64) fail("no atomic operations on 128 bits on this target");
    }
}

bool launches_kernels(const llvm::Module& module) {
    const llvm::Function* call = module.getFunction("cuttle.device.call");
    return call && !call->use_empty();
}

llvm::GlobalVariable& add_launch_mark(llvm::Module& module) {
    auto* byte = llvm::Type::getInt8Ty(module.getContext());
    return *new llvm::GlobalVariable(module, byte, true, llvm::GlobalValue::ExternalLinkage,
                                     llvm::ConstantInt::get(byte, 1), launch_mark, nullptr,
                                     llvm::GlobalValue::NotThreadLocal, Space::global);
}

} // namespace ptx::code
