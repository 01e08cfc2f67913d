#pragma once

#include "ast_to_llvm/emitter.h"
#include "ast_to_llvm/module_context.h"

#include <llvm/ADT/DenseMap.h>
#include <llvm/ADT/SmallVector.h>

namespace ptx::ast_to_llvm {

/// Makes one LLVM function. Registers, parameters, results and locals start as allocas of the entry block; what can be
/// promoted to SSA values is when the body is complete. Beyond Emitter it offers what control flow and calls need.
class FunctionLowering final : public Emitter {
  public:
    FunctionLowering(ModuleContext& context, const Function& source);
    /// Throws ptx::Error; the LLVM function is then unusable.
    void run();

    // Emitter: operands.cpp
    llvm::IRBuilder<>& ir() override { return builder_; }
    llvm::Module& module() override { return context_.module(); }
    const Module& source() override { return context_.source(); }
    const Function& function() override { return source_; }
    llvm::Type* type_of(Type) override;
    llvm::Value* read(const Operand&, Type type) override;
    void write(const Operand&, llvm::Value* value, Type type) override;
    Type declared_type(const Operand&) override;
    llvm::Value* pointer(const Operand& address, Space space) override;
    llvm::Value* address(const Operand& address, Space space) override;
    llvm::Value* carry_flag() override;
    llvm::CallInst* call(llvm::StringRef name, llvm::Type* result, llvm::ArrayRef<llvm::Value*> arguments,
                         bool convergent) override;

    // Control flow
    llvm::BasicBlock* block_of(LabelId);
    llvm::BasicBlock* new_block(const char* name);
    /// Where execution goes on after the instruction being lowered; terminates the current block.
    void continue_in(llvm::BasicBlock*);
    /// Leaves the function as `ret` does.
    void return_to_caller();
    void unreachable() { builder_.CreateUnreachable(); }

    // Memory that symbols name
    ModuleContext& context() { return context_; }
    /// The variable a symbol operand names; null for functions and unknown names.
    const Variable* variable(const Operand& symbol) const;
    /// What holds a parameter, result or local that lies in memory of this thread.
    llvm::Value* slot(const Operand& symbol);
    /// The state space in which `address` is accessed by an instruction that names `space`.
    Space effective_space(const Operand& address, Space space) const;
    /// How far the access can be trusted to be aligned, at most `natural`.
    llvm::Align alignment(const Operand& address, uint64_t natural) const;
    llvm::AllocaInst* entry_alloca(llvm::Type*, const llvm::Twine& name, llvm::MaybeAlign = {});
    /// A pointer to this thread's memory as the integer that a register holds, and as what a callee takes.
    llvm::Value* to_local_pointer(llvm::Value* pointer);

  private:
    using Slots = llvm::SmallVector<llvm::Value*, 0>;

    void make_formals();
    void make_result(size_t index, RegisterId& next);
    void make_parameter(size_t index, RegisterId& next);
    Operand formal_register(const Variable&, RegisterId) const;
    llvm::Value* result_value(size_t index);
    void lower_body();
    void lower(const Instruction&);
    void lower_guarded(const Instruction&);
    void enter_labels(size_t instruction);
    void promote();

    llvm::Value* register_slot(const Operand&);
    llvm::Value* vector_part(const Operand&);
    llvm::Value* local_slot(LocalId);
    llvm::Value* read_register(const Operand&, Type type);
    llvm::Value* read_special(const Operand&);
    llvm::Value* read_vector(const Operand&, unsigned bits);
    llvm::Value* constant(const Operand&, Type type);
    llvm::Value* floating_constant(const Operand&, Type type);
    llvm::Value* symbol_address(const Operand&, int64_t offset);
    llvm::Value* integer_of(llvm::Value*);
    llvm::Value* resize(llvm::Value* integer, unsigned bits, bool sign);
    llvm::Value* global_address(const Variable&, const Function* owner, Position where);
    llvm::Value* kernel_parameter(LocalId, Position where);
    llvm::Value* shared_address(const Variable&, Position, int64_t offset);
    uint32_t shared_offset(const Variable&, Position where) const;
    Operand component_of(const Operand& special, unsigned lane) const;
    llvm::Value* at_offset(llvm::Value* pointer, int64_t offset);

    ModuleContext& context_;
    const Function& source_;
    llvm::Function* result_;
    llvm::IRBuilder<> builder_;
    llvm::BasicBlock* entry_ = nullptr; ///< allocas and parameters only
    Slots registers_, parameters_, results_, locals_;
    llvm::DenseMap<RegisterId, llvm::SmallVector<llvm::Value*, 4>> vector_registers_;
    llvm::SmallVector<llvm::BasicBlock*, 0> labels_;
    llvm::SmallVector<LabelId, 0> labels_in_order_;
    size_t next_label_ = 0;
    llvm::Value* carry_ = nullptr;
};

/// Lowerings of control flow and calls need more than an Emitter; there is but one kind.
inline FunctionLowering& lowering(Emitter& emitter) { return static_cast<FunctionLowering&>(emitter); }

} // namespace ptx::ast_to_llvm
