#include "ast_to_llvm/function_lowering.h"
#include "ast_to_llvm/types.h"

#include <llvm/IR/DataLayout.h>
#include <llvm/IR/Module.h>
#include <llvm/Support/MathExtras.h>

#include <algorithm>

/// The part of FunctionLowering that finds where symbols and addresses are.
namespace ptx::ast_to_llvm {
namespace {

unsigned address_space(Space space) {
    switch (space) {
    case Space::global:
        return global_space;
    case Space::shared:
    case Space::shared_cluster:
        return shared_space;
    case Space::constant:
    case Space::param:
        return constant_space;
    case Space::local:
        return local_space;
    default:
        return generic_space;
    }
}

bool is_shared(Space space) { return space == Space::shared || space == Space::shared_cluster; }

} // namespace

const Variable* FunctionLowering::variable(const Operand& symbol) const {
    switch (symbol.symbol_kind) {
    case Operand::SymbolKind::local:
        return &source_.locals[static_cast<size_t>(symbol.local_id)];
    case Operand::SymbolKind::parameter:
        return &source_.parameters[static_cast<size_t>(symbol.local_id)];
    case Operand::SymbolKind::result:
        return &source_.results[static_cast<size_t>(symbol.local_id)];
    case Operand::SymbolKind::module:
        return context_.find_variable(symbol.name);
    default:
        return nullptr;
    }
}

llvm::Value* FunctionLowering::slot(const Operand& symbol) {
    switch (symbol.symbol_kind) {
    case Operand::SymbolKind::parameter:
        return parameters_[static_cast<size_t>(symbol.local_id)];
    case Operand::SymbolKind::result:
        return results_[static_cast<size_t>(symbol.local_id)];
    case Operand::SymbolKind::local:
        return local_slot(symbol.local_id);
    default:
        throw Error(symbol.where, "'" + symbol.name + "' does not lie in memory of the thread");
    }
}

llvm::Value* FunctionLowering::local_slot(LocalId id) {
    llvm::Value*& slot = locals_[static_cast<size_t>(id)];
    if (slot) return slot;
    const Variable& local = source_.locals[static_cast<size_t>(id)];
    constexpr uint64_t most_local_bytes = 512 << 10; // CUDA C++ Programming Guide, "Technical Specifications"
    if (local.size() > most_local_bytes)
        throw Error(local.where, "'" + local.name + "' exceeds a thread's local memory");
    llvm::MaybeAlign alignment;
    if (local.alignment) alignment = llvm::Align(local.alignment);
    if (is_scalar(local)) return slot = entry_alloca(scalar_type(module().getContext(), local), local.name, alignment);
    auto* bytes = llvm::ArrayType::get(builder_.getInt8Ty(), std::max<uint64_t>(local.size(), 1));
    return slot = entry_alloca(bytes, local.name, alignment);
}

llvm::Value* FunctionLowering::to_local_pointer(llvm::Value* pointer) {
    if (pointer->getType()->getPointerAddressSpace() == local_space) return pointer;
    llvm::Value* address = builder_.CreatePtrToInt(pointer, builder_.getInt64Ty());
    return builder_.CreateIntToPtr(address, llvm::PointerType::get(module().getContext(), local_space));
}

uint32_t FunctionLowering::shared_offset(const Variable& variable, Position where) const {
    auto found = context_.shared.offsets.find(&variable);
    if (found == context_.shared.offsets.end()) throw Error(where, "variable '" + variable.name + "' has no place");
    return found->second;
}

llvm::Value* FunctionLowering::global_address(const Variable& variable, const Function* owner, Position where) {
    uint64_t offset = context_.global_offset(variable, owner, where);
    return call("cuttle.global.address", builder_.getInt64Ty(), {builder_.getInt64(offset)}, false);
}

llvm::Value* FunctionLowering::kernel_parameter(LocalId id, Position where) {
    const KernelInfo& kernel = context_.kernel(source_);
    if (kernel.parameters.size() <= static_cast<size_t>(id))
        throw Error(where, "no layout of the parameters of '" + source_.name + "'");
    auto* block =
        call("cuttle.kernel.parameters", llvm::PointerType::get(module().getContext(), constant_space), {}, false);
    return at_offset(block, kernel.parameters[static_cast<size_t>(id)].offset);
}

llvm::Value* FunctionLowering::at_offset(llvm::Value* pointer, int64_t offset) {
    if (offset == 0) return pointer;
    // One getelementptr for the two offsets of a parameter and of the access to it.
    if (auto* step = llvm::dyn_cast<llvm::GetElementPtrInst>(pointer))
        if (auto* known = llvm::dyn_cast<llvm::ConstantInt>(step->getOperand(1))) {
            offset += known->getSExtValue();
            pointer = step->getPointerOperand();
        }
    return builder_.CreateConstGEP1_64(builder_.getInt8Ty(), pointer, static_cast<uint64_t>(offset));
}

/// Where clusters exist, a CTA's variables begin at its window among those of its cluster.
llvm::Value* FunctionLowering::shared_address(const Variable& variable, Position where, int64_t offset) {
    llvm::Value* address = variable.is_unsized
                               ? builder_.CreateAdd(call("cuttle.shared.dynamic", builder_.getInt32Ty(), {}, false),
                                                    builder_.getInt32(static_cast<uint32_t>(offset)))
                               : builder_.getInt32(shared_offset(variable, where) + static_cast<uint32_t>(offset));
    if (!context_.has_clusters()) return address;
    llvm::Value* window = call("cuttle.shared.window", builder_.getInt32Ty(), {}, false);
    return builder_.CreateAdd(window, address);
}

/// The address of a symbol in its own state space: i32 for shared, i64 else.
llvm::Value* FunctionLowering::symbol_address(const Operand& symbol, int64_t offset) {
    auto with_offset = [&](llvm::Value* address) {
        return offset == 0 ? address
                           : builder_.CreateAdd(address, builder_.getIntN(address->getType()->getIntegerBitWidth(),
                                                                          static_cast<uint64_t>(offset)));
    };
    if (symbol.symbol_kind == Operand::SymbolKind::function || symbol.symbol_kind == Operand::SymbolKind::unresolved) {
        const Function* named = context_.find_function(symbol.name);
        if (!named || !named->has_body) throw Error(symbol.where, "unresolved symbol '" + symbol.name + "'");
        if (named->is_entry)
            return with_offset(call("cuttle.global.address", builder_.getInt64Ty(),
                                    {builder_.getInt64(context_.kernel_address(*named, symbol.where))}, false));
        return with_offset(builder_.CreatePtrToInt(context_.function(*named), builder_.getInt64Ty()));
    }
    const Variable* named = variable(symbol);
    if (!named) throw Error(symbol.where, "unresolved symbol '" + symbol.name + "'");
    const Function* owner = symbol.symbol_kind == Operand::SymbolKind::local ? &source_ : nullptr;
    switch (named->space) {
    case Space::shared:
        return shared_address(*named, symbol.where, offset);
    case Space::global:
    case Space::constant:
        return with_offset(global_address(*named, owner, symbol.where));
    case Space::local:
        if (!owner) throw Error(symbol.where, ".local variable '" + named->name + "' outside of functions");
        [[fallthrough]];
    case Space::param: {
        bool of_kernel = source_.is_entry && symbol.symbol_kind == Operand::SymbolKind::parameter;
        llvm::Value* place = of_kernel ? kernel_parameter(symbol.local_id, symbol.where) : slot(symbol);
        return with_offset(builder_.CreatePtrToInt(place, builder_.getInt64Ty()));
    }
    default:
        throw Error(symbol.where, "'" + named->name + "' has no address");
    }
}

Space FunctionLowering::effective_space(const Operand& address, Space space) const {
    const Operand& base = address.base();
    if (base.kind != Operand::Kind::symbol) return space == Space::param && !source_.is_entry ? Space::local : space;
    const Variable* named = variable(base);
    if (!named) return space;
    if (named->space != Space::param) return space == Space::generic ? named->space : space;
    bool of_kernel = source_.is_entry && base.symbol_kind == Operand::SymbolKind::parameter;
    return of_kernel ? Space::param : Space::local;
}

llvm::Value* FunctionLowering::address(const Operand& address, Space space) {
    const Operand& base = address.base();
    space = effective_space(address, space);
    unsigned bits = is_shared(space) ? 32 : 64;
    if (base.kind == Operand::Kind::symbol)
        return resize(symbol_address(base, base.offset + address.offset), bits, false);
    if (base.kind == Operand::Kind::integer)
        return builder_.getIntN(bits, base.integer + static_cast<uint64_t>(address.offset));
    Type declared = declared_type(base);
    if (declared == Type::none) throw Error(address.where, "this cannot be the base of an address");
    const TypeKind kind = kind_of(declared);
    if (kind != TypeKind::bits && kind != TypeKind::unsigned_integer && kind != TypeKind::signed_integer)
        throw Error(address.where, "a register of type ." + std::string(name_of(declared)) +
                                       " is no address: integer and untyped ones are");
    llvm::Value* value = resize(read(base, declared), bits, false);
    if (address.offset == 0) return value;
    return builder_.CreateAdd(value, builder_.getIntN(bits, static_cast<uint64_t>(address.offset)));
}

llvm::Value* FunctionLowering::pointer(const Operand& address, Space space) {
    const Operand& base = address.base();
    space = effective_space(address, space);
    const Variable* named = base.kind == Operand::Kind::symbol ? variable(base) : nullptr;
    if (named && (named->space == Space::local || named->space == Space::param)) {
        bool of_kernel = source_.is_entry && base.symbol_kind == Operand::SymbolKind::parameter;
        llvm::Value* place = of_kernel ? kernel_parameter(base.local_id, base.where) : slot(base);
        return at_offset(place, base.offset + address.offset);
    }
    auto* type = llvm::PointerType::get(module().getContext(), address_space(space));
    // Shared addresses are 32 bits wide and wrap there, so the offset is added before the conversion.
    if (is_shared(space) || address.offset == 0) return builder_.CreateIntToPtr(this->address(address, space), type);
    Operand without_offset = address;
    without_offset.offset = 0;
    return at_offset(builder_.CreateIntToPtr(this->address(without_offset, space), type), address.offset);
}

llvm::Align FunctionLowering::alignment(const Operand& address, uint64_t natural) const {
    const Operand& base = address.base();
    if (base.kind != Operand::Kind::symbol) return llvm::Align(natural);
    const Variable* named = variable(base);
    if (!named || (named->space != Space::param && named->space != Space::local)) return llvm::Align(natural);
    uint64_t declared = std::max<uint64_t>(named->alignment, 1);
    if (is_scalar(*named)) declared = std::max<uint64_t>(declared, size_of(named->type));
    uint64_t offset = static_cast<uint64_t>(base.offset + address.offset);
    return llvm::Align(std::min<uint64_t>(natural, llvm::MinAlign(declared, offset)));
}

} // namespace ptx::ast_to_llvm
