#include "llvm_to_code/loops_of_threads.h"

#include "simt_to_simd/passes.h"

#include <llvm/IR/Module.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Transforms/InstCombine/InstCombine.h>
#include <llvm/Transforms/Scalar/EarlyCSE.h>
#include <llvm/Transforms/Scalar/LICM.h>
#include <llvm/Transforms/Scalar/LoopLoadElimination.h>
#include <llvm/Transforms/Scalar/LoopPassManager.h>
#include <llvm/Transforms/Scalar/LoopRotation.h>
#include <llvm/Transforms/Scalar/LoopUnrollPass.h>
#include <llvm/Transforms/Scalar/SimplifyCFG.h>
#include <llvm/Transforms/Scalar/SROA.h>
#include <llvm/Transforms/Utils/SimplifyCFGOptions.h>
#include <llvm/Transforms/Vectorize/LoopVectorize.h>
#include <llvm/Transforms/Vectorize/SLPVectorizer.h>
#include <llvm/Transforms/Vectorize/VectorCombine.h>

namespace ptx::code {
namespace {

constexpr const char* mark = "cuttle-loop-of-threads";

llvm::SimplifyCFGOptions late() {
    return llvm::SimplifyCFGOptions()
        .forwardSwitchCondToPhi(true)
        .convertSwitchToLookupTable(true)
        .needCanonicalLoops(false)
        .hoistCommonInsts(true)
        .sinkCommonInsts(true);
}

} // namespace

void mark_loop_of_threads(llvm::Function& function) { function.addFnAttr(mark); }

void optimize_loops_of_threads(llvm::Module& module, llvm::TargetMachine& machine) {
    Passes managers(&machine);
    llvm::FunctionPassManager passes = managers.builder.buildFunctionSimplificationPipeline(
        llvm::OptimizationLevel::O3, llvm::ThinOrFullLTOPhase::None);
    passes.addPass(llvm::createFunctionToLoopPassAdaptor(llvm::LoopRotatePass()));
    passes.addPass(llvm::LoopVectorizePass());
    passes.addPass(llvm::LoopLoadEliminationPass());
    passes.addPass(llvm::InstCombinePass());
    passes.addPass(llvm::SimplifyCFGPass(late()));
    passes.addPass(llvm::SLPVectorizerPass());
    passes.addPass(llvm::VectorCombinePass());
    passes.addPass(llvm::InstCombinePass());
    passes.addPass(llvm::LoopUnrollPass(llvm::LoopUnrollOptions(3)));
    passes.addPass(llvm::SROAPass(llvm::SROAOptions::PreserveCFG));
    passes.addPass(llvm::InstCombinePass());
    passes.addPass(llvm::createFunctionToLoopPassAdaptor(llvm::LICMPass(llvm::LICMOptions()), true));
    passes.addPass(llvm::EarlyCSEPass());
    passes.addPass(llvm::SimplifyCFGPass(late()));
    for (llvm::Function& function : module)
        if (!function.isDeclaration() && function.hasFnAttribute(mark)) passes.run(function, managers.functions);
}

} // namespace ptx::code
