#include "ast_to_llvm/function_lowering.h"
#include "ast_to_llvm/memory_order.h"
#include "ast_to_llvm/types.h"
#include "ast_to_llvm/vectors.h"

/// ld, ldu, st and the cache hints. PTX ISA 9.7.9.8 - 9.7.9.15.
namespace ptx::ast_to_llvm {
namespace {

enum class Access { weak, volatile_, atomic };

Access access_of(const Instruction& instruction) {
    // .cv asks for a fresh look at memory each time, which is what volatile means to LLVM.
    if (instruction.has(Modifier::volatile_) || instruction.has(Modifier::cv)) return Access::volatile_;
    if (instruction.first_of({Modifier::relaxed, Modifier::acquire, Modifier::release, Modifier::mmio}) !=
        Modifier::none)
        return Access::atomic;
    return Access::weak;
}

void require_operands(const Instruction& instruction, size_t count) {
    if (instruction.operands.size() < count || instruction.type() == Type::none)
        throw Error(instruction.where, instruction.opcode_text + " lacks a type or an operand");
}

const Operand& address_operand(const Instruction& instruction, size_t index) {
    const Operand& address = instruction.operands[index];
    if (address.kind != Operand::Kind::address || address.elements.empty())
        throw Error(address.where, "expected an address in brackets");
    return address;
}

/// Memory that nobody writes while the kernel runs.
bool is_constant(const Instruction& instruction, Space space) {
    return space == Space::constant || space == Space::param || instruction.has(Modifier::nc) ||
           instruction.opcode == Opcode::ldu;
}

class MemoryAccess {
  public:
    MemoryAccess(Emitter& emitter, const Instruction& instruction, const Operand& address)
        : function_(lowering(emitter)), instruction_(instruction), address_(address), type_(instruction.type()),
          lanes_(instruction.lanes()), space_(function_.effective_space(address, instruction.space())),
          access_(access_of(instruction)),
          element_(llvm::IntegerType::get(function_.module().getContext(), 8 * size_of(type_))) {
        if (type_ == Type::pred) throw Error(instruction.where, "predicates do not lie in memory");
    }

    void load(const Operand& destination) {
        std::vector<Operand> elements = elements_of(destination, lanes_);
        if (access_ == Access::weak && lanes_ > 1) {
            auto* vector = llvm::FixedVectorType::get(element_, lanes_);
            llvm::Value* value = constant(ir().CreateAlignedLoad(vector, pointer(0), alignment(lanes_)));
            for (unsigned lane = 0; lane < lanes_; ++lane)
                write(elements[lane], ir().CreateExtractElement(value, lane));
            return;
        }
        // A strong or volatile vector is as many scalar accesses. PTX ISA 8.2.2.
        std::vector<llvm::Value*> values;
        for (unsigned lane = 0; lane < lanes_; ++lane) values.push_back(load_scalar(lane));
        for (unsigned lane = 0; lane < lanes_; ++lane) write(elements[lane], values[lane]);
    }

    void store(const Operand& source) {
        std::vector<Operand> elements = elements_of(source, lanes_);
        if (access_ == Access::weak && lanes_ > 1) {
            llvm::Value* vector = llvm::PoisonValue::get(llvm::FixedVectorType::get(element_, lanes_));
            for (unsigned lane = 0; lane < lanes_; ++lane)
                vector = ir().CreateInsertElement(vector, read(elements[lane]), lane);
            ir().CreateAlignedStore(vector, pointer(0), alignment(lanes_));
            return;
        }
        for (unsigned lane = 0; lane < lanes_; ++lane) store_scalar(read(elements[lane]), lane);
    }

  private:
    llvm::IRBuilder<>& ir() { return function_.ir(); }
    llvm::Value* pointer(unsigned lane) {
        return function_.pointer(advanced(address_, int64_t{lane} * size_of(type_)), space_);
    }
    llvm::Align alignment(unsigned lanes) const {
        // Vectors in the parameter block of a kernel are aligned as their elements for certain.
        uint64_t natural = space_ == Space::param ? size_of(type_) : uint64_t{size_of(type_)} * lanes;
        return function_.alignment(address_, natural);
    }
    /// Everything travels as bits. Constants need their type to become bits.
    llvm::Value* read(const Operand& element) {
        TypeKind kind = kind_of(type_);
        bool is_float = kind == TypeKind::floating || kind == TypeKind::packed_floating;
        if (is_float && element.kind == Operand::Kind::reg) return function_.read(element, bits_type());
        return ir().CreateBitCast(function_.read(element, type_), element_);
    }
    Type bits_type() const {
        switch (size_of(type_)) {
        case 1:
            return Type::b8;
        case 2:
            return Type::b16;
        case 4:
            return Type::b32;
        default:
            return Type::b64;
        }
    }
    void write(const Operand& element, llvm::Value* value) { function_.write(element, value, type_); }

    llvm::LoadInst* constant(llvm::LoadInst* load) {
        if (is_constant(instruction_, space_))
            load->setMetadata(llvm::LLVMContext::MD_invariant_load, llvm::MDNode::get(load->getContext(), {}));
        return load;
    }

    llvm::Value* load_scalar(unsigned lane) {
        auto* load = ir().CreateAlignedLoad(element_, pointer(lane), alignment(1), access_ == Access::volatile_);
        if (access_ == Access::weak) return constant(load);
        if (access_ == Access::atomic)
            load->setAtomic(ordering(instruction_, llvm::AtomicOrdering::Monotonic),
                            sync_scope(load->getContext(), instruction_, space_));
        return load;
    }

    void store_scalar(llvm::Value* value, unsigned lane) {
        auto* store = ir().CreateAlignedStore(value, pointer(lane), alignment(1), access_ == Access::volatile_);
        if (access_ == Access::atomic)
            store->setAtomic(ordering(instruction_, llvm::AtomicOrdering::Monotonic),
                             sync_scope(store->getContext(), instruction_, space_));
    }

    FunctionLowering& function_;
    const Instruction& instruction_;
    const Operand& address_;
    Type type_;
    unsigned lanes_;
    Space space_;
    Access access_;
    llvm::IntegerType* element_;
};

} // namespace

void lower_ld(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 2);
    MemoryAccess(emitter, instruction, address_operand(instruction, 1)).load(instruction.operands[0]);
}

void lower_st(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 2);
    MemoryAccess(emitter, instruction, address_operand(instruction, 0)).store(instruction.operands[1]);
}

/// prefetch, prefetchu, applypriority and discard leave what a program can rely on as it is. PTX ISA 9.7.9.15 - 17.
void lower_cache_hint(Emitter&, const Instruction&) {}

/// A cache policy is an opaque number for later cache hints, which have no effect here. PTX ISA 9.7.9.18.
void lower_createpolicy(Emitter& emitter, const Instruction& instruction) {
    if (instruction.operands.empty()) throw Error(instruction.where, "createpolicy lacks an operand");
    emitter.write(instruction.operands[0], emitter.ir().getInt64(0), Type::b64);
}

} // namespace ptx::ast_to_llvm
