#include "ast_to_llvm/async_operands.h"
#include "ast_to_llvm/bulk_operation.h"
#include "ptx/host_abi.h"

/// Copies of tiles of tensors, and changes of tensor maps. PTX ISA 9.7.9.25.5, 9.7.9.26.
namespace ptx::ast_to_llvm {
namespace {

using host::TensorCopy;
using host::TensorField;
using host::TensorMode;

TensorMode mode_of(const Instruction& instruction) {
    switch (instruction.first_of({Modifier::tile, Modifier::im2col, Modifier::im2col_no_offs, Modifier::im2col_w,
                                  Modifier::im2col_w_128, Modifier::tile_gather4, Modifier::tile_scatter4})) {
    case Modifier::im2col:
    case Modifier::im2col_no_offs:
        return TensorMode::im2col;
    case Modifier::im2col_w:
        return TensorMode::im2col_w;
    case Modifier::im2col_w_128:
        return TensorMode::im2col_w_128;
    case Modifier::tile_gather4:
        return TensorMode::gather4;
    case Modifier::tile_scatter4:
        return TensorMode::scatter4;
    default:
        return TensorMode::tile;
    }
}

uint32_t dimensions_of(const Instruction& instruction) {
    switch (instruction.first_of({Modifier::_1d, Modifier::_2d, Modifier::_3d, Modifier::_4d, Modifier::_5d})) {
    case Modifier::_1d:
        return 1;
    case Modifier::_2d:
        return 2;
    case Modifier::_3d:
        return 3;
    case Modifier::_4d:
        return 4;
    case Modifier::_5d:
        return 5;
    default:
        throw Error(instruction.where, instruction.opcode_text + " lacks a dimension");
    }
}

/// `{a, b, c}` or one register, as `most` values; zero for those that are not there.
std::vector<llvm::Value*> list_of(Emitter& emitter, const Operand* list, Type type, size_t most) {
    auto& ir = emitter.ir();
    std::vector<llvm::Value*> values;
    if (list && list->kind != Operand::Kind::vector) values.push_back(emitter.read(*list, type));
    if (list && list->kind == Operand::Kind::vector)
        for (const Operand& element : list->elements) values.push_back(emitter.read(element, type));
    if (list && values.size() > most) throw Error(list->where, "too many coordinates");
    for (llvm::Value*& value : values) value = type == Type::u16 ? ir.CreateZExt(value, ir.getInt32Ty()) : value;
    values.resize(most, ir.getInt32(0));
    return values;
}

struct Copy {
    TensorCopy kind = TensorCopy::load;
    uint32_t operation = 0;
    const Operand *tensor = nullptr, *shared = nullptr, *barrier = nullptr, *offsets = nullptr, *multicast = nullptr;
};

void emit(Emitter& emitter, const Instruction& instruction, const Copy& copy) {
    auto& ir = emitter.ir();
    const Operand& tensor = *copy.tensor;
    if (tensor.kind != Operand::Kind::address || tensor.elements.size() < 2)
        throw Error(tensor.where, "expected [tensor map, {coordinates}]");
    Operand map = tensor;
    map.elements.resize(1);
    const TensorMode mode = mode_of(instruction);
    // A map that lies in the kernel's parameters may be named: its address there is a generic one too.
    std::vector<llvm::Value*> arguments{
        ir.getInt32(static_cast<uint32_t>(copy.kind)),
        ir.getInt32(static_cast<uint32_t>(mode)),
        ir.getInt32(copy.operation),
        generic_address(emitter, map, Space::generic),
        generic_address(emitter, *copy.shared, Space::shared_cluster),
        copy.barrier ? generic_address(emitter, *copy.barrier, Space::shared_cluster) : ir.getInt64(0),
        copy.multicast ? ir.CreateZExt(emitter.read(*copy.multicast, Type::b16), ir.getInt32Ty()) : ir.getInt32(0),
        ir.getInt32(dimensions_of(instruction))};
    for (llvm::Value* value : list_of(emitter, &tensor.elements[1], Type::s32, 5)) arguments.push_back(value);
    for (llvm::Value* value : list_of(emitter, copy.offsets, Type::u16, 3)) arguments.push_back(value);
    emitter.call("cuttle.tensor.copy", ir.getVoidTy(), arguments, true);
}

constexpr struct {
    Modifier modifier;
    TensorField field;
    bool indexed;
} fields[] = {
    {Modifier::global_address, TensorField::global_address, false},
    {Modifier::rank, TensorField::rank, false},
    {Modifier::box_dim, TensorField::box_dim, true},
    {Modifier::global_dim, TensorField::global_dim, true},
    {Modifier::global_stride, TensorField::global_stride, true},
    {Modifier::element_stride, TensorField::element_stride, true},
    {Modifier::elemtype, TensorField::elemtype, false},
    {Modifier::interleave_layout, TensorField::interleave_layout, false},
    {Modifier::swizzle_mode, TensorField::swizzle_mode, false},
    {Modifier::fill_mode, TensorField::fill_mode, false},
    {Modifier::swizzle_atomicity, TensorField::swizzle_atomicity, false},
};

} // namespace

/// Load: [tile], [map, {c}], [mbar]{, {offsets}}{, mask}{, policy}. Store: [map, {c}], [tile]{, policy}.
void lower_cp_async_bulk_tensor(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 2);
    const auto& operands = instruction.operands;
    Copy copy;
    if (space_at(instruction, 0) == Space::global) {
        copy.kind = TensorCopy::store;
        copy.tensor = &operands[0];
        copy.shared = &operands[1];
        return emit(emitter, instruction, copy);
    }
    require_operands(instruction, 3);
    copy.tensor = &operands[1];
    copy.shared = &operands[0];
    copy.barrier = &operands[2];
    size_t next = 3;
    const TensorMode mode = mode_of(instruction);
    const bool offset = mode == TensorMode::im2col || mode == TensorMode::im2col_w || mode == TensorMode::im2col_w_128;
    for (auto [there, operand] :
         {std::pair(offset, &copy.offsets), std::pair(instruction.has(Modifier::multicast_cluster), &copy.multicast)}) {
        if (!there) continue;
        require_operands(instruction, next + 1);
        *operand = &operands[next++];
    }
    emit(emitter, instruction, copy);
}

void lower_cp_reduce_async_bulk_tensor(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 2);
    Copy copy;
    copy.kind = TensorCopy::reduce;
    copy.operation = static_cast<uint32_t>(bulk_operation(instruction));
    copy.tensor = &instruction.operands[0];
    copy.shared = &instruction.operands[1];
    emit(emitter, instruction, copy);
}

/// tensormap.replace.tile.field.space.b1024.type [map], {index,} value
void lower_tensormap_replace(Emitter& emitter, const Instruction& instruction) {
    auto& ir = emitter.ir();
    const auto& operands = instruction.operands;
    for (const auto& row : fields) {
        if (!instruction.has(row.modifier)) continue;
        require_operands(instruction, row.indexed ? 3 : 2);
        const Type type = instruction.has(Modifier::b64) ? Type::b64 : Type::b32;
        emitter.call("cuttle.tensor.replace", ir.getVoidTy(),
                     {generic_address(emitter, operands[0], instruction.space()),
                      ir.getInt32(static_cast<uint32_t>(row.field)),
                      row.indexed ? emitter.read(operands[1], Type::u32) : ir.getInt32(0),
                      ir.CreateZExt(emitter.read(operands[row.indexed ? 2 : 1], type), ir.getInt64Ty())});
        return;
    }
    throw Error(instruction.where, "tensormap.replace lacks a field");
}

/// Copies the map; there is but one proxy to memory here.
void lower_tensormap_cp_fenceproxy(Emitter& emitter, const Instruction& instruction) {
    require_operands(instruction, 3);
    auto& ir = emitter.ir();
    emitter.call("cuttle.bulk.copy", ir.getVoidTy(),
                 {generic_address(emitter, instruction.operands[0], space_at(instruction, 0)),
                  generic_address(emitter, instruction.operands[1], space_at(instruction, 1)),
                  emitter.read(instruction.operands[2], Type::u32), ir.getInt64(0), ir.getInt32(0),
                  ir.getInt32(0xffff)},
                 true);
}

} // namespace ptx::ast_to_llvm
