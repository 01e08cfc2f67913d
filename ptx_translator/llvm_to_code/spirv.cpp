#include "llvm_to_code/spirv.h"

#include "ast/position.h"
#include "llvm_to_code/amdgpu_barriers.h"
#include "llvm_to_code/child_process.h"
#include "llvm_to_code/function_numbers.h"
#include "llvm_to_code/gpu_calls.h"
#include "llvm_to_code/gpu_clusters.h"
#include "llvm_to_code/kernels.h"
#include "llvm_to_code/machine.h"
#include "llvm_to_code/neutral.h"
#include "llvm_to_code/pointers.h"
#include "llvm_to_code/recursion.h"
#include "llvm_to_code/small_floats.h"
#include "llvm_to_code/spirv_addresses.h"
#include "llvm_to_code/spirv_arguments.h"
#include "llvm_to_code/spirv_barriers.h"
#include "llvm_to_code/spirv_calls.h"
#include "llvm_to_code/spirv_legalize.h"
#include "llvm_to_code/spirv_library.h"
#include "llvm_to_code/spirv_memory.h"
#include "llvm_to_code/spirv_soft_doubles.h"
#include "llvm_to_code/waiting_lanes.h"
#include "ptx/spirv_target.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/STLFunctionalExtras.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Target/TargetMachine.h>

namespace ptx {
namespace {

using namespace code;

/// Of a sub-group.
constexpr unsigned warp_lanes = 32;
/// Of a lane, for recursive functions: four times CUDA's default limit.
constexpr uint32_t stack_bytes = 4096;

/// Why a kernel, or a function that it calls, cannot be made.
using Refused = llvm::DenseMap<llvm::Function*, std::string>;

/// Intel's compiler keeps a required sub-group size only for kernels without calls. What is left is recursive: of that,
/// loops are made.
void inline_all(llvm::Module& module) {
    for (bool changed = true; changed;) {
        changed = false;
        for (llvm::Function& function : llvm::make_early_inc_range(module)) {
            if (function.isDeclaration() || is_kernel(function)) continue;
            if (function.use_empty()) {
                function.eraseFromParent();
                changed = true;
                continue;
            }
            changed |= inline_into_callers(function);
        }
    }
}

/// Why some recursive function is still called; empty if none is.
std::string inline_recursion(llvm::Module& module) {
    try {
        while (make_loop_of_recursion(module, stack_bytes)) inline_all(module);
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

void refuse_calls(llvm::Function& kernel, const std::string& reason) {
    if (reachable_from(kernel).size() > 1) fail("the spirv target cannot do without calls: " + reason);
}

/// Functions that take part in a kernel's removal go with it.
void remove_refused(llvm::Module& module, std::vector<KernelInfo>& kernels, const Refused& refused) {
    for (KernelInfo& kernel : kernels) {
        llvm::Function* function = module.getFunction(kernel.name);
        const auto found = refused.find(function);
        if (found == refused.end()) continue;
        kernel.error = found->second;
        kernel.translated = false;
        kernel.symbol.clear();
        function->eraseFromParent();
    }
    if (!refused.empty()) inline_all(module);
}

/// `work` for each kernel that is left; those for which it throws leave the module, and say why.
void for_each_kernel(llvm::Module& module, std::vector<KernelInfo>& kernels,
                     llvm::function_ref<void(llvm::Function&, KernelInfo&)> work) {
    Refused refused;
    for (KernelInfo& kernel : kernels) {
        if (!kernel.error.empty()) continue;
        llvm::Function* function = module.getFunction(kernel.name);
        try {
            work(*function, kernel);
        } catch (const Error& error) {
            refused[module.getFunction(kernel.name)] = error.what();
        }
    }
    remove_refused(module, kernels, refused);
}

llvm::Function* make_kernel(llvm::Function& neutral, const KernelInfo& info, const PassedParameters& passed) {
    llvm::LLVMContext& context = neutral.getContext();
    llvm::Type* number = llvm::Type::getInt64Ty(context);
    llvm::SmallVector<llvm::Type*, 16> parameters{number, number, llvm::PointerType::get(context, spirv_shared)};
    if (info.uses_services) parameters.append(2, number);
    if (info.uses_cluster) parameters.push_back(number);
    passed.append_types(parameters);
    llvm::Function* kernel = with_parameters(neutral, parameters);
    kernel->setCallingConv(llvm::CallingConv::SPIR_KERNEL);
    // LLVM would make memset and the like of loops, which the back end does not know.
    kernel->addFnAttr("no-builtins");
    // The translator's own variables lie behind what the PTX declares.
    auto* bytes = llvm::ConstantInt::get(llvm::Type::getInt32Ty(context), info.static_shared_bytes);
    kernel->setMetadata("cuttle.shared.static", llvm::MDNode::get(context, {llvm::ConstantAsMetadata::get(bytes)}));
    auto* width = llvm::ConstantAsMetadata::get(llvm::ConstantInt::get(llvm::Type::getInt32Ty(context), warp_lanes));
    kernel->setMetadata("intel_reqd_sub_group_size", llvm::MDNode::get(context, {width}));
    return kernel;
}

/// All of a kernel's variables in neutral space 5, as the device library's are. Addresses of those that the PTX
/// declares are only made into integers, which count within private memory.
void allocate_in_local_space(llvm::Function& kernel) {
    for (llvm::Instruction& instruction : llvm::make_early_inc_range(llvm::instructions(kernel))) {
        auto* variable = llvm::dyn_cast<llvm::AllocaInst>(&instruction);
        if (!variable || variable->getAddressSpace() == Space::local) continue;
        llvm::IRBuilder<> ir(variable);
        auto* local = new llvm::AllocaInst(variable->getAllocatedType(), Space::local, variable->getArraySize(),
                                           variable->getAlign(), variable->getName(), variable->getIterator());
        llvm::Value* generic = nullptr;
        for (llvm::Use& use : llvm::make_early_inc_range(variable->uses())) {
            if (llvm::isa<llvm::PtrToIntInst>(use.getUser())) {
                use.set(local);
                continue;
            }
            if (auto* marker = llvm::dyn_cast<llvm::LifetimeIntrinsic>(use.getUser())) {
                marker->eraseFromParent();
                continue;
            }
            if (!generic) generic = ir.CreateAddrSpaceCast(local, ir.getPtrTy());
            use.set(generic);
        }
        variable->eraseFromParent();
    }
}

/// The device library's tables, which clang puts into the space for constants, where kernels' parameters are, too.
void move_tables(llvm::Module& module) {
    for (llvm::GlobalVariable& table : llvm::make_early_inc_range(module.globals())) {
        if (table.getAddressSpace() != Space::constant) continue;
        auto* moved = new llvm::GlobalVariable(module, table.getValueType(), table.isConstant(), table.getLinkage(),
                                               table.getInitializer(), "", &table, llvm::GlobalValue::NotThreadLocal,
                                               spirv_global);
        moved->copyAttributesFrom(&table);
        moved->takeName(&table);
        // Pointers made of it get that space, too, when they are mapped: map_pointers.
        // Constants made of it, which are shared, must be gone before: expand_constant_expressions has taken all uses.
        table.removeDeadConstantUsers();
        for (llvm::Use& use : llvm::make_early_inc_range(table.uses())) {
            if (!llvm::isa<llvm::Instruction>(use.getUser()))
                fail("the device library's table '" + moved->getName().str() + "' has its address in a constant");
            use.set(moved);
        }
        table.eraseFromParent();
    }
}

void lower(llvm::Function& neutral, const KernelInfo& info, bool fp64) {
    const PassedParameters passed(neutral, info, fp64);
    llvm::Function& kernel = *make_kernel(neutral, info, passed);
    return_instead_of_exit(kernel);
    map_pointers(kernel, {.space = {spirv_generic, spirv_global, 2, spirv_shared, spirv_global, spirv_private},
                          .shared = [&]() -> llvm::Value* { return kernel.getArg(shared_argument); }});
    lower_spirv_calls(kernel);
    passed.use(kernel, info.uses_cluster    ? cluster_argument + 1
                       : info.uses_services ? workspace_argument + 1
                                            : services_argument);
}

/// What the device library does is called, linked and inlined.
void use_library(llvm::Module& module, std::vector<KernelInfo>& kernels, llvm::TargetMachine& machine,
                 const Options& options, bool fp64) {
    for_each_kernel(module, kernels, [](llvm::Function& kernel, KernelInfo&) { call_spirv_library(kernel); });
    lower_small_floats(module);
    link_spirv_library(module, fp64);
    inline_all(module);
    for_each_kernel(module, kernels, [](llvm::Function& kernel, KernelInfo& info) {
        // What the library made of services ends threads, too.
        return_instead_of_exit(kernel);
        if (info.uses_cluster) find_place_in_cluster(kernel, warp_lanes);
        count_threads_at_barriers(kernel, info);
    });
    link_spirv_library(module, fp64);
    inline_all(module);
    for_each_kernel(module, kernels, [](llvm::Function& kernel, KernelInfo&) { allocate_in_local_space(kernel); });
    infer_address_spaces(module, machine, options, Space::generic);
    expand_constant_expressions(module);
}

/// What comes after this makes nothing that SPIR-V lacks but what legalize_for_spirv knows.
void optimize_and_expand(llvm::Module& module, std::vector<KernelInfo>& kernels, llvm::TargetMachine& machine,
                         const Options& options) {
    optimize(module, machine, options);
    expand_constant_expressions(module); // addresses in tables, again
    for_each_kernel(module, kernels, [](llvm::Function& kernel, KernelInfo&) { expand_memory_operations(kernel); });
    lower_small_floats(module);
}

void do_without_doubles(llvm::Module& module, std::vector<KernelInfo>& kernels) {
    remove_doubles_of_globals(module);
    for_each_kernel(module, kernels, [](llvm::Function& kernel, KernelInfo&) { remove_doubles(kernel); });
    link_spirv_library(module, false);
    inline_all(module);
}

/// LLVM 22's SPIR-V back end keeps tables of the last module in a global (llvm-project issue 160613): a second one in
/// the same process may reuse its ids. And it ends the process over what it does not know. So it gets a process.
std::string generate(llvm::Module& module, llvm::TargetMachine& machine, llvm::CodeGenFileType type) {
    return in_child_process("LLVM's SPIR-V code generator", [&] {
        const Diagnostics diagnostics(module.getContext());
        // It copies casts and addresses, in bytes, to where they are used.
        if (auto* off = static_cast<llvm::cl::opt<bool>*>(llvm::cl::getRegisteredOptions().lookup("disable-cgp")))
            off->setValue(true);
        // Without strength reduction, which has made `x & 32767 == 5` of a loop's counter a comparison of all its bits.
        const llvm::SmallVector<char, 0> bytes = emit(module, machine, type, false);
        diagnostics.check();
        return std::string(bytes.begin(), bytes.end());
    });
}

} // namespace

Image compile_spirv(std::unique_ptr<llvm::Module> neutral, std::vector<KernelInfo> kernels, const Target& target,
                    const Options& options, const AfterStage& after_stage) {
    llvm::Module& module = *neutral;
    const Diagnostics diagnostics(module.getContext());
    const auto machine = make_machine(target, options);
    module.setTargetTriple(machine->getTargetTriple());
    module.setDataLayout(machine->createDataLayout());

    verify(module, "ast_to_llvm");
    call_by_number(module);
    std::vector<FunctionSymbol> functions = function_numbers(module);
    // They are part of each kernel's code. Alone they have none.
    if (kernels.empty()) return {target, {}, std::move(functions), {}};
    select_kernels(module, kernels);
    simplify(module, *machine, options);
    inline_all(module);
    const std::string calls_left = inline_recursion(module);
    simplify(module, *machine, options);
    expand_constant_expressions(module);
    inspect_kernels(module, kernels);
    for_each_kernel(module, kernels, [&](llvm::Function& kernel, KernelInfo& info) {
        info.symbol = info.name;
        info.registers = 128; // of a thread of Intel's GPUs, whatever the kernel
        refuse_calls(kernel, calls_left);
        make_stacks(kernel, stack_bytes);
        check_atomics(kernel);
        lower_groups(kernel, info, warp_lanes);
        return_instead_of_exit(kernel);
        let_waiting_lanes_go_on(kernel, nullptr);
    });
    const bool fp64 = has_fp64(target);
    const bool launches = launches_kernels(module);
    use_library(module, kernels, *machine, options, fp64);
    move_tables(module);
    for_each_kernel(module, kernels,
                    [&](llvm::Function& kernel, const KernelInfo& info) { lower(kernel, info, fp64); });
    rename_scopes(module, {"workgroup", "device", "device"});
    verify(module, "lowering for spirv");
    Image image{target, std::move(kernels), std::move(functions), {}};

    optimize_and_expand(module, image.kernels, *machine, options);
    if (!fp64 && llvm::any_of(module, has_doubles)) {
        do_without_doubles(module, image.kernels);
        optimize_and_expand(module, image.kernels, *machine, options);
    }
    for_each_kernel(module, image.kernels, [&](llvm::Function& kernel, KernelInfo&) {
        legalize_for_spirv(kernel);
        count_in_elements(kernel);
        if (!fp64 && has_doubles(kernel)) fail("the GPU has no doubles, and the kernel has some left");
    });
    for (llvm::Function& function : llvm::make_early_inc_range(module))
        if (function.isDeclaration() && function.use_empty()) function.eraseFromParent();
    if (launches) add_launch_mark(module).setLinkage(llvm::GlobalValue::InternalLinkage);
    if (llvm::all_of(image.kernels, [](const KernelInfo& kernel) { return !kernel.error.empty(); })) return image;
    verify(module, "legalizing for spirv");
    diagnostics.check();
    if (after_stage && !after_stage("optimized", text_of(module))) return image;
    if (after_stage && !after_stage("assembly", generate(module, *machine, llvm::CodeGenFileType::AssemblyFile)))
        return image;
    const std::string words = generate(module, *machine, llvm::CodeGenFileType::ObjectFile);
    image.code.assign(words.begin(), words.end());
    return image;
}

} // namespace ptx
