#include "ast_to_llvm/module_context.h"

#include "ast_to_ast/layout_globals.h"
#include "ast_to_llvm/types.h"

#include <llvm/ADT/StringRef.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/Module.h>

namespace ptx::ast_to_llvm {

ModuleContext::ModuleContext(llvm::Module& module, const Prepared& prepared)
    : shared(layout_shared(prepared)), module_(module), prepared_(prepared) {
    for (const Variable& variable : source().variables) variables_[variable.name] = &variable;
    size_t number = 0;
    for (const auto& function : source().functions) numbers_[function.get()] = ++number;
}

bool ModuleContext::has_clusters() const {
    constexpr unsigned first_with_clusters = 90;
    llvm::StringRef target = source().target;
    unsigned architecture = 0;
    return target.consume_front("sm_") && !target.consumeInteger(10, architecture) &&
           architecture >= first_with_clusters;
}

const KernelInfo& ModuleContext::kernel(const Function& entry) const {
    return prepared_.info.kernels[prepared_.kernel_indices.at(entry.name)];
}

llvm::Function* ModuleContext::function(const Function& source) {
    llvm::Function*& known = functions_[&source];
    if (known) return known;
    llvm::LLVMContext& context = module_.getContext();
    auto* type = source.is_entry ? llvm::FunctionType::get(llvm::Type::getVoidTy(context), false)
                                 : function_type(context, source.results, source.parameters);
    auto linkage = source.is_entry ? llvm::Function::ExternalLinkage : llvm::Function::InternalLinkage;
    known = llvm::Function::Create(type, linkage, source.name, module_);
    known->setDoesNotThrow();
    known->setConvergent();
    if (source.is_entry)
        known->addFnAttr("cuttle.kernel");
    else
        known->addFnAttr("cuttle.number", std::to_string(numbers_.lookup(&source)));
    if (source.noreturn) known->setDoesNotReturn();
    if (source.has_body) to_lower_.push_back(&source);
    return known;
}

const Function* ModuleContext::next_to_lower() {
    if (to_lower_.empty()) return nullptr;
    const Function* next = to_lower_.back();
    to_lower_.pop_back();
    return next;
}

uint64_t ModuleContext::global_offset(const Variable& variable, const Function* owner, Position where) const {
    if (!owner) return prepared_.offset_of(variable.name, where);
    return prepared_.offset_of(name_of_local_global(*owner, variable), where);
}

} // namespace ptx::ast_to_llvm
