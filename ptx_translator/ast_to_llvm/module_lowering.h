#pragma once

#include "ast_to_ast/prepare.h"
#include "ptx/image.h"

#include <memory>
#include <string>
#include <vector>

namespace llvm {
class Module;
} // namespace llvm

namespace ptx::ast_to_llvm {

/// What to lower, by name: Request::kernels and Request::functions.
struct Selection {
    std::vector<std::string> kernels, functions;
};

struct Lowered {
    std::unique_ptr<llvm::Module> module;
    std::vector<KernelInfo> kernels; ///< those in `module`
    std::vector<KernelInfo> failed;  ///< those that were not asked for by name and have an error
};

/// Fills an empty module, whose data layout is set, with the neutral IR (docs/neutral_ir.md) of the selected functions
/// and all they reach. Throws ptx::Error when one asked for by name cannot be lowered, std::runtime_error when the IR
/// is wrong by LLVM's rules, which is a bug here.
Lowered lower(std::unique_ptr<llvm::Module>, const Prepared&, const Selection&, const Options&);

} // namespace ptx::ast_to_llvm
