#include "ast_to_llvm/cuttle_functions.h"

#include <llvm/ADT/STLExtras.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/Module.h>

namespace ptx::ast_to_llvm {
namespace {

enum class Effects { pure, hidden, memory, noreturn };

struct Row {
    llvm::StringLiteral prefix;
    Effects effects;
};

constexpr Row rows[] = {
#define CUTTLE_FUNCTION(prefix, effects) {llvm::StringLiteral(prefix), Effects::effects},
#include "ast_to_llvm/cuttle_functions.def"
};

Effects effects_of(llvm::StringRef name) {
    for (const Row& row : rows)
        if (name.starts_with(row.prefix)) return row.effects;
    return Effects::memory;
}

void add_attributes(llvm::Function& function, Effects effects) {
    function.setDoesNotThrow();
    switch (effects) {
    case Effects::pure:
        function.setDoesNotAccessMemory();
        function.setWillReturn();
        function.addFnAttr(llvm::Attribute::Speculatable);
        return;
    case Effects::hidden:
        function.setMemoryEffects(llvm::MemoryEffects::inaccessibleMemOnly());
        return;
    case Effects::memory:
        return;
    case Effects::noreturn:
        function.setDoesNotReturn();
        return;
    }
}

} // namespace

llvm::Function* cuttle_function(llvm::Module& module, llvm::StringRef name, llvm::Type* result,
                                llvm::ArrayRef<llvm::Value*> arguments, bool convergent) {
    if (llvm::Function* known = module.getFunction(name)) return known;
    llvm::SmallVector<llvm::Type*, 8> types;
    for (const llvm::Value* argument : arguments) types.push_back(argument->getType());
    auto* type = llvm::FunctionType::get(result, types, false);
    auto* function = llvm::Function::Create(type, llvm::Function::ExternalLinkage, name, module);
    add_attributes(*function, effects_of(name));
    if (convergent) function->setConvergent();
    return function;
}

} // namespace ptx::ast_to_llvm
