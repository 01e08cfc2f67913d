#pragma once

#include <llvm/Passes/PassBuilder.h>

namespace ptx {

/// The managers that every pass run needs, wired together.
struct Passes {
    llvm::LoopAnalysisManager loops;
    llvm::FunctionAnalysisManager functions;
    llvm::CGSCCAnalysisManager graph;
    llvm::ModuleAnalysisManager modules;
    llvm::PassBuilder builder;

    /// Without a machine, passes know none.
    explicit Passes(llvm::TargetMachine* machine = nullptr) : builder(machine) {
        builder.registerModuleAnalyses(modules);
        builder.registerCGSCCAnalyses(graph);
        builder.registerFunctionAnalyses(functions);
        builder.registerLoopAnalyses(loops);
        builder.crossRegisterProxies(loops, functions, graph, modules);
    }
};

} // namespace ptx
