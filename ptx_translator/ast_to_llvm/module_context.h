#pragma once

#include "ast_to_ast/prepare.h"
#include "ast_to_llvm/shared_layout.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/StringMap.h>

#include <string>
#include <vector>

namespace llvm {
class Function;
class Module;
} // namespace llvm

namespace ptx::ast_to_llvm {

class DebugLocations;

/// What the functions of one translation have in common.
class ModuleContext {
  public:
    ModuleContext(llvm::Module& module, const Prepared& prepared);

    llvm::Module& module() { return module_; }
    const Module& source() const { return *prepared_.module; }
    const ModuleInfo& info() const { return prepared_.info; }
    /// The module's .target is of an architecture with clusters.
    bool has_clusters() const;

    const SharedLayout shared;
    DebugLocations* debug = nullptr; ///< null without debug information

    /// The definition, or the prototype if there is none, of a name; follows .alias. Null when there is no such thing.
    const Function* find_function(const std::string& name) const { return prepared_.calls->find(name); }
    const KernelInfo& kernel(const Function& entry) const;
    /// The LLVM function of a PTX function, declared on first use.
    llvm::Function* function(const Function&);
    /// A function that was declared since the last call and has a body to lower; null when there is none.
    const Function* next_to_lower();
    /// Where a .global or .const variable lies in the module's block; throws when it has no place there.
    uint64_t global_offset(const Variable&, const Function* owner, Position where) const;
    /// Where the place of a kernel lies in the module's block: what device code launches it by.
    uint64_t kernel_address(const Function& entry, Position where) const {
        return prepared_.offset_of(entry.name, where);
    }
    const Variable* find_variable(const std::string& name) const { return variables_.lookup(name); }

  private:
    llvm::Module& module_;
    const Prepared& prepared_;
    llvm::StringMap<const Variable*> variables_;
    llvm::DenseMap<const Function*, llvm::Function*> functions_;
    llvm::DenseMap<const Function*, size_t> numbers_; ///< of functions, from 1, in the order of the module
    std::vector<const Function*> to_lower_;
};

} // namespace ptx::ast_to_llvm
