#include "ast_to_llvm/module_lowering.h"

#include "ast_to_llvm/debug_locations.h"
#include "ast_to_llvm/function_lowering.h"
#include "ast_to_llvm/insert_spins.h"

#include <llvm/ADT/SetVector.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/Support/raw_ostream.h>

#include <memory>

namespace ptx::ast_to_llvm {
namespace {

class ModuleLowering {
  public:
    ModuleLowering(std::unique_ptr<llvm::Module> module, const Prepared& prepared, const Selection& selection,
                   const Options& options)
        : prepared_(prepared), selection_(selection), module_(std::move(module)), context_(*module_, prepared) {
        if (options.debug_info) debug_ = std::make_unique<DebugLocations>(*module_, *prepared.module);
        context_.debug = debug_.get();
    }

    Lowered run() {
        Lowered result;
        select_kernels(result);
        select_functions();
        lower_all();
        if (calls_by_number() && calls_indirectly()) {
            for (const Function* function : prepared_.calls->address_taken())
                if (!function->is_entry && function->has_body) context_.function(*function);
            lower_all();
        }
        keep_sound_kernels(result);
        for (const std::string& name : selection_.functions) require_sound(find(name));
        erase_failed();
        if (debug_) debug_->finish();
        insert_spins(*module_);
        verify();
        result.module = std::move(module_);
        return result;
    }

  private:
    void lower_all() {
        while (const Function* function = context_.next_to_lower()) lower_function(*function);
    }

    /// Whether an indirect call must be able to choose among all functions: docs/neutral_ir.md, "AMDGPU".
    bool calls_by_number() const {
        const llvm::Triple& triple = module_->getTargetTriple();
        return triple.isAMDGCN() || triple.isSPIRV();
    }

    bool calls_indirectly() const {
        return llvm::any_of(*module_, [](const llvm::Function& function) {
            return llvm::any_of(llvm::instructions(function), [](const llvm::Instruction& instruction) {
                const auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction);
                return call && call->isIndirectCall();
            });
        });
    }

    const Function& find(const std::string& name) const {
        const Function* function = context_.find_function(name);
        if (!function || !function->has_body) throw Error({}, "there is no function '" + name + "' in this module");
        return *function;
    }

    /// Throws the error of a function or of the first function it reaches that has one.
    void require_sound(const Function& root) const {
        if (const Error* error = error_of(root)) throw *error;
    }

    void select_kernels(Lowered& result) {
        if (selection_.kernels.empty() && selection_.functions.empty()) {
            for (const KernelInfo& kernel : prepared_.info.kernels) {
                if (kernel.error.empty())
                    candidates_.push_back(&find(kernel.name));
                else
                    result.failed.push_back(kernel);
            }
        }
        for (const std::string& name : selection_.kernels) {
            const Function& function = find(name);
            if (!function.is_entry) throw Error(function.where, "'" + name + "' is not a kernel");
            candidates_.push_back(&function);
        }
        for (const Function* kernel : candidates_) context_.function(*kernel);
    }

    void select_functions() {
        for (const std::string& name : selection_.functions) {
            llvm::Function* function = context_.function(find(name));
            function->setLinkage(llvm::GlobalValue::ExternalLinkage);
            function->addFnAttr("cuttle.addressable");
        }
    }

    void lower_function(const Function& function) {
        try {
            if (function.abridged) throw std::logic_error("'" + function.name + "' was not read in full");
            for (const Diagnostic& diagnostic : function.errors)
                if (diagnostic.severity == Severity::error) throw Error(diagnostic.where, diagnostic.message);
            FunctionLowering(context_, function).run();
        } catch (const Error& error) {
            llvm::Function* broken = context_.function(function);
            broken->deleteBody();
            errors_.emplace(broken, error);
        }
    }

    const Error* error_of(const Function& root) const {
        if (errors_.empty()) return nullptr;
        for (const llvm::Function* function : reachable({context_.function(root)}))
            if (auto found = errors_.find(function); found != errors_.end()) return &found->second;
        return nullptr;
    }

    using Functions = llvm::SetVector<const llvm::Function*>;

    static Functions reachable(std::vector<const llvm::Function*> work) {
        Functions seen;
        while (!work.empty()) {
            const llvm::Function* function = work.back();
            work.pop_back();
            if (!seen.insert(function)) continue;
            for (const llvm::Instruction& instruction : llvm::instructions(*function))
                for (const llvm::Value* operand : instruction.operand_values()) add_functions(operand, work);
        }
        return seen;
    }

    /// Functions that a value names, through the constant expressions around it.
    static void add_functions(const llvm::Value* value, std::vector<const llvm::Function*>& work) {
        if (auto* function = llvm::dyn_cast<llvm::Function>(value)) return work.push_back(function);
        auto* expression = llvm::dyn_cast<llvm::ConstantExpr>(value);
        if (!expression) return;
        for (const llvm::Value* operand : expression->operand_values()) add_functions(operand, work);
    }

    void keep_sound_kernels(Lowered& result) {
        for (const Function* kernel : candidates_) {
            const Error* error = error_of(*kernel);
            if (error && !selection_.kernels.empty()) throw *error;
            KernelInfo info = context_.kernel(*kernel);
            if (error) {
                info.error = error->diagnostic().text();
                result.failed.push_back(std::move(info));
                broken_kernels_.push_back(context_.function(*kernel));
                continue;
            }
            auto bytes = context_.shared.static_bytes.find(kernel);
            info.static_shared_bytes = bytes == context_.shared.static_bytes.end() ? 0 : bytes->second;
            note_shared_bytes(*context_.function(*kernel), info.static_shared_bytes);
            result.kernels.push_back(std::move(info));
        }
    }

    static void note_shared_bytes(llvm::Function& kernel, uint32_t bytes) {
        auto& context = kernel.getContext();
        auto* number = llvm::ConstantInt::get(llvm::Type::getInt32Ty(context), bytes);
        kernel.setMetadata("cuttle.shared.static", llvm::MDNode::get(context, {llvm::ConstantAsMetadata::get(number)}));
    }

    /// Only kernels that were not asked for reach broken functions now, and those go.
    void erase_failed() {
        if (errors_.empty()) return;
        std::vector<const llvm::Function*> roots;
        for (const llvm::Function& function : *module_)
            if (!function.hasLocalLinkage() && !llvm::is_contained(broken_kernels_, &function))
                roots.push_back(&function);
        const Functions kept = reachable(std::move(roots));
        std::vector<llvm::Function*> erased;
        for (llvm::Function& function : *module_)
            if (!kept.contains(&function)) erased.push_back(&function);
        for (llvm::Function* function : erased) function->deleteBody();
        for (llvm::Function* function : erased) function->removeDeadConstantUsers();
        for (llvm::Function* function : erased) function->eraseFromParent();
    }

    void verify() const {
        std::string text;
        llvm::raw_string_ostream stream(text);
        if (!llvm::verifyModule(*module_, &stream)) return;
        std::string name = "module";
        for (const llvm::Function& function : *module_)
            if (llvm::verifyFunction(function)) {
                name = function.getName().str();
                break;
            }
        throw std::runtime_error("internal error: wrong LLVM IR for '" + name + "': " + text);
    }

    const Prepared& prepared_;
    const Selection& selection_;
    std::unique_ptr<llvm::Module> module_;
    mutable ModuleContext context_;
    std::unique_ptr<DebugLocations> debug_;
    std::vector<const Function*> candidates_;
    std::vector<llvm::Function*> broken_kernels_;
    std::unordered_map<const llvm::Function*, Error> errors_;
};

} // namespace

Lowered lower(std::unique_ptr<llvm::Module> module, const Prepared& prepared, const Selection& selection,
              const Options& options) {
    return ModuleLowering(std::move(module), prepared, selection, options).run();
}

} // namespace ptx::ast_to_llvm
