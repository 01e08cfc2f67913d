#include "ast_to_llvm/function_lowering.h"
#include "ast_to_llvm/vectors.h"
#include "ptx/texture_abi.h"

/// tex, txq and the surface instructions. PTX ISA 9.7.10, 9.7.11. A handle is in a register, or in a module-scope
/// .texref or .surfref, whose eight bytes the runtime fills.
namespace ptx::ast_to_llvm {
namespace {

using texture::Geometry;

[[noreturn]] void refuse(const Instruction& instruction, const char* what) {
    throw Error(instruction.where, instruction.opcode_text + what);
}

Geometry geometry_of(const Instruction& instruction) {
    switch (instruction.first_of({Modifier::_1d, Modifier::_2d, Modifier::_3d, Modifier::a1d, Modifier::a2d,
                                  Modifier::cube, Modifier::acube, Modifier::_2dms, Modifier::a2dms})) {
    case Modifier::_1d: return Geometry::d1;
    case Modifier::_2d: return Geometry::d2;
    case Modifier::_3d: return Geometry::d3;
    case Modifier::a1d: return Geometry::a1d;
    case Modifier::a2d: return Geometry::a2d;
    case Modifier::cube: return Geometry::cube;
    case Modifier::acube: return Geometry::acube;
    case Modifier::_2dms: return Geometry::d2; // CUDA makes no multisample textures: there is one sample
    case Modifier::a2dms: return Geometry::a2d;
    default: refuse(instruction, " of this geometry is not supported");
    }
}

bool has_layer(Geometry geometry) {
    return geometry == Geometry::a1d || geometry == Geometry::a2d || geometry == Geometry::acube;
}

unsigned axes_of(Geometry geometry) {
    if (geometry == Geometry::d1 || geometry == Geometry::a1d) return 1;
    return geometry == Geometry::d2 || geometry == Geometry::a2d ? 2 : 3;
}

/// What stands at a place of `[texture, sampler, {x, y}]`.
llvm::Value* reference_of(Emitter& e, const Operand& address, size_t place) {
    const Operand& reference = address.elements[place];
    if (reference.kind != Operand::Kind::symbol) return e.read(reference, Type::b64);
    Operand variable = address;
    variable.elements = {reference};
    return e.ir().CreateLoad(e.ir().getInt64Ty(), e.pointer(variable, Space::global));
}

llvm::Value* handle_of(Emitter& e, const Operand& address) {
    if (address.kind != Operand::Kind::address) throw Error(address.where, "expected a texture in brackets");
    return reference_of(e, address, 0);
}

/// Of .texmode_independent; 0: the texture's own.
llvm::Value* sampler_of(Emitter& e, const Operand& address) {
    return address.elements.size() > 2 ? reference_of(e, address, 1) : e.ir().getInt64(0);
}

/// The elements of `{x, y}`, or a lone register.
std::vector<Operand> parts_of(const Operand& operand) {
    if (operand.kind == Operand::Kind::vector || operand.kind == Operand::Kind::list) return operand.elements;
    return {operand};
}

struct Place {
    llvm::Value* axis[3];
    llvm::Value* layer;
};

bool multisampled(const Instruction& instruction) {
    return instruction.has(Modifier::_2dms) || instruction.has(Modifier::a2dms);
}

Place place_of(Emitter& e, const Instruction& instruction, const Operand& address, Geometry geometry, Type type) {
    const std::vector<Operand> parts = parts_of(address.elements.back());
    // The sample's number stands before the coordinates.
    const unsigned first = (has_layer(geometry) ? 1u : 0u) + (multisampled(instruction) ? 1u : 0u);
    const unsigned axes = axes_of(geometry);
    if (address.elements.size() < 2 || parts.size() < first + axes) refuse(instruction, ": too few coordinates");
    Place place{};
    llvm::Value* none = llvm::Constant::getNullValue(e.type_of(type));
    for (unsigned k = 0; k < 3; ++k) place.axis[k] = k < axes ? e.read(parts[first + k], type) : none;
    place.layer = has_layer(geometry) ? e.read(parts[0], Type::u32) : e.ir().getInt32(0);
    return place;
}

llvm::Value* offsets_of(Emitter& e, const Operand* operand) {
    llvm::Value* packed = e.ir().getInt32(0);
    if (!operand) return packed;
    const std::vector<Operand> parts = parts_of(*operand);
    for (unsigned k = 0; k < parts.size() && k < 3; ++k) {
        llvm::Value* part = e.ir().CreateAnd(e.read(parts[k], Type::s32), e.ir().getInt32(255));
        packed = e.ir().CreateOr(packed, e.ir().CreateShl(part, e.ir().getInt32(8 * k)));
    }
    return packed;
}

void write_results(Emitter& e, const Instruction& instruction, llvm::Value* words) {
    const Operand* to = &instruction.operands[0];
    if (to->kind == Operand::Kind::pair) {
        e.write(to->elements[1], e.ir().getTrue(), Type::pred); // every texel is there
        to = &to->elements[0];
    }
    const Type type = instruction.type(0);
    auto& ir = e.ir();
    const auto as_half = [&](unsigned k) {
        llvm::Value* number = ir.CreateBitCast(ir.CreateExtractElement(words, k), ir.getFloatTy());
        return ir.CreateFPTrunc(number, ir.getHalfTy());
    };
    if (type == Type::f16x2) {
        const std::vector<Operand> parts = elements_of(*to, 2);
        for (unsigned k = 0; k < 2; ++k) {
            llvm::Value* pair = llvm::PoisonValue::get(llvm::FixedVectorType::get(ir.getHalfTy(), 2));
            for (unsigned j = 0; j < 2; ++j) pair = ir.CreateInsertElement(pair, as_half(2 * k + j), j);
            e.write(parts[k], pair, type);
        }
        return;
    }
    const std::vector<Operand> parts = elements_of(*to, 4);
    for (unsigned k = 0; k < 4; ++k) {
        if (type == Type::f16)
            e.write(parts[k], as_half(k), type);
        else
            e.write(parts[k], ir.CreateBitCast(ir.CreateExtractElement(words, k), e.type_of(type)), type);
    }
}

llvm::Type* four_words(Emitter& e) { return llvm::FixedVectorType::get(e.ir().getInt32Ty(), 4); }

texture::Outside outside_of(const Instruction& instruction) {
    switch (instruction.first_of({Modifier::trap, Modifier::clamp, Modifier::zero})) {
    case Modifier::clamp: return texture::Outside::clamp;
    case Modifier::zero: return texture::Outside::zero;
    default: return texture::Outside::trap;
    }
}

/// Where the bytes are, as an address in global memory.
llvm::Value* surface_pointer(Emitter& e, const Instruction& instruction, const Operand& address, unsigned bytes,
                             bool store) {
    const Geometry geometry = geometry_of(instruction);
    const Place place = place_of(e, instruction, address, geometry, Type::u32);
    auto& ir = e.ir();
    llvm::Value* where =
        e.call("cuttle.surface.address", ir.getInt64Ty(),
               {ir.getInt32(uint32_t(geometry)), handle_of(e, address), place.axis[0], place.axis[1], place.axis[2],
                place.layer, ir.getInt32(bytes), ir.getInt32(uint32_t(outside_of(instruction))),
                ir.getInt32(uint32_t(store) | uint32_t(instruction.has(Modifier::p)) << 1)});
    return ir.CreateIntToPtr(where, ir.getPtrTy(1));
}

} // namespace

/// The axes of a gradient, zeros behind them.
void add_gradient(Emitter& e, std::vector<llvm::Value*>& arguments, const Operand& operand, Geometry geometry) {
    const std::vector<Operand> parts = parts_of(operand);
    for (unsigned k = 0; k < 3; ++k)
        arguments.push_back(k < axes_of(geometry) && k < parts.size() ? e.read(parts[k], Type::f32)
                                                                      : llvm::ConstantFP::get(e.ir().getFloatTy(), 0));
}

void lower_tex(Emitter& e, const Instruction& instruction) {
    const Operand& address = instruction.operands.at(1);
    const Geometry geometry = geometry_of(instruction);
    const Type coordinate = instruction.type(1);
    auto& ir = e.ir();
    const bool level = instruction.has(Modifier::level), grad = instruction.has(Modifier::grad);
    const size_t next = level ? 3 : grad ? 4 : 2;
    const Operand* offsets = instruction.operands.size() > next ? &instruction.operands[next] : nullptr;
    if (instruction.operands.size() > next + 1 || (offsets && offsets->kind != Operand::Kind::vector))
        refuse(instruction, ": depth comparison needs depth textures, which CUDA does not make");
    const Place place = place_of(e, instruction, address, geometry, coordinate);
    llvm::Value* shape = ir.getInt32(uint32_t(geometry) | uint32_t(level) << 8);
    std::vector<llvm::Value*> arguments{shape, handle_of(e, address)};
    const bool whole = coordinate != Type::f32;
    if (!whole) arguments.push_back(sampler_of(e, address));
    arguments.insert(arguments.end(), {place.axis[0], place.axis[1], place.axis[2], place.layer});
    const char* function = whole ? "cuttle.texture.fetch" : grad ? "cuttle.texture.gradient" : "cuttle.texture.sample";
    if (grad) {
        add_gradient(e, arguments, instruction.operands[2], geometry);
        add_gradient(e, arguments, instruction.operands[3], geometry);
    } else if (whole) {
        arguments.push_back(level ? e.read(instruction.operands[2], Type::s32) : ir.getInt32(0));
    } else {
        arguments.push_back(level ? e.read(instruction.operands[2], Type::f32)
                                  : llvm::ConstantFP::get(ir.getFloatTy(), 0));
    }
    arguments.push_back(offsets_of(e, offsets));
    write_results(e, instruction, e.call(function, four_words(e), arguments));
}

void lower_tld4(Emitter& e, const Instruction& instruction) {
    const Operand& address = instruction.operands.at(1);
    const Geometry geometry = geometry_of(instruction);
    const Operand* offsets = instruction.operands.size() > 2 ? &instruction.operands[2] : nullptr;
    if (instruction.operands.size() > 3 || (offsets && offsets->kind != Operand::Kind::vector))
        refuse(instruction, ": depth comparison needs depth textures, which CUDA does not make");
    auto& ir = e.ir();
    uint32_t channel = 0;
    switch (instruction.first_of({Modifier::r, Modifier::g, Modifier::b, Modifier::a})) {
    case Modifier::g: channel = 1; break;
    case Modifier::b: channel = 2; break;
    case Modifier::a: channel = 3; break;
    default: break;
    }
    const Place place = place_of(e, instruction, address, geometry, Type::f32);
    write_results(e, instruction,
                  e.call("cuttle.texture.gather", four_words(e),
                         {ir.getInt32(uint32_t(geometry)), handle_of(e, address), sampler_of(e, address), place.axis[0],
                          place.axis[1], place.axis[2], place.layer, ir.getInt32(channel), offsets_of(e, offsets)}));
}

void lower_txq(Emitter& e, const Instruction& instruction) {
    struct Row {
        Modifier modifier;
        texture::Query query;
    };
    using texture::Query;
    constexpr Row rows[] = {{Modifier::width, Query::width},
                            {Modifier::height, Query::height},
                            {Modifier::depth, Query::depth},
                            {Modifier::array_size, Query::array_size},
                            {Modifier::num_mipmap_levels, Query::levels},
                            {Modifier::num_samples, Query::samples},
                            {Modifier::normalized_coords, Query::normalized},
                            {Modifier::force_unnormalized_coords, Query::force_unnormalized},
                            {Modifier::channel_data_type, Query::channel_type},
                            {Modifier::channel_order, Query::channel_order},
                            {Modifier::filter_mode, Query::filter},
                            {Modifier::addr_mode_0, Query::address_0},
                            {Modifier::addr_mode_1, Query::address_1},
                            {Modifier::addr_mode_2, Query::address_2},
                            {Modifier::memory_layout, Query::memory_layout}};
    for (const Row& row : rows) {
        if (!instruction.has(row.modifier)) continue;
        auto& ir = e.ir();
        const bool level = instruction.operands.size() > 2;
        llvm::Value* value =
            e.call("cuttle.texture.query", ir.getInt32Ty(),
                   {ir.getInt32(uint32_t(row.query)), handle_of(e, instruction.operands.at(1)),
                    level ? e.read(instruction.operands[2], Type::s32) : ir.getInt32(0)});
        return e.write(instruction.operands[0], value, Type::b32);
    }
    refuse(instruction, " of this property is not supported");
}

/// True of the address of a module's .texref, .samplerref or .surfref; an H100 says no of the handles of objects.
void lower_istypep(Emitter& e, const Instruction& instruction) {
    auto& ir = e.ir();
    texture::Kind kind = texture::Kind::texture;
    if (instruction.type() == Type::samplerref) kind = texture::Kind::sampler;
    if (instruction.type() == Type::surfref) kind = texture::Kind::surface;
    llvm::Value* is = e.call("cuttle.texture.is", ir.getInt32Ty(),
                             {ir.getInt32(uint32_t(kind)), e.read(instruction.operands.at(1), Type::b64)});
    e.write(instruction.operands[0], ir.CreateICmpNE(is, ir.getInt32(0)), Type::pred);
}

void lower_suld(Emitter& e, const Instruction& instruction) {
    const Type type = instruction.type();
    const unsigned lanes = instruction.lanes(), bytes = size_of(type) * lanes;
    llvm::Value* from = surface_pointer(e, instruction, instruction.operands.at(1), bytes, false);
    const std::vector<Operand> parts = elements_of(instruction.operands[0], lanes);
    std::vector<llvm::Value*> values;
    for (unsigned k = 0; k < lanes; ++k)
        values.push_back(e.ir().CreateAlignedLoad(
            e.type_of(type), e.ir().CreateConstGEP1_64(e.ir().getInt8Ty(), from, k * size_of(type)), llvm::Align(1)));
    for (unsigned k = 0; k < lanes; ++k) e.write(parts[k], values[k], type);
}

/// Words become texels of the surface's format.
void lower_formatted_store(Emitter& e, const Instruction& instruction) {
    const Operand& address = instruction.operands.at(0);
    const Geometry geometry = geometry_of(instruction);
    const unsigned lanes = instruction.lanes();
    const Place place = place_of(e, instruction, address, geometry, Type::u32);
    auto& ir = e.ir();
    std::vector<llvm::Value*> arguments{ir.getInt32(uint32_t(geometry)), handle_of(e, address), place.axis[0],
                                        place.axis[1], place.axis[2], place.layer,
                                        ir.getInt32(uint32_t(outside_of(instruction))), ir.getInt32(lanes)};
    const std::vector<Operand> parts = elements_of(instruction.operands.at(1), lanes);
    for (unsigned k = 0; k < 4; ++k)
        arguments.push_back(k < lanes ? e.read(parts[k], Type::b32) : ir.getInt32(0));
    e.call("cuttle.surface.store", ir.getVoidTy(), arguments);
}

void lower_sust(Emitter& e, const Instruction& instruction) {
    if (instruction.has(Modifier::p)) return lower_formatted_store(e, instruction);
    const Type type = instruction.type();
    const unsigned lanes = instruction.lanes(), bytes = size_of(type) * lanes;
    llvm::Value* to = surface_pointer(e, instruction, instruction.operands.at(0), bytes, true);
    const std::vector<Operand> parts = elements_of(instruction.operands.at(1), lanes);
    for (unsigned k = 0; k < lanes; ++k)
        e.ir().CreateAlignedStore(e.read(parts[k], type),
                                  e.ir().CreateConstGEP1_64(e.ir().getInt8Ty(), to, k * size_of(type)), llvm::Align(1));
}

void lower_sured(Emitter& e, const Instruction& instruction) {
    const Type type = instruction.type();
    const bool extreme = instruction.has(Modifier::min) || instruction.has(Modifier::max);
    if (instruction.has(Modifier::p) && extreme && size_of(type) == 4) {
        // Whether the words have signs is the surface's to say.
        const Operand& address = instruction.operands.at(0);
        llvm::Value* where = e.ir().CreatePtrToInt(surface_pointer(e, instruction, address, 4, true), e.ir().getInt64Ty());
        e.call("cuttle.surface.extreme", e.ir().getVoidTy(),
               {where, handle_of(e, address), e.read(instruction.operands.at(1), Type::b32),
                e.ir().getInt32(instruction.has(Modifier::max))});
        return;
    }
    const bool is_signed = kind_of(type) == TypeKind::signed_integer;
    llvm::Value* to = surface_pointer(e, instruction, instruction.operands.at(0), size_of(type), true);
    llvm::AtomicRMWInst::BinOp operation = llvm::AtomicRMWInst::Add;
    switch (instruction.first_of({Modifier::add, Modifier::min, Modifier::max, Modifier::and_, Modifier::or_})) {
    case Modifier::add: break;
    case Modifier::min: operation = is_signed ? llvm::AtomicRMWInst::Min : llvm::AtomicRMWInst::UMin; break;
    case Modifier::max: operation = is_signed ? llvm::AtomicRMWInst::Max : llvm::AtomicRMWInst::UMax; break;
    case Modifier::and_: operation = llvm::AtomicRMWInst::And; break;
    case Modifier::or_: operation = llvm::AtomicRMWInst::Or; break;
    default: refuse(instruction, " of this operation is not supported yet");
    }
    e.ir().CreateAtomicRMW(operation, to, e.read(instruction.operands.at(1), type), llvm::MaybeAlign(size_of(type)),
                           llvm::AtomicOrdering::Monotonic, e.module().getContext().getOrInsertSyncScopeID("device"));
}

} // namespace ptx::ast_to_llvm
