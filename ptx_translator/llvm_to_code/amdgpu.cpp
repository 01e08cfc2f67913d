#include "llvm_to_code/amdgpu.h"

#include "ast/position.h"
#include "llvm_to_code/amdgpu_barriers.h"
#include "llvm_to_code/amdgpu_calls.h"
#include "llvm_to_code/amdgpu_comparisons.h"
#include "llvm_to_code/amdgpu_library_code.h"
#include "llvm_to_code/amdgpu_object.h"
#include "llvm_to_code/amdgpu_selects.h"
#include "llvm_to_code/amdgpu_stack.h"
#include "llvm_to_code/approximations.h"
#include "llvm_to_code/embedded.h"
#include "llvm_to_code/function_numbers.h"
#include "llvm_to_code/gpu_calls.h"
#include "llvm_to_code/gpu_clusters.h"
#include "llvm_to_code/kernels.h"
#include "llvm_to_code/link_elf.h"
#include "llvm_to_code/link_library.h"
#include "llvm_to_code/machine.h"
#include "llvm_to_code/matrix_functions.h"
#include "llvm_to_code/neutral.h"
#include "llvm_to_code/small_floats.h"
#include "llvm_to_code/waiting_lanes.h"
#include "ptx/gpu_services.h"

#include <llvm/IR/InstIterator.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/Target/TargetMachine.h>

namespace ptx {
namespace {

using namespace code;

/// The packed parameters travel as one struct in the kernarg segment, before what gpu_services.h wants.
llvm::Function* make_kernel(llvm::Function& neutral, const KernelInfo& info) {
    llvm::LLVMContext& context = neutral.getContext();
    llvm::SmallVector<llvm::Type*, 4> parameters;
    llvm::SmallVector<uint32_t, 2> blocks; // bytes of those that are passed as memory
    if (info.parameter_bytes) blocks.push_back(info.parameter_bytes);
    if (info.uses_cluster) blocks.push_back(static_cast<uint32_t>(sizeof(gpu::ClusterLaunch)));
    parameters.append(blocks.size(), llvm::PointerType::get(context, Space::constant));
    if (info.uses_services) parameters.append(2, llvm::Type::getInt64Ty(context));
    llvm::Function* kernel = with_parameters(neutral, parameters);
    for (unsigned i = 0; i < blocks.size(); ++i) {
        auto* block = llvm::ArrayType::get(llvm::Type::getInt8Ty(context), blocks[i]);
        kernel->getArg(i)->addAttr(llvm::Attribute::getWithByRefType(context, block));
        kernel->getArg(i)->addAttr(llvm::Attribute::getWithAlignment(context, llvm::Align(16)));
    }
    kernel->setCallingConv(llvm::CallingConv::AMDGPU_KERNEL);
    kernel->setVisibility(llvm::GlobalValue::ProtectedVisibility);
    // A work group of a cluster is as large as the launch makes it.
    const uint32_t threads =
        info.max_threads[0] && !info.uses_cluster
            ? info.max_threads[0] * std::max(1u, info.max_threads[1]) * std::max(1u, info.max_threads[2])
            : 1024;
    kernel->addFnAttr("amdgpu-flat-work-group-size", "1," + std::to_string(threads));
    kernel->addFnAttr("uniform-work-group-size", "true");
    return kernel;
}

void declare_symbols(llvm::Module& module) {
    llvm::LLVMContext& context = module.getContext();
    if (module.getFunction("cuttle.global.address")) {
        auto* pointer = llvm::Type::getInt64Ty(context);
        auto* globals = new llvm::GlobalVariable(module, pointer, false, llvm::GlobalValue::ExternalLinkage,
                                                 llvm::ConstantInt::get(pointer, 0), amdgpu_globals, nullptr,
                                                 llvm::GlobalValue::NotThreadLocal, Space::global, true);
        globals->setVisibility(llvm::GlobalValue::ProtectedVisibility);
    }
    if (launches_kernels(module)) add_launch_mark(module).setVisibility(llvm::GlobalValue::ProtectedVisibility);
    if (module.getFunction("cuttle.shared.dynamic")) {
        auto* bytes = llvm::ArrayType::get(llvm::Type::getInt8Ty(context), 0);
        auto* start =
            new llvm::GlobalVariable(module, bytes, false, llvm::GlobalValue::ExternalLinkage, nullptr,
                                     amdgpu_dynamic_shared, nullptr, llvm::GlobalValue::NotThreadLocal, Space::shared);
        start->setAlignment(llvm::Align(16));
    }
}

/// Shared addresses are offsets from 0, where a kernel's only static variable comes to lie. Made once no optimisation
/// can drop it.
void reserve_shared(llvm::Function& kernel, uint32_t bytes) {
    if (bytes == 0) return;
    llvm::Module& module = *kernel.getParent();
    auto* type = llvm::ArrayType::get(llvm::Type::getInt8Ty(module.getContext()), bytes);
    auto* variable = new llvm::GlobalVariable(module, type, false, llvm::GlobalValue::InternalLinkage,
                                              llvm::PoisonValue::get(type), kernel.getName() + ".shared", nullptr,
                                              llvm::GlobalValue::NotThreadLocal, Space::shared);
    variable->setAlignment(llvm::Align(16));
    llvm::IRBuilder<> ir(&*kernel.getEntryBlock().getFirstInsertionPt());
    llvm::Function* nothing = llvm::Intrinsic::getOrInsertDeclaration(&module, llvm::Intrinsic::donothing);
    ir.CreateCall(nothing, {}, {llvm::OperandBundleDef("ExplicitUse", llvm::ArrayRef<llvm::Value*>{variable})});
}

void check_allocas(llvm::Module& module) {
    for (llvm::Function& function : module)
        for (llvm::Instruction& instruction : llvm::instructions(function))
            if (llvm::isa<llvm::AllocaInst>(instruction) &&
                instruction.getType()->getPointerAddressSpace() != Space::local)
                fail("neutral IR was made without this target's data layout: see set_target");
}

/// A result in a VGPR that was the operand.
constexpr const char* in_lane_register = "=v,0";

unsigned lanes_of(const llvm::TargetMachine& machine) {
    return machine.getMCSubtargetInfo()->checkFeatures("+wavefrontsize32") ? 32 : 64;
}

/// What each function asks for that the target lacks.
using Refused = llvm::DenseMap<llvm::Function*, std::string>;

/// Of LDS that a work group may have.
uint32_t most_shared_bytes(const llvm::TargetMachine& machine) {
    return machine.getMCSubtargetInfo()->checkFeatures("+addressablelocalmemorysize163840") ? 160 << 10 : 64 << 10;
}

Refused lower(llvm::Module& module, std::vector<KernelInfo>& kernels, const llvm::TargetMachine& machine) {
    const uint32_t most_shared = most_shared_bytes(machine);
    declare_symbols(module);
    llvm::StringMap<std::string> no_groups; // kernels, and why
    for (KernelInfo& kernel : kernels) {
        try {
            lower_groups(*module.getFunction(kernel.name), kernel, lanes_of(machine));
        } catch (const Error& error) {
            no_groups[kernel.name] = error.what();
        }
    }
    for (const KernelInfo& kernel : kernels)
        return_instead_of_exit(*make_kernel(*module.getFunction(kernel.name), kernel));
    for (const KernelInfo& kernel : kernels)
        let_waiting_lanes_go_on(*module.getFunction(kernel.symbol), in_lane_register);
    rename_scopes(module, {"workgroup", "agent", "agent"});
    Refused refused;
    for (const auto& kernel : no_groups) refused[module.getFunction(kernel.first())] = kernel.second;
    for (const KernelInfo& kernel : kernels)
        if (kernel.static_shared_bytes > most_shared)
            refused[module.getFunction(kernel.symbol)] = "it has " + std::to_string(kernel.static_shared_bytes) +
                                                         " bytes of shared memory; there are " +
                                                         std::to_string(most_shared);
    llvm::SmallVector<llvm::Function*, 32> functions;
    for (llvm::Function& function : module)
        if (!function.isDeclaration()) functions.push_back(&function);
    for (llvm::Function* function : functions) {
        try {
            check_atomics(*function);
            lower_amdgpu_calls(*function);
        } catch (const Error& error) {
            refused.try_emplace(function, error.what());
        }
        take_stack_variables_apart(*function);
        function->addFnAttr(llvm::Attribute::NullPointerIsValid);
    }
    return refused;
}

/// Kernels that reach a refused function leave the module, and say why.
void remove_refused(llvm::Module& module, std::vector<KernelInfo>& kernels, const Refused& refused) {
    if (refused.empty()) return;
    llvm::SmallVector<llvm::Function*, 8> useless;
    for (const auto& [function, why] : refused)
        if (!is_kernel(*function)) useless.push_back(function);
    for (KernelInfo& kernel : kernels) {
        llvm::Function& entry = *module.getFunction(kernel.symbol);
        for (llvm::Function* function : reachable_from(entry))
            if (auto found = refused.find(function); found != refused.end()) kernel.error = found->second;
        if (kernel.error.empty()) continue;
        kernel.translated = false;
        kernel.symbol.clear();
        entry.eraseFromParent();
    }
    // Only kernels that reach none of them are left.
    for (llvm::Function* function : useless) {
        function->deleteBody();
        function->setLinkage(llvm::Function::ExternalLinkage);
    }
}

/// Library functions are of the processor that the module is for.
void link_device_library(llvm::Module& module, const llvm::TargetMachine& machine) {
    using device_library::AmdgpuPart;
    // The parts call what is in the first one.
    constexpr std::pair<const char*, AmdgpuPart> parts[] = {{"cuttle_gpu_matrix_", AmdgpuPart::matrix},
                                                            {"cuttle_gpu_mbarrier", AmdgpuPart::async},
                                                            {"cuttle_gpu_bulk_", AmdgpuPart::async},
                                                            {"cuttle_gpu_tensor_", AmdgpuPart::async},
                                                            {"cuttle_texture_", AmdgpuPart::texture},
                                                            {"cuttle_surface_", AmdgpuPart::texture},
                                                            {"cuttle_", AmdgpuPart::library},
                                                            {"__trunc", AmdgpuPart::library}};
    for (const auto& [prefix, part] : parts)
        link_library(module, prefix, device_library::amdgpu_bitcode(part, lanes_of(machine)));
    specialize_matrices(module);
    for (llvm::Function& function : module) {
        function.removeFnAttr("target-cpu");
        function.removeFnAttr("target-features");
        // PTX's min and max take a signaling NaN for a NaN like others (PTX ISA 9.7.3.10), as the instructions do when
        // MODE.IEEE is off; LLVM then quiets no operands before them.
        function.addFnAttr("amdgpu-ieee", "false");
    }
}

} // namespace

Image compile_amdgpu(std::unique_ptr<llvm::Module> neutral, std::vector<KernelInfo> kernels, const Target& target,
                     const Options& options, const AfterStage& after_stage) {
    llvm::Module& module = *neutral;
    const Diagnostics diagnostics(module.getContext());
    const auto machine = make_machine(target, options);
    module.setTargetTriple(machine->getTargetTriple());
    module.setDataLayout(machine->createDataLayout());
    module.setModuleFlag(llvm::Module::Error, "amdhsa_code_object_version", 500);

    check_allocas(module);
    verify(module, "ast_to_llvm");
    call_by_number(module);
    std::vector<FunctionSymbol> functions = function_numbers(module);
    // They are part of each kernel's code. Alone they have none.
    if (kernels.empty()) return {target, {}, std::move(functions), {}};
    select_kernels(module, kernels);
    inline_exits(module);
    inline_waits(module);
    inline_emulated_barriers(module);
    inline_into_cluster_kernels(module);
    simplify(module, *machine, options);
    inspect_kernels(module, kernels);
    for (KernelInfo& kernel : kernels) kernel.symbol = kernel.name;
    remove_refused(module, kernels, lower(module, kernels, *machine));
    lower_small_floats(module, true);
    lower_approximations(module);
    declare_library_code(module, *machine);
    link_device_library(module, *machine);
    verify(module, "lowering for amdgcn");
    Image image{target, std::move(kernels), std::move(functions), {}};

    optimize(module, *machine, options);
    expand_selected_vectors(module);
    narrow_comparisons(module);
    for (const KernelInfo& kernel : image.kernels)
        if (kernel.error.empty()) reserve_shared(*module.getFunction(kernel.symbol), kernel.static_shared_bytes);
    const std::vector<std::string_view> library = call_library_code(module, *machine);
    diagnostics.check();
    if (after_stage && !after_stage("optimized", text_of(module))) return image;
    if (after_stage && !after_stage("assembly", assembly_text(module, *machine))) return image;

    const llvm::SmallVector<char, 0> object = emit(module, *machine, llvm::CodeGenFileType::ObjectFile);
    diagnostics.check();
    LinkJob job;
    // What nothing calls of the library stays out.
    std::vector<std::string> arguments = {"-shared", "--no-undefined", "--gc-sections", "--threads=1"};
    arguments.push_back(job.file("code.o", {object.data(), object.size()}));
    for (size_t i = 0; i < library.size(); ++i)
        arguments.push_back(job.file("library" + std::to_string(i) + ".o", library[i]));
    image.code = job.link(std::move(arguments));
    read_resources(image.code, image.kernels);
    return image;
}

} // namespace ptx
