#include "llvm_to_code/host.h"

#include "llvm_to_code/embedded.h"
#include "llvm_to_code/host_approximations.h"
#include "llvm_to_code/host_calls.h"
#include "llvm_to_code/host_entry.h"
#include "llvm_to_code/host_lane.h"
#include "llvm_to_code/host_memory.h"
#include "llvm_to_code/host_object.h"
#include "llvm_to_code/kernels.h"
#include "llvm_to_code/machine.h"
#include "llvm_to_code/neutral.h"
#include "llvm_to_code/phases.h"
#include "llvm_to_code/small_floats.h"

#include <llvm/Analysis/ValueTracking.h>
#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Module.h>
#include <llvm/Linker/Linker.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/IPO/Internalize.h>

#include <map>

namespace ptx {
namespace {

using namespace code;

bool asks_for_local(llvm::Module& module) {
    return module.getFunction("cuttle.isspacep.local") || module.getFunction("cuttle.isspacep.global");
}

/// Functions to be found by symbol keep it; returns them.
std::vector<FunctionSymbol> export_functions(llvm::Module& module) {
    std::vector<FunctionSymbol> symbols;
    for (llvm::Function& function : module) {
        if (function.isDeclaration() || !function.hasFnAttribute(addressable_attribute)) continue;
        llvm::StringRef name = function.getName();
        symbols.push_back({name.drop_back(llvm::StringRef(".function").size()).str(), name.str()});
        function.setLinkage(llvm::Function::ExternalLinkage); // thread_lane made it anew
    }
    return symbols;
}

void link_device_library(llvm::Module& module) {
    const bool needed = llvm::any_of(module, [](const llvm::Function& function) {
        return function.isDeclaration() && function.getName().starts_with("cuttle_");
    });
    if (!needed) return;
    const std::string_view bytes = device_library::host_library();
    auto library = llvm::getLazyBitcodeModule(llvm::MemoryBufferRef({bytes.data(), bytes.size()}, "device library"),
                                              module.getContext());
    if (!library) fail("device library: " + llvm::toString(library.takeError()));
    (*library)->setTargetTriple(module.getTargetTriple());
    (*library)->setDataLayout(module.getDataLayout());
    const bool failed =
        llvm::Linker::linkModules(module, std::move(*library), llvm::Linker::LinkOnlyNeeded,
                                  [](llvm::Module& linked, const llvm::StringSet<>& names) {
                                      llvm::internalizeModule(linked, [&](const llvm::GlobalValue& value) {
                                          return !names.contains(value.getName());
                                      });
                                  });
    if (failed) fail("device library: linking failed");
}

void set_attributes(llvm::Module& module, const llvm::TargetMachine& machine, const Options& options) {
    for (llvm::Function& function : module) {
        if (function.isDeclaration()) continue;
        function.addFnAttr("target-cpu", machine.getTargetCPU());
        function.addFnAttr("target-features", machine.getTargetFeatureString());
        function.removeFnAttr("tune-cpu");
        // A kernel that reads address 0 faults; LLVM may not think it unreachable.
        function.addFnAttr(llvm::Attribute::NullPointerIsValid);
        function.addFnAttr(llvm::Attribute::NoUnwind);
        function.addFnAttr(llvm::Attribute::NoRedZone); // so that frame sizes are the truth
        function.removeFnAttr(llvm::Attribute::UWTable);
        // Big frames touch their pages in order, so that overflow meets the guard page.
        function.addFnAttr("probe-stack", "inline-asm");
        if (options.debug_info) function.addFnAttr("frame-pointer", "all");
    }
}

/// An access through a constant address (a null pointer's member, say) must fault when it runs. LLVM takes the memory
/// behind such an address for nobody's and drops stores to it, null_pointer_is_valid or not; volatile ones stay.
void keep_accesses_to_constant_addresses(llvm::Module& module) {
    auto is_constant = [](const llvm::Value* pointer) {
        const llvm::Value* object = llvm::getUnderlyingObject(pointer);
        return llvm::isa<llvm::Constant>(object) && !llvm::isa<llvm::GlobalValue>(object);
    };
    for (llvm::Function& function : module)
        for (llvm::Instruction& instruction : llvm::instructions(function)) {
            if (auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction);
                load && is_constant(load->getPointerOperand()))
                load->setVolatile(true);
            if (auto* store = llvm::dyn_cast<llvm::StoreInst>(&instruction);
                store && is_constant(store->getPointerOperand()))
                store->setVolatile(true);
        }
}

uint32_t parameter_bytes(const llvm::Function& function, const std::vector<KernelInfo>& kernels) {
    for (const KernelInfo& kernel : kernels)
        if (function.getName() == kernel.symbol) return kernel.parameter_bytes;
    return 0;
}

/// Kernels that synchronise without needing fibers, by name.
using PhasedKernels = std::map<std::string, PhasedKernel>;

PhasedKernels cut_kernels(llvm::Module& module, const std::vector<KernelInfo>& kernels, const Options& options) {
    PhasedKernels phased;
    // Debuggers want to see threads; and the lower levels are there to compare with.
    if (options.debug_info || options.optimization_level < 2) return phased;
    for (const KernelInfo& kernel : kernels) {
        llvm::Function& function = *module.getFunction(kernel.name);
        if (!kernel.uses_barrier || kernel.uses_cluster || kernel.uses_cooperative) continue;
        if (why_not_phases(function).empty()) phased[kernel.symbol] = cut_into_phases(function);
    }
    return phased;
}

void lower(llvm::Module& module, const std::vector<KernelInfo>& kernels, const PhasedKernels& phased,
           const llvm::TargetMachine& machine) {
    const bool note_stack = asks_for_local(module);
    const bool clusters = llvm::any_of(kernels, [](const KernelInfo& kernel) { return kernel.uses_cluster; });
    thread_lane(module);
    for (llvm::Function& function : module) {
        if (function.isDeclaration()) continue;
        if (is_kernel(function)) return_instead_of_exit(function);
        LaneAccess lane(function);
        map_memory(lane);
        lower_calls(lane, machine, parameter_bytes(function, kernels), clusters);
    }
    lower_small_floats(module);
    lower_approximations(module);
    for (const KernelInfo& kernel : kernels) {
        llvm::Function& function = *module.getFunction(kernel.symbol);
        if (const auto found = phased.find(kernel.symbol); found != phased.end())
            make_phase_entry(function, found->second);
        else
            make_entry(function, kernel.uses_barrier, note_stack);
    }
}

/// The frame that runs the kernel's threads: the entry's own or that of the loops around it.
uint32_t frame_of(const KernelInfo& kernel, const llvm::StringMap<uint64_t>& frames) {
    uint64_t bytes = 0;
    for (const char* suffix : {"", ".range", ".thread", ".phase0"})
        bytes = std::max(bytes, frames.lookup(kernel.symbol + suffix));
    return static_cast<uint32_t>(bytes);
}

} // namespace

Image compile_host(std::unique_ptr<llvm::Module> neutral, std::vector<KernelInfo> kernels, const Target& target,
                   const Options& options, const AfterStage& after_stage) {
    llvm::Module& module = *neutral;
    const Diagnostics diagnostics(module.getContext());
    const auto machine = make_machine(target, options);
    module.setTargetTriple(machine->getTargetTriple());
    module.setDataLayout(machine->createDataLayout());

    verify(module, "ast_to_llvm");
    select_kernels(module, kernels);
    inline_exits(module);
    simplify(module, *machine, options);
    expand_constant_expressions(module);
    inspect_kernels(module, kernels);
    for (KernelInfo& kernel : kernels) {
        kernel.symbol = kernel.name + ".kernel";
        // x86 has no register file to share out. Few enough for a full multiprocessor by CUDA's occupancy rules.
        kernel.registers = 32;
    }
    const PhasedKernels phased = cut_kernels(module, kernels, options);
    verify(module, "cutting into phases");
    lower(module, kernels, phased, *machine);
    Image image{target, {}, export_functions(module), {}};
    link_device_library(module);
    set_attributes(module, *machine, options);
    keep_accesses_to_constant_addresses(module);
    verify(module, "lowering for the host");

    optimize(module, *machine, options);
    diagnostics.check();
    image.kernels = std::move(kernels);
    if (after_stage && !after_stage("optimized", text_of(module))) return image;
    if (after_stage && !after_stage("assembly", assembly_text(module, *machine))) return image;

    const llvm::SmallVector<char, 0> bytes = emit(module, *machine, llvm::CodeGenFileType::ObjectFile);
    diagnostics.check();
    const llvm::StringRef object(bytes.data(), bytes.size());
    const llvm::StringMap<uint64_t> frames = frame_sizes(object);
    for (KernelInfo& kernel : image.kernels) kernel.local_bytes = frame_of(kernel, frames);
    image.code = link_host(object, options.debug_info);
    return image;
}

} // namespace ptx
