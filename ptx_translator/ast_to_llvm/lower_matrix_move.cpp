#include "ast_to_llvm/matrix_rows.h"

/// ldmatrix, stmatrix and movmatrix. PTX ISA 9.7.14.5.15 - 9.7.14.5.17. Lanes tell each other row addresses by shuffle
/// and access memory themselves, so that these are plain loads and stores to every target.
namespace ptx::ast_to_llvm {
namespace {

/// How 16 elements lie in a row of 16 bytes that an 8-bit matrix is made of.
enum class Packing { none, six_bits, four_bits };

struct Shape {
    bool bytes = false; ///< elements of 8 bits, in registers at least; else of 16
    unsigned rows = 8;  ///< of one matrix, each 16 bytes in memory
    unsigned matrices = 1;
    bool transposed = false;
    Packing packing = Packing::none;

    /// Registers for 8 rows, of memory or, when transposed, of the result.
    unsigned registers() const { return matrices * (rows / 8); }
};

Shape shape_of(const Instruction& instruction) {
    Shape shape;
    switch (instruction.first_of({Modifier::x1, Modifier::x2, Modifier::x4})) {
    case Modifier::x1:
        break;
    case Modifier::x2:
        shape.matrices = 2;
        break;
    case Modifier::x4:
        shape.matrices = 4;
        break;
    default:
        throw Error(instruction.where, instruction.opcode_text + " needs one of .x1 .x2 .x4");
    }
    shape.transposed = instruction.has(Modifier::trans);
    if (instruction.has(Modifier::b6x16_p32)) shape.packing = Packing::six_bits;
    if (instruction.has(Modifier::b4x16_p64)) shape.packing = Packing::four_bits;
    shape.bytes = instruction.type() == Type::b8 || shape.packing != Packing::none;
    const bool store = instruction.opcode == Opcode::stmatrix;
    const Modifier matrix = instruction.first_of({Modifier::m8n8, Modifier::m8n16, Modifier::m16n16, Modifier::m16n8});
    bool right = false;
    switch (matrix) {
    case Modifier::m8n8:
        right = !shape.bytes;
        break;
    case Modifier::m8n16:
        right = !store && shape.packing != Packing::none && !shape.transposed;
        break;
    case Modifier::m16n16:
        right = !store && shape.bytes && shape.transposed && shape.matrices <= 2;
        shape.rows = 16;
        break;
    case Modifier::m16n8:
        right = store && shape.bytes && shape.transposed;
        break;
    default:
        break;
    }
    if (!right)
        throw Error(instruction.where, instruction.opcode_text + " has no such combination of shape, count and type");
    return shape;
}

class MatrixMove {
  public:
    MatrixMove(Emitter& emitter, const Instruction& instruction)
        : emitter_(emitter), ir_(emitter.ir()), instruction_(instruction), rows_(emitter, instruction) {
        if (instruction.operands.size() < 2)
            throw Error(instruction.where, instruction.opcode_text + " lacks an operand");
    }

    void load() {
        const Shape shape = shape_of(instruction_);
        const auto registers = rows_.registers(instruction_.operands[0], shape.registers());
        llvm::Value* address = rows_.own_address(instruction_.operands[1]);
        std::vector<llvm::Value*> words;
        for (unsigned i = 0; i < registers.size(); ++i)
            words.push_back(!shape.transposed ? row_word(shape, address, i)
                            : shape.bytes     ? column_bytes(shape, address, i)
                                              : column_halves(address, i));
        for (size_t i = 0; i < registers.size(); ++i) emitter_.write(registers[i], words[i], Type::b32);
    }

    void store() {
        const Shape shape = shape_of(instruction_);
        const auto registers = rows_.registers(instruction_.operands[1], shape.registers());
        llvm::Value* address = rows_.own_address(instruction_.operands[0]);
        std::vector<llvm::Value*> words;
        for (const Operand& element : registers) words.push_back(emitter_.read(element, Type::b32));
        for (unsigned i = 0; i < words.size(); ++i) {
            if (shape.transposed)
                store_column(shape, address, i, words[i]);
            else
                ir_.CreateAlignedStore(words[i], rows_.at(row(address, i, rows_.group()), scaled(rows_.place(), 4)),
                                       llvm::Align(4));
        }
        rows_.meet();
    }

    /// Row r of the result is column r of the source, whose elements are two halves of one register each.
    void transpose() {
        if (!instruction_.has(Modifier::trans)) throw Error(instruction_.where, "movmatrix needs .trans");
        llvm::Value* word = emitter_.read(instruction_.operands[1], Type::b32);
        llvm::Value* pair = ir_.CreateLShr(rows_.group(), 1);
        llvm::Value* low = half_of(rows_.of_lane(word, source_lane(pair, 0)));
        llvm::Value* high = half_of(rows_.of_lane(word, source_lane(pair, 1)));
        emitter_.write(instruction_.operands[0], ir_.CreateOr(low, ir_.CreateShl(high, 16)), Type::b32);
    }

  private:
    llvm::Value* scaled(llvm::Value* value, unsigned factor) { return ir_.CreateMul(value, ir_.getInt32(factor)); }
    llvm::Value* plus(llvm::Value* value, unsigned addend) { return ir_.CreateAdd(value, ir_.getInt32(addend)); }

    /// Address of row `number` of the i-th eight rows.
    llvm::Value* row(llvm::Value* address, unsigned i, llvm::Value* number) {
        return rows_.of_lane(address, plus(number, 8 * i));
    }

    llvm::Value* load(llvm::Type* type, llvm::Value* row_address, llvm::Value* offset, unsigned alignment) {
        llvm::Value* value = ir_.CreateAlignedLoad(type, rows_.at(row_address, offset), llvm::Align(alignment));
        return ir_.CreateZExt(value, ir_.getInt32Ty());
    }

    llvm::Value* row_word(const Shape& shape, llvm::Value* address, unsigned i) {
        llvm::Value* from = row(address, i, rows_.group());
        if (shape.packing == Packing::none) return load(ir_.getInt32Ty(), from, scaled(rows_.place(), 4), 4);
        llvm::Value* word = ir_.getInt32(0);
        for (unsigned j = 0; j < 4; ++j)
            word = ir_.CreateOr(word, ir_.CreateShl(element(shape, from, plus(scaled(rows_.place(), 4), j)), 8 * j));
        return word;
    }

    llvm::Value* column_halves(llvm::Value* address, unsigned i) {
        llvm::Value* word = ir_.getInt32(0);
        for (unsigned j = 0; j < 2; ++j) {
            llvm::Value* from = row(address, i, plus(scaled(rows_.place(), 2), j));
            word = ir_.CreateOr(word, ir_.CreateShl(load(ir_.getInt16Ty(), from, scaled(rows_.group(), 2), 2), 16 * j));
        }
        return word;
    }

    /// Sixteen rows give two registers. Elements of two neighbouring rows and of columns 8 apart share one.
    llvm::Value* column_bytes(const Shape& shape, llvm::Value* address, unsigned i) {
        llvm::Value* word = ir_.getInt32(0);
        for (unsigned j = 0; j < 4; ++j) {
            llvm::Value* from =
                rows_.of_lane(address, plus(scaled(rows_.place(), 4), 16 * (i / 2) + 2 * (i % 2) + j % 2));
            llvm::Value* byte = element(shape, from, plus(rows_.group(), 8 * (j / 2)));
            word = ir_.CreateOr(word, ir_.CreateShl(byte, 8 * j));
        }
        return word;
    }

    /// One element of a row of 16, widened to 8 bits.
    llvm::Value* element(const Shape& shape, llvm::Value* from, llvm::Value* index) {
        switch (shape.packing) {
        case Packing::none:
            return load(ir_.getInt8Ty(), from, index, 1);
        case Packing::four_bits: {
            llvm::Value* byte = load(ir_.getInt8Ty(), from, ir_.CreateLShr(index, 1), 1);
            return ir_.CreateAnd(ir_.CreateLShr(byte, scaled(ir_.CreateAnd(index, 1), 4)), 15);
        }
        case Packing::six_bits: {
            // The two bytes around the element are within the row: 16 elements are 12 of its 16 bytes.
            llvm::Value* bit = scaled(index, 6);
            llvm::Value* pair = load(ir_.getInt16Ty(), from, ir_.CreateLShr(bit, 3), 1);
            return ir_.CreateAnd(ir_.CreateLShr(pair, ir_.CreateAnd(bit, 7)), 63);
        }
        }
        return nullptr;
    }

    /// A register holds elements of two rows of memory; bytes of columns 8 apart.
    void store_column(const Shape& shape, llvm::Value* address, unsigned i, llvm::Value* word) {
        const unsigned bytes = shape.bytes ? 1 : 2;
        for (unsigned j = 0; j < 4 / bytes; ++j) {
            llvm::Value* to = row(address, i, plus(scaled(rows_.place(), 2), j % 2));
            llvm::Value* column = plus(scaled(rows_.group(), bytes), 8 * (j / 2));
            llvm::Value* part = ir_.CreateTrunc(ir_.CreateLShr(word, 8 * bytes * j), ir_.getIntNTy(8 * bytes));
            ir_.CreateAlignedStore(part, rows_.at(to, column), llvm::Align(bytes));
        }
    }

    llvm::Value* source_lane(llvm::Value* pair, unsigned row_in_pair) {
        return ir_.CreateAdd(scaled(plus(scaled(rows_.place(), 2), row_in_pair), 4), pair);
    }

    llvm::Value* half_of(llvm::Value* word) {
        llvm::Value* shift = scaled(ir_.CreateAnd(rows_.group(), 1), 16);
        return ir_.CreateAnd(ir_.CreateLShr(word, shift), 0xffff);
    }

    Emitter& emitter_;
    llvm::IRBuilder<>& ir_;
    const Instruction& instruction_;
    MatrixRows rows_;
};

} // namespace

void lower_ldmatrix(Emitter& emitter, const Instruction& instruction) { MatrixMove(emitter, instruction).load(); }

void lower_stmatrix(Emitter& emitter, const Instruction& instruction) { MatrixMove(emitter, instruction).store(); }

void lower_movmatrix(Emitter& emitter, const Instruction& instruction) { MatrixMove(emitter, instruction).transpose(); }

} // namespace ptx::ast_to_llvm
