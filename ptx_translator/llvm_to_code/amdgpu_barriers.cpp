#include "llvm_to_code/amdgpu_barriers.h"

#include "llvm_to_code/machine.h"
#include "llvm_to_code/neutral.h"
#include "ptx/amdgpu_barriers.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>

#include <algorithm>
#include <cstddef>
#include <string>

namespace ptx::code {
namespace {

bool is_zero(const llvm::Value* value) {
    const auto* constant = llvm::dyn_cast<llvm::ConstantInt>(value);
    return constant && constant->isZero();
}

bool is_barrier(const llvm::Instruction& instruction) { return cuttle_name(instruction).starts_with("barrier."); }

/// All threads at barrier 0.
bool is_whole(const llvm::CallInst& call) {
    const unsigned first = cuttle_name(call) == "barrier.reduce" ? 1 : 0;
    return cuttle_name(call) != "barrier.arrive" && is_zero(call.getArgOperand(first)) &&
           is_zero(call.getArgOperand(first + 1));
}

bool is_emulated(const llvm::Instruction& instruction) {
    return is_barrier(instruction) &&
           !(cuttle_name(instruction) == "barrier.sync" && is_whole(llvm::cast<llvm::CallInst>(instruction)));
}

bool has_emulated(llvm::Function& function) {
    return llvm::any_of(llvm::instructions(function), [](const llvm::Instruction& each) { return is_emulated(each); });
}

class Barriers {
  public:
    Barriers(llvm::Function& kernel, uint32_t area) : kernel_(kernel), module_(*kernel.getParent()), area_(area) {}
    Barriers(llvm::Function& kernel, const PartOfGroup& block)
        : kernel_(kernel), module_(*kernel.getParent()), block_(&block) {}

    void begin() {
        llvm::BasicBlock& entry = kernel_.getEntryBlock();
        llvm::IRBuilder<> ir(&*entry.getFirstNonPHIOrDbgOrAlloca());
        llvm::Value* threads = block_threads(ir);
        llvm::Value* row = ir.CreateAdd(ir.CreateMul(sreg(ir, "tid.z"), sreg(ir, "ntid.y")), sreg(ir, "tid.y"));
        llvm::Value* thread = ir.CreateAdd(ir.CreateMul(row, sreg(ir, "ntid.x")), sreg(ir, "tid.x"));
        library(ir, "cuttle_gpu_barriers_init", ir.getVoidTy(), {area(ir), thread, threads});
    }

    void lower(llvm::CallInst& call) {
        llvm::IRBuilder<> ir(&call);
        const llvm::StringRef name = cuttle_name(call);
        const bool reduces = name == "barrier.reduce";
        llvm::Value* yes = reduces ? ir.CreateZExt(call.getArgOperand(3), ir.getInt32Ty()) : ir.getInt32(0);
        llvm::Value* number = call.getArgOperand(reduces ? 1 : 0);
        llvm::Value* count = call.getArgOperand(reduces ? 2 : 1);
        llvm::Value* aligned = ir.getInt32(call.hasMetadata("cuttle.aligned"));
        llvm::Value* phase = is_whole(call) ? library(ir, "cuttle_gpu_block_arrive", ir.getInt32Ty(),
                                                      {area(ir), block_threads(ir), yes})
                                            : library(ir, "cuttle_gpu_barrier_arrive", ir.getInt32Ty(),
                                                      {area(ir), number, count, block_threads(ir), aligned, yes});
        if (name != "barrier.arrive") wait_for_phase(call, phase_of(ir, number), phase);
        if (reduces) {
            ir.SetInsertPoint(&call);
            call.replaceAllUsesWith(library(ir, "cuttle_gpu_barrier_result", ir.getInt32Ty(),
                                            {area(ir), number, call.getArgOperand(0)}));
        }
        call.eraseFromParent();
    }

  private:
    llvm::Value* area(llvm::IRBuilder<>& ir) const { return block_ ? block_->area : ir.getInt32(area_); }

    llvm::Value* sreg(llvm::IRBuilder<>& ir, const char* name) {
        return ir.CreateCall(module_.getOrInsertFunction(("cuttle.sreg." + llvm::Twine(name)).str(), ir.getInt32Ty()));
    }
    llvm::Value* block_threads(llvm::IRBuilder<>& ir) {
        if (block_) return block_->threads;
        return ir.CreateMul(ir.CreateMul(sreg(ir, "ntid.x"), sreg(ir, "ntid.y")), sreg(ir, "ntid.z"));
    }

    llvm::CallInst* library(llvm::IRBuilder<>& ir, const char* name, llvm::Type* result,
                            llvm::ArrayRef<llvm::Value*> arguments) {
        const llvm::SmallVector<llvm::Type*, 6> types(arguments.size(), ir.getInt32Ty());
        llvm::CallInst* call =
            ir.CreateCall(module_.getOrInsertFunction(name, llvm::FunctionType::get(result, types, false)), arguments);
        call->setConvergent();
        return call;
    }

    llvm::Value* phase_of(llvm::IRBuilder<>& ir, llvm::Value* number) {
        constexpr auto first =
            static_cast<uint32_t>(offsetof(amdgpu::BarrierArea, barriers) + offsetof(amdgpu::Barrier, phase));
        llvm::Value* distance =
            ir.CreateMul(ir.CreateAnd(number, 15), ir.getInt32(static_cast<uint32_t>(sizeof(amdgpu::Barrier))));
        return ir.CreateAdd(ir.CreateAdd(area(ir), ir.getInt32(first)), distance);
    }

    llvm::Function& kernel_;
    llvm::Module& module_;
    const uint32_t area_ = 0;
    const PartOfGroup* const block_ = nullptr; ///< null: the block is the work group, its area lies at `area_`
};

} // namespace

uint32_t shared_bytes_with(uint32_t own, uint32_t bytes) {
    // Tiles of tensors want 128, and nothing that is declared more than 1024.
    const uint32_t lowest = own & (0u - own);
    const uint32_t alignment = own == 0 ? 128 : std::clamp(lowest, 16u, 1024u);
    return (((own + 15) & ~15u) + bytes + alignment - 1) & (0u - alignment);
}

void inline_emulated_barriers(llvm::Module& module) {
    for (bool changed = true; changed;) {
        changed = false;
        for (llvm::Function& function : module)
            if (!function.isDeclaration() && !is_kernel(function) && has_emulated(function))
                changed |= inline_into_callers(function);
    }
}

void lower_emulated_barriers(llvm::Function& kernel, KernelInfo& info) {
    if (!has_emulated(kernel)) return;
    const uint32_t area = (info.static_shared_bytes + 15) & ~15u;
    Barriers barriers(kernel, area);
    for (llvm::CallInst* call : cuttle_calls(kernel))
        if (is_emulated(*call) && !is_whole(*call)) barriers.lower(*call);
    barriers.begin();
    kernel.addFnAttr(barrier_area_attribute, std::to_string(area));
    info.static_shared_bytes =
        shared_bytes_with(info.static_shared_bytes, static_cast<uint32_t>(sizeof(amdgpu::BarrierArea)));
    info.uses_services = true; // it waits
}

void lower_barriers_of_part(llvm::Function& kernel, const PartOfGroup& block) {
    Barriers barriers(kernel, block);
    for (llvm::CallInst* call : cuttle_calls(kernel))
        if (is_barrier(*call)) barriers.lower(*call);
}

void wait_for_phase(llvm::Instruction& place, llvm::Value* address, llvm::Value* phase) {
    llvm::BasicBlock* before = place.getParent();
    llvm::Module& module = *before->getModule();
    llvm::BasicBlock* after = llvm::SplitBlock(before, &place);
    auto* loop = llvm::BasicBlock::Create(module.getContext(), "barrier", before->getParent(), after);
    auto* again = llvm::BasicBlock::Create(module.getContext(), "barrier.again", before->getParent(), after);
    before->getTerminator()->setSuccessor(0, loop);
    llvm::IRBuilder<> ir(loop);
    const auto block = module.getContext().getOrInsertSyncScopeID("workgroup");
    llvm::LoadInst* now =
        ir.CreateAlignedLoad(ir.getInt32Ty(), ir.CreateIntToPtr(address, ir.getPtrTy(Space::shared)), llvm::Align(4));
    now->setAtomic(llvm::AtomicOrdering::Acquire, block);
    ir.CreateCondBr(ir.CreateICmpEQ(now, phase), again, after);
    ir.SetInsertPoint(again);
    llvm::CallInst* rest = ir.CreateCall(module.getOrInsertFunction("cuttle.spin", ir.getVoidTy()));
    rest->setConvergent();
    ir.CreateBr(loop);
}

} // namespace ptx::code
