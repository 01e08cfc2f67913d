#include "llvm_to_code/host.h"

#include "llvm_to_code/alike.h"
#include "llvm_to_code/approximations.h"
#include "llvm_to_code/embedded.h"
#include "llvm_to_code/host_calls.h"
#include "llvm_to_code/host_entry.h"
#include "llvm_to_code/host_lane.h"
#include "llvm_to_code/host_memory.h"
#include "llvm_to_code/host_object.h"
#include "llvm_to_code/host_phases.h"
#include "llvm_to_code/kernels.h"
#include "llvm_to_code/link_library.h"
#include "llvm_to_code/loops_of_threads.h"
#include "llvm_to_code/machine.h"
#include "llvm_to_code/mask_words.h"
#include "llvm_to_code/neutral.h"
#include "llvm_to_code/small_floats.h"

#include <llvm/ADT/StringMap.h>
#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/ValueTracking.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/Utils/LoopUtils.h>

#include <algorithm>

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

/// Whoever made the PTX has unrolled loops, and has left one for the rounds that remain: with more of them in each
/// other the processor guesses wrong where each ends. Rounds whose number is known may be unrolled.
void keep_loops_rolled(llvm::Module& module) {
    for (llvm::Function& function : module) {
        if (function.isDeclaration()) continue;
        const llvm::DominatorTree dominators(function);
        const llvm::LoopInfo loops(dominators);
        for (llvm::Loop* loop : loops.getLoopsInPreorder())
            if (!loop->getLoopID()) llvm::addStringMetadataToLoop(loop, "llvm.loop.unroll.runtime.disable");
    }
}

/// The numbers that a NaN loses against get through a fence, which costs nothing: with AVX-512 LLVM 22 gives the NaN
/// for a scalar llvm.maximumnum or llvm.minimumnum of one and something that it knows to be a number, a converted
/// integer, say, which is right for llvm.maximum alone. Behind a fence it knows nothing. What is constant it does
/// right.
void keep_numbers_against_nans(llvm::Module& module) {
    for (llvm::Function& function : module)
        for (llvm::Instruction& instruction : llvm::instructions(function)) {
            auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction);
            if (!call || call->getType()->isVectorTy()) continue;
            if (call->getIntrinsicID() != llvm::Intrinsic::maximumnum &&
                call->getIntrinsicID() != llvm::Intrinsic::minimumnum)
                continue;
            llvm::IRBuilder<> ir(call);
            for (llvm::Use& number : call->args())
                if (!llvm::isa<llvm::Constant>(number)) number.set(ir.CreateArithmeticFence(number, call->getType()));
        }
}

uint32_t parameter_bytes(const llvm::Function& function, const std::vector<KernelInfo>& kernels) {
    for (const KernelInfo& kernel : kernels)
        if (function.getName() == kernel.symbol || function.getName().starts_with(kernel.name + phase_suffix))
            return kernel.parameter_bytes;
    return 0;
}

void export_text(llvm::Module& module, const std::string& name, const std::string& text) {
    llvm::Constant* bytes = llvm::ConstantDataArray::getString(module.getContext(), text);
    auto* variable =
        new llvm::GlobalVariable(module, bytes->getType(), true, llvm::GlobalValue::ExternalLinkage, bytes, name);
    variable->setVisibility(llvm::GlobalValue::DefaultVisibility);
}

/// Of a kernel; whoever loads the code says where it points to.
llvm::GlobalVariable* export_pointer(llvm::Module& module, const std::string& name) {
    auto* null = llvm::ConstantPointerNull::get(llvm::PointerType::get(module.getContext(), 0));
    return new llvm::GlobalVariable(module, null->getType(), false, llvm::GlobalValue::ExternalLinkage, null, name);
}

/// With no more, phases are worth LLVM's time. Where threads do not meet in their warps, phases are few and large.
constexpr uint32_t few_phases = 4, few_between_barriers = 16;

/// Nor are so many phases, where tiles are made only if they pay, unless they are alike; nor so many functions of
/// tiles.
constexpr ptrdiff_t most_phases_in_tiles = 16, most_functions_of_tiles = 2 * most_phases_in_tiles;

/// Of more phases most are in tiles, or none, where tiles must pay.
constexpr ptrdiff_t few_in_both_ways = 8;

using PhaseCodes = llvm::StringMap<PhaseCode>;

/// Cuts kernels into phases; gives the form of their code by the kernels' names.
PhaseCodes split(llvm::Module& module, std::vector<KernelInfo>& kernels, bool of_warps) {
    PhaseCodes forms;
    for (KernelInfo& kernel : kernels) {
        if (!kernel.uses_barrier || kernel.uses_cluster || kernel.uses_cooperative) continue;
        const Phases phases = split_into_phases(*module.getFunction(kernel.name), kernel.symbol + ".cuts", of_warps);
        kernel.phases = static_cast<uint32_t>(phases.functions.size());
        kernel.phase_bytes = phases.bytes_per_thread;
        const uint32_t few = phases.any_of_warps ? few_phases : few_between_barriers;
        forms[kernel.name] = phases.by_warps       ? PhaseCode::scalar
                             : kernel.phases > few ? PhaseCode::brief
                                                   : PhaseCode::fast;
        if (!phases.why_not.empty()) export_text(module, kernel.symbol + ".why_fibers", phases.why_not);
    }
    return forms;
}

/// The functions that split_into_phases made, as they are called now.
llvm::SmallVector<llvm::Function*, 8> phases_of(llvm::Module& module, const KernelInfo& kernel,
                                                const char* suffix = phase_suffix) {
    llvm::SmallVector<llvm::Function*, 8> phases;
    for (uint32_t i = 0; i < kernel.phases; ++i)
        phases.push_back(module.getFunction(kernel.name + suffix + std::to_string(i) + ".function"));
    return phases;
}

void erase(llvm::ArrayRef<llvm::Function*> functions) {
    for (llvm::Function* one : functions)
        if (one) one->eraseFromParent();
}

/// Tiles that are warps go from barrier to barrier where that can be; the rest from cut to cut, unless what the threads
/// of a warp keep lies together.
llvm::SmallVector<TileCode, 4> make_tiles_of_phases(llvm::Module& module, const KernelInfo& kernel,
                                                    const Target& target, llvm::TargetMachine& machine,
                                                    const Options& options, bool by_warps,
                                                    llvm::GlobalVariable* counts) {
    auto phases = phases_of(module, kernel);
    const auto of_warps = phases_of(module, kernel, phase_of_warps_suffix);
    const auto count = [](llvm::ArrayRef<llvm::Function*> all) {
        return llvm::count_if(all, [](const llvm::Function* one) { return one; });
    };
    const bool through_warps = count(of_warps) > 0 && are_tiles_warps(target);
    llvm::SmallVector<TileCode, 4> codes;
    const llvm::ArrayRef<llvm::Function*> bodies = through_warps ? of_warps : phases;
    const bool many = options.warp == 2 && count(bodies) > most_phases_in_tiles;
    const auto refuse = [&] {
        codes.assign(1, {});
        codes[0].why_not = "its threads meet in too many places to be worth it";
        erase(of_warps);
        return codes;
    };
    if (many && count_alike(bodies) > most_phases_in_tiles) return refuse();
    if (through_warps) codes = make_tile_codes(of_warps, target, machine, options, counts, true, by_warps);
    bool all = !codes.empty();
    for (size_t i = 0; i < codes.size(); ++i) {
        all &= !of_warps[i] || codes[i].any();
        if (codes[i].any()) phases[i] = nullptr;
    }
    if (!all && !by_warps) {
        auto others = make_tile_codes(phases, target, machine, options, counts);
        for (size_t i = 0; i < others.size(); ++i)
            if (phases[i]) {
                const std::string why = codes.empty() ? "" : codes[i].why_not;
                if (codes.empty()) codes.resize(others.size());
                codes[i] = others[i];
                if (!codes[i].any() && !why.empty()) codes[i].why_not = why;
            } else if (codes.empty()) {
                codes.resize(others.size());
            }
    }
    llvm::SmallVector<llvm::Function*, 32> functions;
    for (const TileCode& code : codes) functions.append({code.function, code.function_of_all});
    if (many && count_alike(functions) > most_functions_of_tiles) {
        erase(functions);
        return refuse();
    }
    // Code of both kinds takes LLVM twice as long, which few phases in tiles do not make up for.
    const auto in_tiles = llvm::count_if(codes, [](const TileCode& code) { return code.any(); });
    if (options.warp == 2 && count(bodies) > few_in_both_ways && 3 * in_tiles < 2 * count(bodies)) {
        erase(functions);
        for (TileCode& code : codes) code.function = code.function_of_all = nullptr;
        if (in_tiles > 0)
            codes[0].why_not = "lanes are faster one after another in most places between its threads' meetings";
    }
    erase(of_warps);
    return codes;
}

void lower(llvm::Module& module, const std::vector<KernelInfo>& kernels, const llvm::TargetMachine& machine) {
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
}

/// Notes in KernelInfo what is done of tiles; gives why something is not, or `why`.
std::string describe(KernelInfo& kernel, llvm::ArrayRef<TileCode> tiles, std::string why) {
    kernel.tile_columns = kernel.tile_rows = 0;
    kernel.divided = false;
    for (const TileCode& tile : tiles) {
        kernel.divided |= tile.depends_on_tile;
        if (why.empty()) why = tile.why_not;
        if (!tile.any()) continue;
        kernel.tile_columns = static_cast<uint8_t>(tile.columns);
        kernel.tile_rows = static_cast<uint8_t>(tile.rows);
    }
    return why;
}

/// `remarks`: see Image.
void make_entries(llvm::Module& module, std::vector<KernelInfo>& kernels, const PhaseCodes& forms, bool note_stack,
                  bool wide, llvm::TargetMachine& machine, const Target& target, const Options& options,
                  std::vector<std::string>& remarks) {
    for (KernelInfo& kernel : kernels) {
        std::string why;
        llvm::SmallVector<TileCode, 4> tiles;
        llvm::GlobalVariable* counts = options.counts ? export_pointer(module, kernel.symbol + ".counts") : nullptr;
        if (kernel.phases) {
            const PhaseCode form = forms.at(kernel.name);
            const auto phases = phases_of(module, kernel);
            const bool by_warps = form == PhaseCode::scalar;
            if (wide) tiles = make_tiles_of_phases(module, kernel, target, machine, options, by_warps, counts);
            if (wide && tiles.empty()) why = "its threads meet in too many places";
            make_phase_entry(module, kernel.symbol, phases, by_warps ? 32 * kernel.phase_bytes : 0, note_stack, form,
                             tiles, counts);
        } else {
            llvm::Function* body = module.getFunction(kernel.symbol);
            if (wide && !kernel.uses_barrier) tiles = make_tile_codes(body, target, machine, options, counts);
            if (wide && kernel.uses_barrier) why = "its threads have fibers";
            make_entry(*body, kernel.uses_barrier, note_stack, tiles.empty() ? TileCode() : tiles[0]);
        }
        if (options.warp && !wide) why = "there are source lines, little optimisation, or questions after local memory";
        why = describe(kernel, tiles, std::move(why));
        if (why.empty()) continue;
        export_text(module, kernel.symbol + ".why_threads", why);
        remarks.push_back(kernel.name + ": " + why);
    }
}

/// The frame that runs the kernel's threads: the entry's own or that of the loops around it.
uint32_t frame_of(const KernelInfo& kernel, const llvm::StringMap<uint64_t>& frames) {
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < kernel.phases; ++i)
        bytes = std::max(bytes, frames.lookup(kernel.symbol + phase_suffix + std::to_string(i)));
    for (const char* suffix : {"", ".phases", ".range", ".thread"})
        bytes = std::max(bytes, frames.lookup(kernel.symbol + suffix));
    // Loops over tiles that have functions of their own are called by the other.
    uint64_t called = 0;
    for (const auto& frame : frames)
        if (frame.first().starts_with(kernel.symbol + ".phases") && frame.first() != kernel.symbol + ".phases")
            called = std::max(called, frame.second);
    if (called) bytes = std::max(bytes, called + frames.lookup(kernel.symbol + ".phases"));
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
    const bool note_stack = asks_for_local(module);
    const bool wide = options.warp && options.optimization_level > 1 && !options.debug_info && !note_stack;
    const PhaseCodes forms = options.phases && !options.debug_info ? split(module, kernels, wide) : PhaseCodes();
    lower(module, kernels, *machine);
    Image image{target, {}, export_functions(module), {}};
    link_library(module, "cuttle_texture_", device_library::texture_library());
    link_library(module, "cuttle_surface_", device_library::texture_library());
    link_library(module, "cuttle_", device_library::host_library());
    set_attributes(module, *machine, options);
    keep_accesses_to_constant_addresses(module);
    keep_loops_rolled(module);
    make_entries(module, kernels, forms, note_stack, wide, *machine, target, options, image.remarks);
    make_atomics_of_one_cta_plain(module);
    lower_small_floats(module);
    set_attributes(module, *machine, options); // of what is new
    verify(module, "lowering for the host");

    Options middle = options;
    const auto any_of = [&](PhaseCode form) {
        return llvm::any_of(forms, [&](const auto& entry) { return entry.second == form; });
    };
    // As little as is worth it, where there is so much.
    if (any_of(PhaseCode::scalar)) middle.optimization_level = std::min<uint8_t>(options.optimization_level, 1);
    const bool in_tiles = llvm::all_of(kernels, [](const KernelInfo& kernel) { return kernel.tile_columns != 0; });
    const bool some_alone = !image.remarks.empty();
    if (in_tiles && (!some_alone || middle.optimization_level > 1)) {
        optimize_vectors(module, *machine);
        if (some_alone) optimize_loops_of_threads(module, *machine);
    } else {
        optimize(module, *machine, middle);
    }
    put_masks_together_as_words(module, *machine);
    keep_numbers_against_nans(module);
    diagnostics.check();
    image.kernels = std::move(kernels);
    if (after_stage && !after_stage("optimized", text_of(module))) return image;
    if (after_stage && !after_stage("assembly", assembly_text(module, *machine))) return image;

    const bool brief = any_of(PhaseCode::scalar) || any_of(PhaseCode::brief);
    const llvm::SmallVector<char, 0> bytes = emit(module, *machine, llvm::CodeGenFileType::ObjectFile, !brief);
    diagnostics.check();
    const llvm::StringRef object(bytes.data(), bytes.size());
    const llvm::StringMap<uint64_t> frames = frame_sizes(object);
    for (KernelInfo& kernel : image.kernels) kernel.local_bytes = frame_of(kernel, frames);
    image.code = link_host(object, options.debug_info);
    return image;
}

} // namespace ptx
