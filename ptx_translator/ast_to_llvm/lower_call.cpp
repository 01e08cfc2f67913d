#include "ast_to_llvm/function_lowering.h"
#include "ast_to_llvm/types.h"
#include "isa/runtime_functions.h"

#include <span>

/// call. PTX ISA 9.7.12.5; parameters as docs/neutral_ir.md, "Functions".
namespace ptx::ast_to_llvm {
namespace {

class Call {
  public:
    Call(Emitter& emitter, const Instruction& instruction)
        : function_(lowering(emitter)), ir_(emitter.ir()), instruction_(instruction) {
        if (instruction.operands.size() < 3) throw Error(instruction.where, "call lacks a target");
    }

    void emit() {
        const Operand& target = instruction_.operands[1];
        if (target.kind == Operand::Kind::reg) return call_indirect(target);
        if (target.kind != Operand::Kind::symbol) throw Error(target.where, "call wants a function or a register");
        const Function* callee = function_.context().find_function(target.name);
        if (callee && callee->has_body) {
            if (callee->is_entry) throw Error(target.where, "'" + target.name + "' is a kernel and cannot be called");
            return call_function(callee->results, callee->parameters, function_.context().function(*callee));
        }
        if (const RuntimeFunction known = runtime_function(target.name); !known.name.empty())
            return known.device_call < 0 ? call_runtime(known) : call_device(known);
        throw Error(target.where, "unresolved function '" + target.name + "'");
    }

  private:
    std::span<const Operand> results() const { return instruction_.operands[0].elements; }
    std::span<const Operand> arguments() const { return instruction_.operands[2].elements; }

    void check_count(size_t results_wanted, size_t arguments_wanted) const {
        if (arguments().size() != arguments_wanted)
            throw Error(instruction_.where, "call passes " + std::to_string(arguments().size()) + " arguments, " +
                                                std::to_string(arguments_wanted) + " are wanted");
        if (results().size() > results_wanted)
            throw Error(instruction_.where, "call wants more results than there are");
    }

    const Variable* memory_of(const Operand& operand) const {
        return operand.kind == Operand::Kind::symbol ? function_.variable(operand) : nullptr;
    }

    llvm::Value* checked_slot(const Operand& operand, uint64_t bytes) {
        const Variable* named = memory_of(operand);
        if (!named || named->space != Space::param) throw Error(operand.where, "expected a .param variable");
        if (named->size() < bytes && !(named->type == Type::pred && bytes == 4))
            throw Error(operand.where, "'" + named->name + "' is smaller than what is passed in it");
        return function_.slot(operand);
    }

    static Type bits_type(unsigned bits) {
        return bits == 8    ? Type::b8
               : bits == 16 ? Type::b16
               : bits == 32 ? Type::b32
               : bits == 64 ? Type::b64
                            : Type::b128;
    }

    llvm::Value* scalar_argument(const Operand& operand, unsigned bits) {
        auto* type = ir_.getIntNTy(bits);
        if (memory_of(operand)) return ir_.CreateLoad(type, checked_slot(operand, bits / 8));
        if (function_.declared_type(operand) == Type::pred)
            return ir_.CreateZExt(function_.read(operand, Type::pred), type);
        return function_.read(operand, bits_type(bits));
    }

    void write_scalar(const Operand& operand, llvm::Value* value) {
        unsigned bits = value->getType()->getIntegerBitWidth();
        if (memory_of(operand))
            ir_.CreateStore(value, checked_slot(operand, bits / 8));
        else
            function_.write(operand, value, bits_type(bits));
    }

    llvm::Value* runtime_argument(const Operand& operand, char kind) {
        if (kind != 'd') return scalar_argument(operand, kind == 'i' ? 32 : 64);
        constexpr uint64_t three_extents = 12;
        return generic_address(checked_slot(operand, three_extents));
    }

    llvm::Value* generic_address(llvm::Value* slot) {
        return function_.call("cuttle.cvta.local", ir_.getInt64Ty(), {ir_.CreatePtrToInt(slot, ir_.getInt64Ty())},
                              false);
    }

    void call_runtime(const RuntimeFunction& known) {
        check_count(known.result ? 1 : 0, known.arguments.size());
        std::vector<llvm::Value*> values;
        for (size_t i = 0; i < known.arguments.size(); ++i)
            values.push_back(runtime_argument(arguments()[i], known.arguments[i]));
        if (!known.neutral) {
            ir_.CreateStore(values[1], ir_.CreateIntToPtr(values[0], ir_.getPtrTy(1)));
            return;
        }
        auto* type = known.result ? static_cast<llvm::Type*>(ir_.getIntNTy(known.result)) : ir_.getVoidTy();
        auto* value = function_.call(known.neutral, type, values, false);
        if (known.result && !results().empty()) write_scalar(results()[0], value);
    }

    /// The arguments travel as an array of words.
    void call_device(const RuntimeFunction& known) {
        check_count(1, known.arguments.size());
        auto* words = function_.entry_alloca(llvm::ArrayType::get(ir_.getInt64Ty(), 8), "device.arguments");
        for (size_t i = 0; i < known.arguments.size(); ++i) {
            auto* word = ir_.CreateConstInBoundsGEP1_64(ir_.getInt64Ty(), words, i);
            ir_.CreateStore(ir_.CreateZExt(runtime_argument(arguments()[i], known.arguments[i]), ir_.getInt64Ty()),
                            word);
        }
        auto* value =
            function_.call(known.neutral, ir_.getInt64Ty(),
                           {ir_.getInt32(static_cast<uint32_t>(known.device_call)), generic_address(words)}, false);
        if (!results().empty()) write_scalar(results()[0], ir_.CreateTrunc(value, ir_.getIntNTy(known.result)));
    }

    /// A result that does not travel as the return value, and the memory it travels in.
    struct Outgoing {
        const Operand* operand;
        llvm::AllocaInst* temporary;
    };

    void call_function(std::span<const Variable> result_types, std::span<const Variable> parameter_types,
                       llvm::Value* target) {
        check_count(result_types.size(), parameter_types.size());
        auto& context = function_.module().getContext();
        bool returns = returns_scalar(result_types);
        std::vector<llvm::Value*> values;
        std::vector<Outgoing> outgoing;
        for (size_t i = returns ? 1 : 0; i < result_types.size(); ++i) {
            const Operand* operand = i < results().size() ? &results()[i] : nullptr;
            if (operand && memory_of(*operand)) {
                values.push_back(function_.to_local_pointer(checked_slot(*operand, result_types[i].size())));
                continue;
            }
            auto* bytes = llvm::ArrayType::get(ir_.getInt8Ty(), std::max<uint64_t>(result_types[i].size(), 4));
            llvm::Type* type = bytes;
            if (is_scalar(result_types[i])) type = scalar_type(context, result_types[i]);
            outgoing.push_back({operand, function_.entry_alloca(type, "result")});
            values.push_back(function_.to_local_pointer(outgoing.back().temporary));
        }
        for (size_t i = 0; i < parameter_types.size(); ++i) {
            const Variable& parameter = parameter_types[i];
            if (is_scalar(parameter))
                values.push_back(scalar_argument(arguments()[i], scalar_type(context, parameter)->getBitWidth()));
            else
                values.push_back(function_.to_local_pointer(checked_slot(arguments()[i], parameter.size())));
        }
        auto* call = ir_.CreateCall(function_type(context, result_types, parameter_types), target, values);
        call->setConvergent();
        // A function of the program's own may have the name of one of libc's.
        call->addFnAttr(llvm::Attribute::NoBuiltin);
        if (returns && !results().empty()) write_scalar(results()[0], call);
        for (const Outgoing& out : outgoing) {
            if (!out.operand) continue;
            if (!out.temporary->getAllocatedType()->isIntegerTy())
                throw Error(out.operand->where, "an array result wants a .param variable");
            write_scalar(*out.operand, ir_.CreateLoad(out.temporary->getAllocatedType(), out.temporary));
        }
    }

    void call_indirect(const Operand& target) {
        if (instruction_.operands.size() < 4)
            throw Error(target.where, "an indirect call wants a prototype or targets");
        const std::string& name = instruction_.operands[3].name;
        auto* pointer = ir_.CreateIntToPtr(function_.read(target, Type::b64), ir_.getPtrTy());
        for (const Prototype& prototype : function_.function().prototypes)
            if (prototype.name == name) return call_function(prototype.results, prototype.parameters, pointer);
        for (const CallTargets& targets : function_.function().call_targets) {
            if (targets.name != name || targets.functions.empty()) continue;
            const Function* first = function_.context().find_function(targets.functions.front());
            if (!first) throw Error(target.where, "unresolved function '" + targets.functions.front() + "'");
            return call_function(first->results, first->parameters, pointer);
        }
        throw Error(target.where, "no prototype or list of targets '" + name + "'");
    }

    FunctionLowering& function_;
    llvm::IRBuilder<>& ir_;
    const Instruction& instruction_;
};

} // namespace

void lower_call(Emitter& emitter, const Instruction& instruction) { Call(emitter, instruction).emit(); }

} // namespace ptx::ast_to_llvm
