#include "llvm_to_code/amdgpu_clusters.h"

#include "llvm_to_code/amdgpu_barriers.h"
#include "llvm_to_code/call_values.h"
#include "llvm_to_code/machine.h"
#include "llvm_to_code/neutral.h"
#include "ptx/amdgpu_barriers.h"
#include "ptx/gpu_services.h"

#include <llvm/ADT/StringMap.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicsAMDGPU.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>

#include <array>
#include <cstddef>

namespace ptx::code {
namespace {

bool is_zero(const llvm::Value* value) {
    const auto* constant = llvm::dyn_cast<llvm::ConstantInt>(value);
    return constant && constant->isZero();
}

/// A copy into several blocks' shared memory.
bool is_multicast(const llvm::CallInst& call) {
    const llvm::StringRef name = cuttle_name(call);
    return (name == "bulk.copy" && !is_zero(call.getArgOperand(4))) ||
           (name == "tensor.copy" && !is_zero(call.getArgOperand(6)));
}

bool starts_with_any(llvm::StringRef name, llvm::ArrayRef<llvm::StringLiteral> prefixes) {
    return llvm::any_of(prefixes, [&](llvm::StringRef prefix) { return name.starts_with(prefix); });
}

bool is_of_clusters(const llvm::CallInst& call) {
    constexpr llvm::StringLiteral names[] = {
        llvm::StringLiteral("cluster."),
        llvm::StringLiteral("sreg.cluster"),
        llvm::StringLiteral("sreg.nclusterid"),
        llvm::StringLiteral("sreg.is_explicit_cluster"),
    };
    return starts_with_any(cuttle_name(call), names) || is_multicast(call);
}

/// What differs where a block is not the whole work group.
bool depends_on_place(const llvm::CallInst& call) {
    constexpr llvm::StringLiteral names[] = {
        llvm::StringLiteral("sreg.tid."),       llvm::StringLiteral("sreg.ntid."),  llvm::StringLiteral("sreg.ctaid."),
        llvm::StringLiteral("sreg.nctaid."),    llvm::StringLiteral("sreg.warpid"), llvm::StringLiteral("sreg.nwarpid"),
        llvm::StringLiteral("sreg.dynamic"),    llvm::StringLiteral("shared."),     llvm::StringLiteral("barrier."),
        llvm::StringLiteral("isspacep.shared"),
    };
    return is_of_clusters(call) || starts_with_any(cuttle_name(call), names);
}

bool any_call(llvm::Function& function, bool (*holds)(const llvm::CallInst&)) {
    return llvm::any_of(cuttle_calls(function), [&](const llvm::CallInst* call) { return holds(*call); });
}

using Three = std::array<llvm::Value*, 3>;

class Cluster {
  public:
    Cluster(llvm::Function& kernel, KernelInfo& info, unsigned lanes)
        : kernel_(kernel), module_(*kernel.getParent()), ir_(kernel.getContext()), word_(ir_.getInt32Ty()),
          area_offset_((info.static_shared_bytes + 15) & ~15u), lanes_(lanes) {
        info.static_shared_bytes =
            shared_bytes_with(info.static_shared_bytes, static_cast<uint32_t>(sizeof(amdgpu::ClusterArea)));
        info.uses_services = true; // it waits
        shared_bytes_ = info.static_shared_bytes;
    }

    void run() {
        const auto calls = cuttle_calls(kernel_);
        llvm::SmallVector<llvm::ReturnInst*, 8> returns;
        for (llvm::Instruction& instruction : llvm::instructions(kernel_))
            if (auto* end = llvm::dyn_cast<llvm::ReturnInst>(&instruction)) returns.push_back(end);
        begin();
        for (llvm::CallInst* call : calls) lower(*call);
        for (llvm::ReturnInst* end : returns) leave(*end);
        lower_barriers_of_part(kernel_, {area_, threads_});
    }

  private:
    llvm::Value* call(const llvm::Twine& name, llvm::ArrayRef<llvm::Value*> arguments = {}) {
        const llvm::SmallVector<llvm::Type*, 2> types(arguments.size(), word_);
        return ir_.CreateCall(module_.getOrInsertFunction(name.str(), llvm::FunctionType::get(word_, types, false)),
                              arguments);
    }
    llvm::CallInst* library(const char* name, llvm::ArrayRef<llvm::Value*> arguments) {
        auto* made = llvm::cast<llvm::CallInst>(call(name, arguments));
        made->setConvergent();
        return made;
    }
    llvm::Value* launch(size_t offset) {
        return call("cuttle.launch.cluster", {ir_.getInt32(static_cast<uint32_t>(offset))});
    }
    Three launch_three(size_t offset) { return {launch(offset), launch(offset + 4), launch(offset + 8)}; }
    Three registers(const llvm::Twine& name) {
        return {call("cuttle.sreg." + name + ".x"), call("cuttle.sreg." + name + ".y"),
                call("cuttle.sreg." + name + ".z")};
    }
    llvm::Value* product(const Three& three) { return ir_.CreateMul(ir_.CreateMul(three[0], three[1]), three[2]); }
    /// `number` counts x first.
    Three place_of(llvm::Value* number, const Three& size) {
        llvm::Value* row = ir_.CreateUDiv(number, size[0]);
        llvm::Value* slice = ir_.CreateUDiv(row, size[1]);
        return {ir_.CreateURem(number, size[0]), ir_.CreateURem(row, size[1]), slice};
    }
    void note(const char* name, const Three& three) {
        for (size_t axis = 0; axis < 3; ++axis) values_[std::string(name) + "." + "xyz"[axis]] = three[axis];
    }

    /// What is known from the start, and the end of lanes that only fill a block's last wave.
    void begin() {
        llvm::BasicBlock& entry = kernel_.getEntryBlock();
        llvm::BasicBlock* rest = llvm::SplitBlock(&entry, &*entry.getFirstNonPHIOrDbgOrAlloca());
        auto* absent = llvm::BasicBlock::Create(kernel_.getContext(), "absent", &kernel_, rest);
        llvm::ReturnInst::Create(kernel_.getContext(), absent);
        ir_.SetInsertPoint(entry.getTerminator());
        phase_ = ir_.CreateAlloca(word_, module_.getDataLayout().getAllocaAddrSpace(), nullptr, "cluster.phase");
        ir_.CreateStore(ir_.getInt32(~0u), phase_); // of no phase: nothing to wait for

        const Three block = launch_three(offsetof(gpu::ClusterLaunch, block));
        const Three cluster = launch_three(offsetof(gpu::ClusterLaunch, cluster));
        const Three group = registers("ctaid");
        threads_ = product(block);
        llvm::Value* blocks = product(cluster);
        llvm::Value* filled =
            ir_.CreateAnd(ir_.CreateAdd(threads_, ir_.getInt32(lanes_ - 1)), ir_.getInt32(0u - lanes_));
        llvm::Value* number = call("cuttle.sreg.tid.x");
        // Waves belong to one block.
        rank_ = ir_.CreateIntrinsic(llvm::Intrinsic::amdgcn_readfirstlane, {word_}, {ir_.CreateUDiv(number, filled)});
        llvm::Value* thread = ir_.CreateSub(number, ir_.CreateMul(rank_, filled));
        const Three inside = place_of(rank_, cluster);
        Three id;
        for (size_t axis = 0; axis < 3; ++axis)
            id[axis] = ir_.CreateAdd(ir_.CreateMul(group[axis], cluster[axis]), inside[axis]);
        window_bytes_ = launch(offsetof(gpu::ClusterLaunch, window_bytes));
        window_ = ir_.CreateMul(rank_, window_bytes_);
        area_ = ir_.CreateAdd(window_, ir_.getInt32(area_offset_));
        all_threads_ = ir_.CreateMul(threads_, blocks);

        note("sreg.tid", place_of(thread, block));
        note("sreg.ntid", block);
        note("sreg.ctaid", id);
        note("sreg.nctaid", launch_three(offsetof(gpu::ClusterLaunch, grid)));
        note("sreg.clusterid", group);
        note("sreg.nclusterid", registers("nctaid"));
        note("sreg.cluster_ctaid", inside);
        note("sreg.cluster_nctaid", cluster);
        values_["sreg.cluster_ctarank"] = rank_;
        values_["sreg.cluster_nctarank"] = blocks;
        values_["sreg.is_explicit_cluster"] = launch(offsetof(gpu::ClusterLaunch, is_explicit));
        values_["sreg.dynamic_smem_size"] = launch(offsetof(gpu::ClusterLaunch, dynamic_bytes));
        values_["sreg.warpid"] = ir_.CreateLShr(thread, 5);
        values_["sreg.nwarpid"] = ir_.CreateLShr(ir_.CreateAdd(threads_, ir_.getInt32(31)), 5);
        values_["shared.window"] = window_;
        values_["shared.dynamic"] = ir_.getInt32((shared_bytes_ + 15) & ~15u);

        llvm::Instruction* end = entry.getTerminator();
        ir_.CreateCondBr(ir_.CreateICmpULT(thread, threads_), rest, absent);
        end->eraseFromParent();
        ir_.SetInsertPoint(&*rest->getFirstInsertionPt());
        library("cuttle_gpu_cluster_init", {area_, thread, threads_});
    }

    llvm::Value* cluster_barrier() {
        return ir_.getInt32(area_offset_ + static_cast<uint32_t>(offsetof(amdgpu::ClusterArea, cluster)));
    }
    llvm::Value* cluster_phase() {
        return ir_.CreateAdd(cluster_barrier(), ir_.getInt32(offsetof(amdgpu::CountingBarrier, phase)));
    }
    void wait_for_cluster(llvm::Instruction& place) {
        llvm::Value* phase = ir_.CreateLoad(word_, phase_);
        wait_for_phase(place, cluster_phase(), phase);
    }

    /// Of a call that stays, nothing is done.
    void lower(llvm::CallInst& site) {
        const llvm::StringRef name = cuttle_name(site);
        ir_.SetInsertPoint(&site);
        llvm::Value* value = values_.lookup(name);
        if (name == "cluster.arrive")
            ir_.CreateStore(library("cuttle_gpu_cluster_arrive", {cluster_barrier(), all_threads_}), phase_);
        else if (name == "cluster.wait")
            wait_for_cluster(site);
        else if (name == "cluster.map")
            value = ir_.CreateAdd(ir_.CreateURem(site.getArgOperand(0), window_bytes_),
                                  ir_.CreateMul(site.getArgOperand(1), window_bytes_));
        else if (name == "cluster.rank")
            value = ir_.CreateUDiv(site.getArgOperand(0), window_bytes_);
        else if (name == "isspacep.shared")
            value = is_in_window(site);
        else if (is_multicast(site))
            multicast(site);
        else if (!value)
            return;
        if (!site.getType()->isVoidTy()) site.replaceAllUsesWith(as_result(ir_, value, site.getType()));
        site.eraseFromParent();
    }

    llvm::Value* is_in_window(llvm::CallInst& site) {
        llvm::Type* wide = ir_.getInt64Ty();
        llvm::Value* generic = site.getArgOperand(0);
        llvm::Value* shared =
            ir_.CreateCall(module_.getOrInsertFunction("cuttle.cvta.to.shared", wide, wide), {generic});
        llvm::Value* inside = ir_.CreateICmpULT(ir_.CreateSub(ir_.CreateTrunc(shared, word_), window_), window_bytes_);
        llvm::Value* anywhere = ir_.CreateCall(
            module_.getOrInsertFunction("cuttle.isspacep.shared.cluster", ir_.getInt1Ty(), wide), {generic});
        return ir_.CreateAnd(anywhere, inside);
    }

    void multicast(llvm::CallInst& site) {
        llvm::SmallVector<llvm::Value*, 20> arguments(site.args());
        arguments.append({rank_, window_bytes_});
        llvm::SmallVector<llvm::Type*, 20> types;
        for (llvm::Value* argument : arguments) types.push_back(argument->getType());
        const char* name = cuttle_name(site) == "bulk.copy" ? "cuttle.bulk.multicast" : "cuttle.tensor.multicast";
        ir_.CreateCall(module_.getOrInsertFunction(name, llvm::FunctionType::get(ir_.getVoidTy(), types, false)),
                       arguments)
            ->setConvergent();
    }

    /// Threads that return are no longer waited for. One that has arrived at the cluster's barrier stays until that is
    /// complete, lest it be counted twice.
    void leave(llvm::ReturnInst& end) {
        ir_.SetInsertPoint(&end);
        library("cuttle_gpu_block_leave", {area_, threads_});
        wait_for_cluster(end);
        ir_.SetInsertPoint(&end);
        library("cuttle_gpu_cluster_leave", {cluster_barrier(), all_threads_});
    }

    llvm::Function& kernel_;
    llvm::Module& module_;
    llvm::IRBuilder<> ir_;
    llvm::Type* const word_;
    const uint32_t area_offset_, lanes_;
    uint32_t shared_bytes_ = 0;
    llvm::AllocaInst* phase_ = nullptr; ///< of the cluster's barrier, at which the thread has arrived last
    llvm::Value *rank_ = nullptr, *threads_ = nullptr, *all_threads_ = nullptr;
    llvm::Value *window_bytes_ = nullptr, *window_ = nullptr, *area_ = nullptr;
    llvm::StringMap<llvm::Value*> values_; ///< of neutral functions, the same all over the kernel
};

} // namespace

bool uses_clusters(llvm::Function& kernel) {
    return llvm::any_of(reachable_from(kernel), [](llvm::Function* each) { return any_call(*each, is_of_clusters); });
}

void inline_into_cluster_kernels(llvm::Module& module) {
    if (llvm::none_of(module, [](llvm::Function& each) { return is_kernel(each) && uses_clusters(each); })) return;
    for (bool changed = true; changed;) {
        changed = false;
        for (llvm::Function& function : module)
            if (!function.isDeclaration() && !is_kernel(function) && any_call(function, depends_on_place))
                changed |= inline_into_callers(function);
    }
}

void lower_clusters(llvm::Function& kernel, KernelInfo& info, unsigned lanes) {
    for (llvm::Function* function : reachable_from(kernel))
        if (function != &kernel && any_call(*function, depends_on_place))
            fail("clusters together with the function '" + function->getName().str() + "', which cannot be inlined");
    return_instead_of_exit(kernel);
    Cluster(kernel, info, lanes).run();
}

} // namespace ptx::code
