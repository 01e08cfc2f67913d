#include "ast_to_llvm/function_lowering.h"
#include "ast_to_llvm/memory_order.h"
#include "ast_to_llvm/vectors.h"

/// atom, red, fence and membar. PTX ISA 9.7.13.4 - 9.7.13.7.
namespace ptx::ast_to_llvm {
namespace {

using llvm::AtomicOrdering;
using llvm::AtomicRMWInst;

bool is_floating(Type type) {
    return kind_of(type) == TypeKind::floating || kind_of(type) == TypeKind::packed_floating;
}

bool is_half(Type type) {
    return type == Type::f16 || type == Type::bf16 || type == Type::f16x2 || type == Type::bf16x2;
}

AtomicRMWInst::BinOp operation_of(const Instruction& instruction, Type type) {
    bool is_float = is_floating(type);
    bool is_signed = kind_of(type) == TypeKind::signed_integer;
    switch (instruction.first_of({Modifier::and_, Modifier::or_, Modifier::xor_, Modifier::exch, Modifier::add,
                                  Modifier::inc, Modifier::dec, Modifier::min, Modifier::max})) {
    case Modifier::and_:
        return AtomicRMWInst::And;
    case Modifier::or_:
        return AtomicRMWInst::Or;
    case Modifier::xor_:
        return AtomicRMWInst::Xor;
    case Modifier::exch:
        return AtomicRMWInst::Xchg;
    case Modifier::add:
        return is_float ? AtomicRMWInst::FAdd : AtomicRMWInst::Add;
    case Modifier::inc:
        return AtomicRMWInst::UIncWrap;
    case Modifier::dec:
        return AtomicRMWInst::UDecWrap;
    // The minimum of a NaN and a number is the number, as in llvm.minnum.
    case Modifier::min:
        return is_float ? AtomicRMWInst::FMin : is_signed ? AtomicRMWInst::Min : AtomicRMWInst::UMin;
    case Modifier::max:
        return is_float ? AtomicRMWInst::FMax : is_signed ? AtomicRMWInst::Max : AtomicRMWInst::UMax;
    default:
        throw Error(instruction.where, instruction.opcode_text + " of this operation is not supported yet");
    }
}

class AtomicAccess {
  public:
    AtomicAccess(Emitter& emitter, const Instruction& instruction)
        : function_(lowering(emitter)), instruction_(instruction), type_(instruction.type()),
          is_red_(instruction.opcode == Opcode::red) {
        size_t least = (is_red_ ? 2u : 3u) + (is_exchange() ? 1u : 0u);
        if (type_ == Type::none || instruction.operands.size() < least)
            throw Error(instruction.where, instruction.opcode_text + " lacks a type or an operand");
        if (address().kind != Operand::Kind::address) throw Error(address().where, "expected an address in brackets");
        space_ = function_.effective_space(address(), instruction.space());
        scope_ = sync_scope(function_.module().getContext(), instruction, space_);
        ordering_ = ordering(instruction, AtomicOrdering::Monotonic);
    }

    void emit() {
        unsigned lanes = instruction_.lanes();
        std::vector<Operand> sources = elements_of(source(0), lanes);
        std::vector<Operand> destinations =
            is_red_ ? std::vector<Operand>(lanes) : elements_of(instruction_.operands[0], lanes);
        // A vector atomic is as many atomics, in no particular order. PTX ISA 9.7.13.5.
        std::vector<llvm::Value*> old(lanes);
        for (unsigned lane = 0; lane < lanes; ++lane) {
            const Operand place = advanced(address(), int64_t{lane} * size_of(type_));
            if (flushes()) {
                old[lane] = add_flushing(place, sources[lane]);
                continue;
            }
            if (is_float_extreme()) {
                old[lane] = float_extreme(place, sources[lane]);
                continue;
            }
            llvm::Value* pointer = function_.pointer(place, space_);
            old[lane] = is_exchange() ? compare_and_swap(pointer) : modify(pointer, sources[lane]);
        }
        for (unsigned lane = 0; lane < lanes; ++lane) function_.write(destinations[lane], old[lane], type_);
    }

  private:
    bool is_exchange() const { return instruction_.has(Modifier::cas); }
    const Operand& address() const { return instruction_.operands[is_red_ ? 0 : 1]; }
    const Operand& source(unsigned n) const { return instruction_.operands[(is_red_ ? 1u : 2u) + n]; }
    llvm::Align alignment() const { return llvm::Align(size_of(type_)); }

    /// atom.add.f32 takes subnormals for zero, and gives zero for them, but on shared memory. PTX ISA 9.7.13.5;
    /// measured.
    bool flushes() const {
        return type_ == Type::f32 && instruction_.has(Modifier::add) && space_ != Space::shared &&
               space_ != Space::shared_cluster;
    }

    llvm::Value* add_flushing(const Operand& address, const Operand& source) {
        auto& ir = function_.ir();
        llvm::Value* place = function_.address(address, space_);
        llvm::Value* flush = ir.getTrue();
        if (space_ == Space::generic)
            flush = ir.CreateNot(function_.call("cuttle.isspacep.shared", ir.getInt1Ty(), {place}, false));
        return function_.call("cuttle.atomic.add.ftz.f32", ir.getFloatTy(),
                              {place, function_.read(source, type_), flush}, false);
    }

    /// min and max of 16-bit floats: there are no others of floating point. PTX ISA 9.7.13.5.
    bool is_float_extreme() const {
        return is_half(type_) && (instruction_.has(Modifier::min) || instruction_.has(Modifier::max));
    }

    llvm::Value* float_extreme(const Operand& place, const Operand& source) {
        auto& ir = function_.ir();
        const bool packed = size_of(type_) == 4;
        const bool brain = type_ == Type::bf16 || type_ == Type::bf16x2;
        const Type bits = packed ? Type::b32 : Type::b16;
        llvm::Value* value = function_.read(source, bits);
        llvm::Value* old = llvm::Constant::getNullValue(value->getType());
        for (unsigned half = 0; half < (packed ? 2u : 1u); ++half) {
            llvm::Value* part =
                function_.call("cuttle.atomic.extreme.16", ir.getInt16Ty(),
                               {function_.address(advanced(place, 2 * int64_t{half}), space_),
                                ir.CreateTrunc(ir.CreateLShr(value, 16 * half), ir.getInt16Ty()),
                                ir.getInt16(brain ? 0x7f80 : 0x7c00), ir.getInt32(instruction_.has(Modifier::max))},
                               false);
            old = ir.CreateOr(old, ir.CreateShl(ir.CreateZExt(part, value->getType()), 16 * half));
        }
        return old;
    }

    llvm::Value* modify(llvm::Value* pointer, const Operand& source) {
        auto operation = operation_of(instruction_, type_);
        llvm::Value* value = function_.read(source, type_);
        return function_.ir().CreateAtomicRMW(operation, pointer, value, alignment(), ordering_, scope_);
    }

    llvm::Value* compare_and_swap(llvm::Value* pointer) {
        auto& ir = function_.ir();
        auto* type = ir.getIntNTy(8 * size_of(type_));
        llvm::Value* expected = ir.CreateBitCast(function_.read(source(0), type_), type);
        llvm::Value* desired = ir.CreateBitCast(function_.read(source(1), type_), type);
        auto failure = llvm::AtomicCmpXchgInst::getStrongestFailureOrdering(ordering_);
        auto* pair = ir.CreateAtomicCmpXchg(pointer, expected, desired, alignment(), ordering_, failure, scope_);
        return ir.CreateExtractValue(pair, 0);
    }

    FunctionLowering& function_;
    const Instruction& instruction_;
    Type type_;
    bool is_red_;
    Space space_ = Space::generic;
    llvm::SyncScope::ID scope_ = llvm::SyncScope::System;
    AtomicOrdering ordering_ = AtomicOrdering::Monotonic;
};

} // namespace

void lower_atom(Emitter& emitter, const Instruction& instruction) { AtomicAccess(emitter, instruction).emit(); }

void lower_fence(Emitter& emitter, const Instruction& instruction) {
    auto& ir = emitter.ir();
    auto& context = emitter.module().getContext();
    auto scope = sync_scope(context, instruction, Space::generic);
    // membar is fence.sc; a fence without semantics is .acq_rel. PTX ISA 9.7.13.4.
    auto otherwise =
        instruction.opcode == Opcode::membar ? AtomicOrdering::SequentiallyConsistent : AtomicOrdering::AcquireRelease;
    if (!instruction.has(Modifier::proxy)) {
        ir.CreateFence(ordering(instruction, otherwise), scope);
        return;
    }
    // There is but one proxy to memory here. A proxy fence without semantics orders this thread alone.
    auto order = ordering(instruction, AtomicOrdering::NotAtomic);
    if (order == AtomicOrdering::NotAtomic)
        ir.CreateFence(AtomicOrdering::SequentiallyConsistent, llvm::SyncScope::SingleThread);
    else
        ir.CreateFence(order, scope);
}

} // namespace ptx::ast_to_llvm
