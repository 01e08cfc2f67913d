#include "llvm_to_code/gpu_clusters.h"

#include "llvm_to_code/amdgpu_barriers.h"
#include "llvm_to_code/call_values.h"
#include "llvm_to_code/machine.h"
#include "llvm_to_code/neutral.h"
#include "ptx/amdgpu_barriers.h"
#include "ptx/gpu_services.h"

#include <llvm/ADT/StringMap.h>
#include <llvm/IR/InstIterator.h>
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

/// Calls of neutral functions and of the device library, on words.
class Calls {
  public:
    explicit Calls(llvm::Function& kernel)
        : ir_(kernel.getContext()), module_(*kernel.getParent()), word_(ir_.getInt32Ty()) {}

  protected:
    llvm::CallInst* call(const llvm::Twine& name, llvm::ArrayRef<llvm::Value*> arguments = {}) {
        return call(word_, name, arguments);
    }
    llvm::CallInst* call(llvm::Type* result, const llvm::Twine& name, llvm::ArrayRef<llvm::Value*> arguments) {
        const llvm::SmallVector<llvm::Type*, 3> types(arguments.size(), word_);
        return ir_.CreateCall(module_.getOrInsertFunction(name.str(), llvm::FunctionType::get(result, types, false)),
                              arguments);
    }
    /// Of the device library.
    llvm::CallInst* library(llvm::Type* result, const char* name, llvm::ArrayRef<llvm::Value*> arguments) {
        llvm::CallInst* made = call(result, name, arguments);
        made->setConvergent();
        return made;
    }

    llvm::IRBuilder<> ir_;
    llvm::Module& module_;
    llvm::Type* const word_;
};

/// What a thread knows of itself and its block. `cuttle.group.*` are registers of the work group.
class Place : Calls {
  public:
    /// Found out at the kernel's beginning, before what else it does.
    Place(llvm::Function& kernel, unsigned lanes) : Calls(kernel), lanes_(lanes) {
        ir_.SetInsertPoint(&*kernel.getEntryBlock().getFirstNonPHIOrDbgOrAlloca());
        const Three block = launch_three(offsetof(gpu::ClusterLaunch, block));
        const Three cluster = launch_three(offsetof(gpu::ClusterLaunch, cluster));
        const Three group = registers("ctaid");
        threads = product(block);
        llvm::Value* blocks = product(cluster);
        all_threads = ir_.CreateMul(threads, blocks);
        llvm::Value* filled =
            ir_.CreateAnd(ir_.CreateAdd(threads, ir_.getInt32(lanes_ - 1)), ir_.getInt32(0u - lanes_));
        llvm::Value* number = call("cuttle.group.tid.x");
        // Waves belong to one block.
        rank = call("cuttle.group.uniform", {ir_.CreateUDiv(number, filled)});
        thread = ir_.CreateSub(number, ir_.CreateMul(rank, filled));
        const Three inside = place_of(rank, cluster);
        Three id;
        for (size_t axis = 0; axis < 3; ++axis)
            id[axis] = ir_.CreateAdd(ir_.CreateMul(group[axis], cluster[axis]), inside[axis]);
        window_bytes = launch(offsetof(gpu::ClusterLaunch, window_bytes));
        window = ir_.CreateMul(rank, window_bytes);

        note("sreg.tid", place_of(thread, block));
        note("sreg.ntid", block);
        note("sreg.ctaid", id);
        note("sreg.nctaid", launch_three(offsetof(gpu::ClusterLaunch, grid)));
        note("sreg.clusterid", group);
        note("sreg.nclusterid", registers("nctaid"));
        note("sreg.cluster_ctaid", inside);
        note("sreg.cluster_nctaid", cluster);
        values["sreg.cluster_ctarank"] = rank;
        values["sreg.cluster_nctarank"] = blocks;
        values["sreg.is_explicit_cluster"] = launch(offsetof(gpu::ClusterLaunch, is_explicit));
        values["sreg.dynamic_smem_size"] = launch(offsetof(gpu::ClusterLaunch, dynamic_bytes));
        values["sreg.warpid"] = ir_.CreateLShr(thread, 5);
        values["sreg.nwarpid"] = ir_.CreateLShr(ir_.CreateAdd(threads, ir_.getInt32(31)), 5);
        values["shared.window"] = window;
    }

    llvm::StringMap<llvm::Value*> values; ///< of neutral functions, the same all over the kernel
    llvm::Value *rank, *thread, *threads, *all_threads, *window_bytes, *window;

  private:
    llvm::Value* launch(size_t offset) {
        return call("cuttle.launch.cluster", {ir_.getInt32(static_cast<uint32_t>(offset))});
    }
    Three launch_three(size_t offset) { return {launch(offset), launch(offset + 4), launch(offset + 8)}; }
    Three registers(const llvm::Twine& name) {
        return {call("cuttle.group." + name + ".x"), call("cuttle.group." + name + ".y"),
                call("cuttle.group." + name + ".z")};
    }
    llvm::Value* product(const Three& three) { return ir_.CreateMul(ir_.CreateMul(three[0], three[1]), three[2]); }
    /// `number` counts x first.
    Three place_of(llvm::Value* number, const Three& size) {
        llvm::Value* row = ir_.CreateUDiv(number, size[0]);
        llvm::Value* slice = ir_.CreateUDiv(row, size[1]);
        return {ir_.CreateURem(number, size[0]), ir_.CreateURem(row, size[1]), slice};
    }
    void note(const char* name, const Three& three) {
        for (size_t axis = 0; axis < 3; ++axis) values[std::string(name) + "." + "xyz"[axis]] = three[axis];
    }

    const uint32_t lanes_;
};

class Cluster : Calls {
  public:
    /// Before anything else is put at the kernel's beginning.
    Cluster(llvm::Function& kernel, KernelInfo& info, unsigned lanes)
        : Calls(kernel), kernel_(kernel), first_(*kernel.getEntryBlock().getFirstNonPHIOrDbgOrAlloca()),
          calls_(cuttle_calls(kernel)), area_offset_((info.static_shared_bytes + 15) & ~15u),
          phase_(new llvm::AllocaInst(word_, module_.getDataLayout().getAllocaAddrSpace(), "cluster.phase",
                                      first_.getIterator())),
          place_(kernel, lanes) {
        info.static_shared_bytes =
            shared_bytes_with(info.static_shared_bytes, static_cast<uint32_t>(sizeof(amdgpu::ClusterArea)));
        info.uses_services = true; // it waits
        place_.values["shared.dynamic"] = ir_.getInt32((info.static_shared_bytes + 15) & ~15u);
    }

    void run() {
        llvm::SmallVector<llvm::ReturnInst*, 8> returns;
        for (llvm::Instruction& instruction : llvm::instructions(kernel_))
            if (auto* end = llvm::dyn_cast<llvm::ReturnInst>(&instruction)) returns.push_back(end);
        begin();
        for (llvm::CallInst* call : calls_) lower(*call);
        for (llvm::ReturnInst* end : returns) leave(*end);
        lower_barriers_of_part(kernel_, {area_, place_.threads});
    }

  private:
    /// What all lanes of the work group do; then those end that only fill a block's last wave.
    void begin() {
        ir_.SetInsertPoint(&first_);
        ir_.CreateStore(ir_.getInt32(~0u), phase_); // of no phase: nothing to wait for
        area_ = ir_.CreateAdd(place_.window, ir_.getInt32(area_offset_));
        library(ir_.getVoidTy(), "cuttle_gpu_cluster_init", {area_, place_.thread, place_.threads});
        llvm::Value* is_there = ir_.CreateICmpULT(place_.thread, place_.threads);
        llvm::BasicBlock* entry = first_.getParent();
        llvm::BasicBlock* rest = llvm::SplitBlock(entry, &first_);
        auto* absent = llvm::BasicBlock::Create(kernel_.getContext(), "absent", &kernel_, rest);
        llvm::ReturnInst::Create(kernel_.getContext(), absent);
        llvm::Instruction* end = entry->getTerminator();
        llvm::BranchInst::Create(rest, absent, is_there, end->getIterator());
        end->eraseFromParent();
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
        llvm::Value* value = place_.values.lookup(name);
        if (name == "cluster.arrive")
            ir_.CreateStore(library(word_, "cuttle_gpu_cluster_arrive", {cluster_barrier(), place_.all_threads}),
                            phase_);
        else if (name == "cluster.wait")
            wait_for_cluster(site);
        else if (name == "cluster.map")
            value = ir_.CreateAdd(ir_.CreateURem(site.getArgOperand(0), place_.window_bytes),
                                  ir_.CreateMul(site.getArgOperand(1), place_.window_bytes));
        else if (name == "cluster.rank")
            value = ir_.CreateUDiv(site.getArgOperand(0), place_.window_bytes);
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
        llvm::Value* inside =
            ir_.CreateICmpULT(ir_.CreateSub(ir_.CreateTrunc(shared, word_), place_.window), place_.window_bytes);
        llvm::Value* anywhere = ir_.CreateCall(
            module_.getOrInsertFunction("cuttle.isspacep.shared.cluster", ir_.getInt1Ty(), wide), {generic});
        return ir_.CreateAnd(anywhere, inside);
    }

    void multicast(llvm::CallInst& site) {
        llvm::SmallVector<llvm::Value*, 20> arguments(site.args());
        arguments.append({place_.rank, place_.window_bytes});
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
        library(ir_.getVoidTy(), "cuttle_gpu_block_leave", {area_, place_.threads});
        wait_for_cluster(end);
        ir_.SetInsertPoint(&end);
        library(ir_.getVoidTy(), "cuttle_gpu_cluster_leave", {cluster_barrier(), place_.all_threads});
    }

    llvm::Function& kernel_;
    llvm::Instruction& first_; ///< of the kernel's own, after variables
    const llvm::SmallVector<llvm::CallInst*, 32> calls_;
    const uint32_t area_offset_;
    llvm::AllocaInst* const phase_; ///< of the cluster's barrier, at which the thread has arrived last
    Place place_;
    llvm::Value* area_ = nullptr; ///< address of the block's
};

/// On simplified IR.
bool uses_clusters(llvm::Function& kernel) {
    return llvm::any_of(reachable_from(kernel), [](llvm::Function* each) { return any_call(*each, is_of_clusters); });
}

} // namespace

void inline_into_cluster_kernels(llvm::Module& module) {
    if (llvm::none_of(module, [](llvm::Function& each) { return is_kernel(each) && uses_clusters(each); })) return;
    for (bool changed = true; changed;) {
        changed = false;
        for (llvm::Function& function : module)
            if (!function.isDeclaration() && !is_kernel(function) && any_call(function, depends_on_place))
                changed |= inline_into_callers(function);
    }
}

void lower_groups(llvm::Function& kernel, KernelInfo& info, unsigned lanes) {
    info.uses_cluster = uses_clusters(kernel);
    if (!info.uses_cluster) return lower_emulated_barriers(kernel, info);
    for (llvm::Function* function : reachable_from(kernel))
        if (function != &kernel && any_call(*function, depends_on_place))
            fail("clusters together with the function '" + function->getName().str() + "', which cannot be inlined");
    return_instead_of_exit(kernel);
    Cluster(kernel, info, lanes).run();
}

void find_place_in_cluster(llvm::Function& kernel, unsigned lanes) {
    const auto calls = cuttle_calls(kernel);
    const Place place(kernel, lanes);
    for (llvm::CallInst* call : calls) {
        llvm::Value* value = place.values.lookup(cuttle_name(*call));
        if (!value) continue;
        call->replaceAllUsesWith(value);
        call->eraseFromParent();
    }
}

} // namespace ptx::code
