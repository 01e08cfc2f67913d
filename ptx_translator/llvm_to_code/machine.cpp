#include "llvm_to_code/machine.h"

#include "ast/position.h"
#include "llvm_to_code/amdgpu_jumps.h"
#include "llvm_to_code/amdgpu_long_branches.h"
#include "llvm_to_code/amdgpu_undefined_lanes.h"
#include "llvm_to_code/compile.h"
#include "simt_to_simd/passes.h"

#include <llvm/CodeGen/Passes.h>
#include <llvm/CodeGen/TargetPassConfig.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/CommandLine.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Target/RegisterTargetPassConfigCallback.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/TargetParser/Host.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/IPO/AlwaysInliner.h>
#include <llvm/Transforms/IPO/GlobalDCE.h>
#include <llvm/Transforms/IPO/Inliner.h>
#include <llvm/Transforms/Scalar/DeadStoreElimination.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/GVN.h>
#include <llvm/Transforms/Scalar/InferAddressSpaces.h>
#include <llvm/Transforms/Scalar/LICM.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <llvm/Transforms/Utils/Mem2Reg.h>
#include <llvm/Transforms/Vectorize/VectorCombine.h>

#include <map>
#include <mutex>
#include <optional>

namespace ptx::code {

void fail(const std::string& message) { throw Error(Position{}, message); }

namespace {

void initialize_x86() {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser(); // inline assembly
}

void initialize_amdgpu() {
    LLVMInitializeAMDGPUTargetInfo();
    LLVMInitializeAMDGPUTarget();
    LLVMInitializeAMDGPUTargetMC();
    LLVMInitializeAMDGPUAsmPrinter();
    LLVMInitializeAMDGPUAsmParser();
}

void initialize_spirv() {
    LLVMInitializeSPIRVTargetInfo();
    LLVMInitializeSPIRVTarget();
    LLVMInitializeSPIRVTargetMC();
    LLVMInitializeSPIRVAsmPrinter();
    // OpBitReverse. LLVM has extensions as a process-wide option, which target machines read when they are made.
    if (llvm::cl::Option* extensions = llvm::cl::getRegisteredOptions().lookup("spirv-ext"))
        extensions->addOccurrence(0, extensions->ArgStr, "+SPV_KHR_bit_instructions");
}

struct Processor {
    llvm::Triple triple;
    std::string cpu, features;
};

std::string host_features() {
    std::map<std::string, bool> sorted;
    for (const auto& feature : llvm::sys::getHostCPUFeatures()) sorted[feature.first().str()] = feature.second;
    std::string text;
    for (const auto& [name, present] : sorted) text += (text.empty() ? "" : ",") + ((present ? "+" : "-") + name);
    return text;
}

/// What every processor goes without: bfloat instructions that flush denormals. The integer form is right.
constexpr const char* avoided_features = "-avx512bf16,-avxneconvert,-avx10.2";

Processor processor_of(const Target& target) {
    switch (target.arch) {
    case Arch::host: {
        static const bool once = (initialize_x86(), true);
        (void)once;
        const llvm::Triple triple("x86_64-unknown-linux-gnu");
        static const std::string found = host_features();
        std::string features = target.cpu.empty() ? found + "," : "";
        if (!target.features.empty()) features += target.features + ",";
        return {triple, target.cpu.empty() ? llvm::sys::getHostCPUName().str() : target.cpu,
                features + avoided_features};
    }
    case Arch::amdgcn: {
        static const bool once = (initialize_amdgpu(), true);
        (void)once;
        return {llvm::Triple("amdgcn-amd-amdhsa"), target.cpu, target.features};
    }
    case Arch::spirv: {
        static const bool once = (initialize_spirv(), true);
        (void)once;
        return {llvm::Triple("spirv64v1.4-unknown-unknown"), "", ""};
    }
    }
    fail("unknown target");
}

llvm::CodeGenOptLevel codegen_level(uint8_t level) {
    switch (level) {
    case 0:
        return llvm::CodeGenOptLevel::None;
    case 1:
        return llvm::CodeGenOptLevel::Less;
    case 2:
        return llvm::CodeGenOptLevel::Default;
    default:
        return llvm::CodeGenOptLevel::Aggressive;
    }
}

llvm::OptimizationLevel pipeline_level(uint8_t level) {
    switch (level) {
    case 1:
        return llvm::OptimizationLevel::O1;
    case 2:
        return llvm::OptimizationLevel::O2;
    default:
        return llvm::OptimizationLevel::O3;
    }
}

/// While it lives, pipelines are built whose SimplifyCFG sinks no code that blocks have in common. To sink it from some
/// of the blocks before a loop's header and from some of its latches gives the loop a second entry. A thread does not
/// mind, but lanes that go in by different ones are no longer in the same iteration, and miss each other's votes. LLVM
/// has only a command-line option for it, which a pass looks at when it is made.
class KeepCommonCode {
  public:
    KeepCommonCode() : lock_(mutex_) {
        if (option_) option_->addOccurrence(0, option_->ArgStr, "false");
    }
    ~KeepCommonCode() {
        if (option_) option_->reset();
    }
    KeepCommonCode(const KeepCommonCode&) = delete;
    KeepCommonCode& operator=(const KeepCommonCode&) = delete;

  private:
    static inline std::mutex mutex_;
    llvm::cl::Option* const option_ = llvm::cl::getRegisteredOptions().lookup("sink-common-insts");
    const std::lock_guard<std::mutex> lock_;
};

std::shared_ptr<llvm::TargetMachine> new_machine(const Target& target, const Processor& processor, uint8_t level) {
    std::string error;
    const llvm::Target* found = llvm::TargetRegistry::lookupTarget(processor.triple, error);
    if (!found) fail(error);
    // Asked first: a target machine only warns on stderr.
    const std::unique_ptr<llvm::MCSubtargetInfo> known(found->createMCSubtargetInfo(processor.triple, "", ""));
    if (!processor.cpu.empty() && !(known && known->isCPUStringValid(processor.cpu)))
        fail("LLVM does not know the processor '" + processor.cpu + "'");
    llvm::TargetOptions flags;
    // fma where PTX says fma, and nowhere else. PTX ISA 9.7.3.
    flags.AllowFPOpFusion = llvm::FPOpFusion::Strict;
    flags.EmitStackSizeSection = target.arch == Arch::host;
    std::shared_ptr<llvm::TargetMachine> machine(found->createTargetMachine(processor.triple, processor.cpu,
                                                                            processor.features, flags, llvm::Reloc::PIC_,
                                                                            std::nullopt, codegen_level(level)));
    if (!machine) fail("LLVM has no code generator for " + target.name());
    return machine;
}

} // namespace

std::shared_ptr<llvm::TargetMachine> make_machine(const Target& target, const Options& options) {
    const Processor processor = processor_of(target);
    const uint8_t level = options.optimization_level;
    if (target.arch == Arch::spirv) return new_machine(target, processor, level);
    thread_local std::map<std::string, std::shared_ptr<llvm::TargetMachine>> machines;
    std::shared_ptr<llvm::TargetMachine>& machine =
        machines[processor.triple.str() + "/" + processor.cpu + "/" + processor.features + "/" + std::to_string(level)];
    if (!machine) machine = new_machine(target, processor, level);
    return machine;
}

void simplify(llvm::Module& module, llvm::TargetMachine& machine, const Options& options) {
    Passes passes(&machine);
    llvm::FunctionPassManager functions;
    if (options.optimization_level == 0) {
        functions.addPass(llvm::PromotePass());
    } else {
        functions.addPass(llvm::SROAPass(llvm::SROAOptions::PreserveCFG));
        functions.addPass(llvm::EarlyCSEPass());
        functions.addPass(llvm::SimplifyCFGPass());
    }
    llvm::ModulePassManager pipeline;
    pipeline.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(functions)));
    pipeline.addPass(llvm::GlobalDCEPass());
    pipeline.run(module, passes.modules);
}

void infer_address_spaces(llvm::Module& module, llvm::TargetMachine& machine, const Options& options, unsigned flat) {
    Passes passes(&machine);
    llvm::FunctionPassManager functions;
    if (options.optimization_level == 0) {
        functions.addPass(llvm::PromotePass());
    } else {
        functions.addPass(llvm::SROAPass(llvm::SROAOptions::PreserveCFG));
        functions.addPass(llvm::InferAddressSpacesPass(flat));
        functions.addPass(llvm::SROAPass(llvm::SROAOptions::PreserveCFG));
        functions.addPass(llvm::EarlyCSEPass());
    }
    llvm::ModulePassManager pipeline;
    pipeline.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(functions)));
    pipeline.run(module, passes.modules);
}

void optimize(llvm::Module& module, llvm::TargetMachine& machine, const Options& options) {
    Passes passes(&machine);
    std::optional<KeepCommonCode> keep;
    if (machine.getTargetTriple().isAMDGPU() || machine.getTargetTriple().isSPIRV()) keep.emplace();
    llvm::ModulePassManager pipeline;
    if (options.optimization_level == 0) {
        pipeline.addPass(llvm::AlwaysInlinerPass());
        pipeline.addPass(llvm::createModuleToFunctionPassAdaptor(llvm::PromotePass()));
        // LLVM 22's SPIR-V back end masks an i8 by a constant of 32 bits where `trunc` meets `zext`, and reads astray over
        // structures that are put together: their indices are whatever was there.
        if (machine.getTargetTriple().isSPIRV())
            pipeline.addPass(llvm::createModuleToFunctionPassAdaptor(llvm::InstCombinePass()));
        pipeline.addPass(llvm::GlobalDCEPass());
    } else {
        pipeline = passes.builder.buildPerModuleDefaultPipeline(pipeline_level(options.optimization_level));
    }
    keep.reset();
    pipeline.run(module, passes.modules);
}

void optimize_vectors(llvm::Module& module, llvm::TargetMachine& machine) {
    Passes passes(&machine);
    llvm::FunctionPassManager first, last;
    first.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
    first.addPass(llvm::EarlyCSEPass());
    first.addPass(llvm::InstCombinePass());
    first.addPass(llvm::SimplifyCFGPass());
    last.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
    last.addPass(llvm::EarlyCSEPass(true));
    last.addPass(llvm::InstCombinePass());
    last.addPass(llvm::SimplifyCFGPass());
    last.addPass(llvm::createFunctionToLoopPassAdaptor(llvm::LICMPass(llvm::LICMOptions()), true));
    last.addPass(llvm::GVNPass());
    last.addPass(llvm::DSEPass());
    last.addPass(llvm::VectorCombinePass());
    last.addPass(llvm::InstCombinePass());
    last.addPass(llvm::SimplifyCFGPass());
    llvm::ModulePassManager pipeline;
    pipeline.addPass(llvm::AlwaysInlinerPass());
    pipeline.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(first)));
    pipeline.addPass(llvm::ModuleInlinerWrapperPass(llvm::getInlineParams(3, 0)));
    pipeline.addPass(llvm::GlobalDCEPass());
    pipeline.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(last)));
    pipeline.addPass(llvm::GlobalDCEPass());
    pipeline.run(module, passes.modules);
}

namespace {

/// LLVM has no other way to leave strength reduction out than its process-wide option, which it reads when it makes the
/// pipeline; callbacks are process-wide, too.
bool add_passes(llvm::TargetMachine& machine, llvm::legacy::PassManager& passes, llvm::raw_pwrite_stream& stream,
                llvm::CodeGenFileType type, bool strength_reduction) {
    static std::mutex one_at_a_time;
    const std::lock_guard lock(one_at_a_time);
    const llvm::RegisterTargetPassConfigCallback callback(
        [](const llvm::TargetMachine& for_machine, llvm::PassManagerBase&, llvm::TargetPassConfig* config) {
            // It takes a fifth of the time for long blocks of vectors, and processors take what is ready anyway.
            if (for_machine.getTargetTriple().isX86()) config->disablePass(&llvm::PostRASchedulerID);
            if (!for_machine.getTargetTriple().isAMDGPU()) return;
            tell_undefined_lanes(*config);
            save_registers_of_long_branches(*config);
            tell_registers_of_jumps(*config);
        });
    auto* off = static_cast<llvm::cl::opt<bool>*>(llvm::cl::getRegisteredOptions().lookup("disable-lsr"));
    if (off) off->setValue(!strength_reduction);
    const bool failed = machine.addPassesToEmitFile(passes, stream, nullptr, type);
    if (off) off->setValue(false);
    return !failed;
}

} // namespace

llvm::SmallVector<char, 0> emit(llvm::Module& module, llvm::TargetMachine& machine, llvm::CodeGenFileType type,
                                bool strength_reduction) {
    llvm::SmallVector<char, 0> bytes;
    llvm::raw_svector_ostream stream(bytes);
    llvm::legacy::PassManager passes;
    if (!add_passes(machine, passes, stream, type, strength_reduction)) fail("LLVM cannot emit code for this target");
    passes.run(module);
    return bytes;
}

std::string assembly_text(const llvm::Module& module, llvm::TargetMachine& machine) {
    std::unique_ptr<llvm::Module> copy = llvm::CloneModule(module);
    const llvm::SmallVector<char, 0> text = emit(*copy, machine, llvm::CodeGenFileType::AssemblyFile);
    return std::string(text.begin(), text.end());
}

std::string text_of(const llvm::Module& module) {
    std::string text;
    llvm::raw_string_ostream stream(text);
    module.print(stream, nullptr);
    return text;
}

Diagnostics::Diagnostics(llvm::LLVMContext& context)
    : context_(context), previous_(context.getDiagnosticHandlerCallBack()),
      previous_data_(context.getDiagnosticContext()) {
    context.setDiagnosticHandlerCallBack(
        [](const llvm::DiagnosticInfo* info, void* self) {
            if (info->getSeverity() != llvm::DS_Error) return;
            std::string& errors = static_cast<Diagnostics*>(self)->errors_;
            if (!errors.empty()) errors += '\n';
            llvm::raw_string_ostream stream(errors);
            llvm::DiagnosticPrinterRawOStream printer(stream);
            info->print(printer);
        },
        this);
}

Diagnostics::~Diagnostics() { context_.setDiagnosticHandlerCallBack(previous_, previous_data_); }

void Diagnostics::check() const {
    if (!errors_.empty()) fail("LLVM: " + errors_);
}

void verify(const llvm::Module& module, const char* after) {
    std::string problems;
    llvm::raw_string_ostream stream(problems);
    if (llvm::verifyModule(module, &stream)) fail(std::string("broken LLVM IR after ") + after + ": " + problems);
}

} // namespace ptx::code

namespace ptx {

void set_target(llvm::Module& module, const Target& target) {
    const auto machine = code::make_machine(target, Options{});
    module.setTargetTriple(machine->getTargetTriple());
    module.setDataLayout(machine->createDataLayout());
}

} // namespace ptx
