#include "ast_to_llvm/cuttle_functions.h"
#include "ast_to_llvm/function_lowering.h"
#include "ast_to_llvm/types.h"

#include <llvm/ADT/APFloat.h>

#include <bit>

/// The part of FunctionLowering that reads and writes operands. Addresses are in addresses.cpp.
namespace ptx::ast_to_llvm {
namespace {

Type bits_type(unsigned bits, Position where) {
    switch (bits) {
    case 8:
        return Type::b8;
    case 16:
        return Type::b16;
    case 32:
        return Type::b32;
    case 64:
        return Type::b64;
    default:
        throw Error(where, "no vector element of " + std::to_string(bits) + " bits");
    }
}

std::string without_percent(std::string_view name) { return std::string(name.substr(name.starts_with('%') ? 1 : 0)); }

} // namespace

llvm::Type* FunctionLowering::type_of(Type type) { return llvm_type(module().getContext(), type); }

llvm::Value* FunctionLowering::integer_of(llvm::Value* value) {
    unsigned bits = value->getType()->getPrimitiveSizeInBits().getFixedValue();
    return builder_.CreateBitCast(value, builder_.getIntNTy(bits));
}

llvm::Value* FunctionLowering::resize(llvm::Value* integer, unsigned bits, bool sign) {
    auto* type = builder_.getIntNTy(bits);
    return sign ? builder_.CreateSExtOrTrunc(integer, type) : builder_.CreateZExtOrTrunc(integer, type);
}

llvm::Value* FunctionLowering::read(const Operand& operand, Type type) {
    using Kind = Operand::Kind;
    switch (operand.kind) {
    case Kind::reg:
        return read_register(operand, type);
    case Kind::integer:
    case Kind::floating:
        return constant(operand, type);
    case Kind::symbol:
        return resize(symbol_address(operand, operand.offset), bit_width(type), false);
    case Kind::special: {
        llvm::Value* value = read_special(operand);
        if (type == Type::pred) return builder_.CreateIsNotNull(value);
        return builder_.CreateBitCast(resize(value, bit_width(type), false), type_of(type));
    }
    case Kind::vector:
        return builder_.CreateBitCast(read_vector(operand, bit_width(type)), type_of(type));
    case Kind::sink:
        throw Error(operand.where, "'_' has no value to read");
    default:
        throw Error(operand.where, "operand of this kind has no value");
    }
}

llvm::Value* FunctionLowering::read_register(const Operand& operand, Type type) {
    Type declared = declared_type(operand);
    llvm::Value* slot = register_slot(operand);
    unsigned width = bit_width(declared);
    llvm::Value* value = builder_.CreateLoad(builder_.getIntNTy(width), slot);
    if (type == Type::pred) {
        if (width != 1) value = builder_.CreateIsNotNull(value);
        return operand.negated ? builder_.CreateNot(value) : value;
    }
    if (width != bit_width(type)) value = resize(value, bit_width(type), is_signed(type));
    value = builder_.CreateBitCast(value, type_of(type));
    if (!operand.negated) return value;
    return value->getType()->isFPOrFPVectorTy() ? builder_.CreateFNeg(value) : builder_.CreateNeg(value);
}

llvm::Value* FunctionLowering::read_vector(const Operand& operand, unsigned bits) {
    unsigned width = bits / static_cast<unsigned>(operand.elements.size());
    llvm::Value* packed = builder_.getIntN(bits, 0);
    for (size_t i = 0; i < operand.elements.size(); ++i) {
        llvm::Value* element = read(operand.elements[i], bits_type(width, operand.where));
        element = resize(element, bits, false);
        packed = builder_.CreateOr(packed, builder_.CreateShl(element, i * width));
    }
    return packed;
}

// The components of a vector register follow each other, and each is a register of its own in the neutral IR.
Operand FunctionLowering::component_of(const Operand& special, unsigned lane) const {
    constexpr const char* suffixes[] = {".x", ".y", ".z", ".w"};
    Operand part = special;
    part.component = -1;
    part.special = special_register_named(std::string(name_of(special.special)) + suffixes[lane & 3]);
    return part;
}

llvm::Value* FunctionLowering::read_special(const Operand& operand) {
    std::string name(name_of(operand.special));
    bool is_vector = special_register_named(name + ".x") != SpecialRegister::none;
    if (is_vector && operand.component >= 0)
        return read_special(component_of(operand, static_cast<unsigned>(operand.component)));
    if (is_vector) {
        llvm::Value* packed = builder_.getIntN(128, 0);
        for (unsigned lane = 0; lane < 4; ++lane) {
            llvm::Value* part = resize(read_special(component_of(operand, lane)), 128, false);
            packed = builder_.CreateOr(packed, builder_.CreateShl(part, 32 * lane));
        }
        return packed;
    }
    if (operand.special == SpecialRegister::warp_sz) return builder_.getInt32(32);
    // PTX ISA 10: the fourth component always reads as zero.
    if (name.ends_with(".w")) return builder_.getInt32(0);
    unsigned bits = size_of(ptx::type_of(operand.special)) == 8 ? 64 : 32;
    return call("cuttle.sreg." + without_percent(name), builder_.getIntNTy(bits), {}, false);
}

llvm::Value* FunctionLowering::constant(const Operand& operand, Type type) {
    if (operand.kind == Operand::Kind::floating) return floating_constant(operand, type);
    if (type == Type::pred) return builder_.getInt1(operand.integer != 0);
    if (type_of(type)->isFloatingPointTy())
        throw Error(operand.where, "integer constant where " + std::string(name_of(type)) + " is wanted");
    llvm::APInt value(64, operand.integer);
    unsigned bits = bit_width(type);
    value = operand.is_unsigned ? value.zextOrTrunc(bits) : value.sextOrTrunc(bits);
    return builder_.CreateBitCast(builder_.getInt(value), type_of(type));
}

llvm::Value* FunctionLowering::floating_constant(const Operand& operand, Type type) {
    bool is_float = type_of(type)->isFloatingPointTy();
    unsigned bits = bit_width(type);
    auto from_bits = [&](uint64_t value) {
        return builder_.CreateBitCast(builder_.getIntN(bits, value), type_of(type));
    };
    if (bits == 64 && !operand.is_single) return from_bits(operand.double_bits);
    if (bits == 64) return from_bits(std::bit_cast<uint64_t>(static_cast<double>(operand.floating)));
    if (bits == 32 && operand.is_single) return from_bits(operand.single_bits);
    if (bits == 32) return from_bits(std::bit_cast<uint32_t>(static_cast<float>(operand.floating)));
    if (!is_float)
        throw Error(operand.where, "floating-point constant where " + std::string(name_of(type)) + " is wanted");
    return llvm::ConstantFP::get(type_of(type), operand.floating);
}

Type FunctionLowering::declared_type(const Operand& operand) {
    if (operand.kind == Operand::Kind::reg) return source_.registers[static_cast<size_t>(operand.register_id)].type;
    return Type::none;
}

void FunctionLowering::write(const Operand& operand, llvm::Value* value, Type type) {
    if (operand.kind == Operand::Kind::sink) return;
    value = integer_of(value);
    if (operand.kind == Operand::Kind::vector) {
        unsigned bits = value->getType()->getIntegerBitWidth();
        unsigned width = bits / static_cast<unsigned>(operand.elements.size());
        for (size_t i = 0; i < operand.elements.size(); ++i) {
            llvm::Value* part = resize(builder_.CreateLShr(value, i * width), width, false);
            write(operand.elements[i], part, bits_type(width, operand.where));
        }
        return;
    }
    if (operand.kind != Operand::Kind::reg) throw Error(operand.where, "this operand cannot be written to");
    Type declared = declared_type(operand);
    unsigned width = bit_width(declared);
    if (width == 1 && value->getType()->getIntegerBitWidth() != 1)
        value = builder_.CreateIsNotNull(value);
    else
        value = resize(value, width, is_signed(type) && type != Type::pred);
    builder_.CreateStore(value, register_slot(operand));
}

llvm::Value* FunctionLowering::register_slot(const Operand& operand) {
    if (operand.component >= 0) return vector_part(operand);
    const Register& source = source_.registers[static_cast<size_t>(operand.register_id)];
    if (source.lanes != 1) throw Error(operand.where, "vector register '" + source.name + "' where a scalar is wanted");
    llvm::Value*& slot = registers_[static_cast<size_t>(operand.register_id)];
    if (slot) return slot;
    auto* type = register_type(module().getContext(), source.type);
    slot = entry_alloca(type, without_percent(source.name));
    // A register that was never written reads as anything, but branching on LLVM's undef would be undefined behaviour.
    llvm::IRBuilder<>(entry_).CreateStore(llvm::ConstantInt::get(type, 0), slot);
    return slot;
}

llvm::Value* FunctionLowering::vector_part(const Operand& operand) {
    const Register& source = source_.registers[static_cast<size_t>(operand.register_id)];
    auto lane = static_cast<unsigned>(operand.component);
    if (lane >= source.lanes)
        throw Error(operand.where, "'" + source.name + "' has no component " + std::to_string(lane));
    auto& parts = vector_registers_[operand.register_id];
    while (parts.size() <= lane) {
        auto* type = register_type(module().getContext(), source.type);
        parts.push_back(entry_alloca(type, without_percent(source.name)));
        llvm::IRBuilder<>(entry_).CreateStore(llvm::ConstantInt::get(type, 0), parts.back());
    }
    return parts[lane];
}

llvm::Value* FunctionLowering::carry_flag() {
    if (carry_) return carry_;
    carry_ = entry_alloca(builder_.getInt1Ty(), "carry");
    llvm::IRBuilder<>(entry_).CreateStore(builder_.getFalse(), carry_);
    return carry_;
}

llvm::CallInst* FunctionLowering::call(llvm::StringRef name, llvm::Type* result, llvm::ArrayRef<llvm::Value*> arguments,
                                       bool convergent) {
    llvm::Function* function = cuttle_function(module(), name, result, arguments, convergent);
    return builder_.CreateCall(function, arguments);
}

} // namespace ptx::ast_to_llvm
