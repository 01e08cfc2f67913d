#include "llvm_to_code/kernels.h"

#include "llvm_to_code/machine.h"
#include "llvm_to_code/neutral.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/InstrTypes.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Module.h>

#include <algorithm>

namespace ptx::code {
namespace {

/// Neutral functions in which other lanes take part or get to run.
constexpr llvm::StringLiteral lanes_together[] = {
    llvm::StringLiteral("barrier.sync"), llvm::StringLiteral("barrier.arrive"), llvm::StringLiteral("barrier.reduce"),
    llvm::StringLiteral("warp.sync"),    llvm::StringLiteral("shuffle"),        llvm::StringLiteral("vote"),
    llvm::StringLiteral("match.any"),    llvm::StringLiteral("match.all"),      llvm::StringLiteral("reduce"),
    llvm::StringLiteral("active.mask"),  llvm::StringLiteral("exchange"),       llvm::StringLiteral("spin"),
    llvm::StringLiteral("nanosleep"),    llvm::StringLiteral("grid.sync"),      llvm::StringLiteral("exit"),
    llvm::StringLiteral("mbarrier"),
};

/// With these, addresses of a cluster's shared memory, or its barrier, come into a program.
constexpr llvm::StringLiteral of_clusters[] = {
    llvm::StringLiteral("cluster."),
    llvm::StringLiteral("bulk."),
    llvm::StringLiteral("tensor.copy"),
    llvm::StringLiteral("isspacep.shared.cluster"),
};

/// GPU targets ask the runtime for these, or must hear from it.
constexpr llvm::StringLiteral of_services[] = {
    llvm::StringLiteral("vprintf"),        llvm::StringLiteral("malloc"),       llvm::StringLiteral("free"),
    llvm::StringLiteral("assertfail"),     llvm::StringLiteral("trap"),         llvm::StringLiteral("spin"),
    llvm::StringLiteral("sreg.envreg1"),   llvm::StringLiteral("sreg.envreg2"), llvm::StringLiteral("tensor.copy"),
    llvm::StringLiteral("tensor.replace"), llvm::StringLiteral("device.call"),
};

/// What a kernel and all that it may call do.
struct Behaviour {
    bool services = false;
    bool heap = false;
    bool fibers = false;
    bool cooperative = false;
    bool cluster = false;
};

Behaviour behaviour_of(llvm::Function& kernel) {
    Behaviour found;
    for (llvm::Function* function : reachable_from(kernel)) {
        for (llvm::CallInst* call : cuttle_calls(*function)) {
            const llvm::StringRef name = cuttle_name(*call);
            // An exit in the kernel itself is a return.
            found.fibers |= lanes_meet_in(name) && !(name == "exit" && function == &kernel);
            found.cluster |= llvm::any_of(of_clusters, [&](llvm::StringRef each) { return name.starts_with(each); });
            found.services |= llvm::is_contained(of_services, name);
            found.heap |= name == "malloc" || name == "free";
            found.cooperative |= name == "grid.sync" || name == "sreg.envreg1" || name == "sreg.envreg2";
        }
    }
    return found;
}

} // namespace

bool lanes_meet_in(llvm::StringRef name) {
    return name.starts_with("mma.") || llvm::is_contained(lanes_together, name);
}

bool lanes_want_each_other_in(llvm::StringRef name) {
    constexpr llvm::StringLiteral memory_alone[] = {"spin", "nanosleep", "exit", "mbarrier"};
    return lanes_meet_in(name) && !llvm::is_contained(memory_alone, name);
}

void select_kernels(llvm::Module& module, const std::vector<KernelInfo>& kernels) {
    for (llvm::Function& function : llvm::make_early_inc_range(module)) {
        if (function.isDeclaration()) continue;
        if (function.hasFnAttribute(addressable_attribute)) function.setLinkage(llvm::Function::ExternalLinkage);
        const bool listed =
            llvm::any_of(kernels, [&](const KernelInfo& kernel) { return function.getName() == kernel.name; });
        if (!is_kernel(function) || listed) continue;
        function.replaceAllUsesWith(llvm::PoisonValue::get(function.getType()));
        function.eraseFromParent();
    }
    for (const KernelInfo& kernel : kernels) {
        const llvm::Function* function = module.getFunction(kernel.name);
        if (!function || function->isDeclaration()) fail("kernel '" + kernel.name + "' is not in the module");
    }
}

void inspect_kernels(llvm::Module& module, std::vector<KernelInfo>& kernels) {
    for (KernelInfo& info : kernels) {
        llvm::Function& function = *module.getFunction(info.name);
        const Behaviour behaviour = behaviour_of(function);
        // CTAs of a cluster are there at the same time: each thread has a fiber.
        info.uses_barrier = behaviour.fibers || behaviour.cluster;
        info.uses_cluster = behaviour.cluster;
        info.uses_cooperative = behaviour.cooperative;
        info.uses_services = behaviour.services;
        info.uses_heap = behaviour.heap;
        info.static_shared_bytes = std::max(info.static_shared_bytes, static_shared_bytes(function));
        info.translated = true;
    }
}

} // namespace ptx::code
