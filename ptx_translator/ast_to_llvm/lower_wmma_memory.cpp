#include "ast_to_llvm/matrix_form_of.h"
#include "ast_to_llvm/matrix_rows.h"
#include "ast_to_llvm/types.h"
#include "ast_to_llvm/vectors.h"

/// wmma.load and wmma.store. PTX ISA 9.7.14.3.3 and 9.7.14.3.4. The manual leaves open which lane holds which element;
/// here it is as on an H100, where wmma fragments are those of mma put side by side. Plain loads and stores.
namespace ptx::ast_to_llvm {
namespace {

enum class Role { a, b, accumulator };

/// A place of a matrix: a constant of the register's and a part that the lane adds.
struct Coordinates {
    unsigned row, column;
};

class Fragment {
  public:
    Fragment(Emitter& emitter, const Instruction& instruction, Role role)
        : emitter_(emitter), ir_(emitter.ir()), instruction_(instruction), rows_(emitter, instruction), role_(role),
          element_(matrix_element(instruction.type(), instruction.where)), bits_(bits_of(element_)) {
        if (matrix_shape(instruction, m_, n_, k_) == Modifier::none)
            throw Error(instruction.where, instruction.opcode_text + " needs a shape");
        if (role == Role::accumulator)
            form_.c = element_;
        else
            form_.a = form_.b = element_;
        form_.family = MatrixFamily::wmma;
        form_.m = static_cast<uint16_t>(m_), form_.n = static_cast<uint16_t>(n_), form_.k = static_cast<uint16_t>(k_);
        const MatrixWords words = words_of(form_);
        words_ = role == Role::a ? words.a : role == Role::b ? words.b : words.c;
        row_major_ = instruction.has(Modifier::row);
        if (!row_major_ && !instruction.has(Modifier::col))
            throw Error(instruction.where, instruction.opcode_text + " needs .row or .col");
        if (bits_ < 8 && role != Role::accumulator && row_major_ != (role == Role::a))
            throw Error(instruction.where, instruction.opcode_text + ": elements of less than 8 bits are read along k");
    }

    void load() {
        const auto registers = rows_.registers(instruction_.operands[0], words_ / register_words());
        prepare(1, 2);
        rows_.meet();
        std::vector<llvm::Value*> values;
        for (unsigned i = 0; i < registers.size(); ++i) values.push_back(load_register(i));
        for (size_t i = 0; i < registers.size(); ++i) emitter_.write(registers[i], values[i], register_type());
    }

    void store() {
        const auto registers = rows_.registers(instruction_.operands[1], words_ / register_words());
        prepare(0, 2);
        for (unsigned i = 0; i < registers.size(); ++i) store_register(i, emitter_.read(registers[i], register_type()));
        rows_.meet();
    }

  private:
    unsigned register_words() const { return bits_ == 64 ? 2 : 1; }
    Type register_type() const { return bits_ == 64 ? Type::b64 : Type::b32; }
    /// m8n32 is m32n8 with A and B, rows and columns exchanged.
    bool transposed() const { return m_ == 8 && n_ == 32; }
    Role shape_role() const {
        if (!transposed() || role_ == Role::accumulator) return role_;
        return role_ == Role::a ? Role::b : Role::a;
    }
    unsigned per_register() const { return bits_ >= 32 ? 1 : 32 / bits_; }
    /// What element `j` of register `i` adds to the lane's own place: x along k or, of accumulators, along the row; y
    /// the other way.
    Coordinates constant_place(unsigned i, unsigned j) const {
        if (shape_role() == Role::accumulator) {
            const unsigned index = i * per_register() + j, tall = transposed() ? n_ : m_;
            const unsigned rows = tall / 8, per_column_block = 2 * rows;
            return {index / 2 % rows * 8, index / per_column_block * 8 + index % 2};
        }
        const unsigned steps = k_ / per_register() / 4;
        unsigned step = 0, block = 0;
        if (shape_role() == Role::a) {
            const unsigned height = transposed() ? n_ : m_;
            // f16 fragments repeat where the matrix is smaller than the registers.
            const unsigned known = steps * height / 8;
            const unsigned at = i % known;
            if (height == 8)
                step = at;
            else
                step = at / 2 % steps, block = at % 2 + at / (2 * steps) * 2;
        } else {
            const unsigned width = transposed() ? m_ : n_;
            const unsigned at = i % (steps * width / 8);
            step = at % steps, block = at / steps;
        }
        return {block * 8, step * 4 * per_register() + j};
    }

    void prepare(size_t address, size_t stride) {
        const auto& operands = instruction_.operands;
        if (operands.size() <= address) throw Error(instruction_.where, instruction_.opcode_text + " lacks an operand");
        const Operand& memory = operands[address];
        if (memory.kind != Operand::Kind::address || memory.elements.empty())
            throw Error(memory.where, "expected an address in brackets");
        space_ = instruction_.space();
        base_ = emitter_.address(memory, space_);
        stride_ =
            operands.size() > stride ? emitter_.read(operands[stride], Type::b32) : ir_.getInt32(default_stride());
        lane_y_ = rows_.group();
        lane_x_ = ir_.CreateMul(rows_.place(), ir_.getInt32(shape_role() == Role::accumulator ? 2 : per_register()));
    }

    /// Without a stride the matrix lies densely.
    unsigned default_stride() const {
        const unsigned rows = role_ == Role::b ? k_ : m_, columns = role_ == Role::a ? k_ : n_;
        return row_major_ ? columns : rows;
    }

    /// Does memory run along x? x is a column number of A and of accumulators, and a row number of B; the other way
    /// round for the transposed shape's accumulators.
    bool along_x() const {
        if (role_ == Role::accumulator) return row_major_ != transposed();
        return row_major_ == (role_ == Role::a);
    }

    /// Offset in bytes of a place that is `major` rows (or columns) and `minor` elements from another.
    llvm::Value* offset(llvm::Value* major, llvm::Value* minor) {
        auto* wide = ir_.getInt64Ty();
        llvm::Value* index = ir_.CreateAdd(ir_.CreateMul(ir_.CreateZExt(major, wide), ir_.CreateZExt(stride_, wide)),
                                           ir_.CreateZExt(minor, wide));
        llvm::Value* bytes =
            bits_ < 8 ? ir_.CreateLShr(index, bits_ == 4 ? 1 : 3) : ir_.CreateMul(index, ir_.getInt64(bits_ / 8));
        return ir_.CreateTrunc(bytes, base_->getType());
    }

    /// The lane's own place is computed once; what a register adds to it is a constant where the stride is one. Rows
    /// and elements that registers add are whole bytes.
    llvm::Value* pointer(unsigned i, unsigned j) {
        if (own_ == nullptr)
            own_ = ir_.CreateAdd(base_, along_x() ? offset(lane_y_, lane_x_) : offset(lane_x_, lane_y_));
        const Coordinates fixed = constant_place(i, j);
        const unsigned major = along_x() ? fixed.row : fixed.column, minor = along_x() ? fixed.column : fixed.row;
        llvm::Value* address = ir_.CreateAdd(own_, offset(ir_.getInt32(major), ir_.getInt32(minor)));
        unsigned number = generic_space;
        if (space_ == Space::global) number = global_space;
        if (space_ == Space::shared || space_ == Space::shared_cluster) number = shared_space;
        return ir_.CreateIntToPtr(address, ir_.getPtrTy(number));
    }

    /// Elements of one register lie side by side where memory runs along x.
    bool whole_registers() const { return bits_ >= 32 || bits_ < 8 || along_x(); }
    /// The manual wants addresses and strides that are multiples of 16 and 8 bytes; no register straddles.
    llvm::Align whole_alignment() const { return llvm::Align(bits_ == 64 ? 8 : 4); }

    llvm::Value* load_register(unsigned i) {
        if (whole_registers())
            return ir_.CreateAlignedLoad(ir_.getIntNTy(bits_ == 64 ? 64 : 32), pointer(i, 0), whole_alignment());
        llvm::Value* word = ir_.getInt32(0);
        for (unsigned j = 0; j < per_register(); ++j) {
            llvm::Value* part = ir_.CreateAlignedLoad(ir_.getIntNTy(bits_), pointer(i, j), llvm::Align(bits_ / 8));
            word = ir_.CreateOr(word, ir_.CreateShl(ir_.CreateZExt(part, ir_.getInt32Ty()), j * bits_));
        }
        return word;
    }

    void store_register(unsigned i, llvm::Value* value) {
        if (whole_registers()) {
            ir_.CreateAlignedStore(value, pointer(i, 0), whole_alignment());
            return;
        }
        for (unsigned j = 0; j < per_register(); ++j) {
            llvm::Value* part = ir_.CreateTrunc(ir_.CreateLShr(value, j * bits_), ir_.getIntNTy(bits_));
            ir_.CreateAlignedStore(part, pointer(i, j), llvm::Align(bits_ / 8));
        }
    }

    Emitter& emitter_;
    llvm::IRBuilder<>& ir_;
    const Instruction& instruction_;
    MatrixRows rows_;
    Role role_;
    MatrixElement element_;
    unsigned bits_, m_ = 0, n_ = 0, k_ = 0, words_ = 0;
    MatrixForm form_;
    bool row_major_ = false;
    Space space_ = Space::generic;
    llvm::Value *base_ = nullptr, *stride_ = nullptr, *lane_x_ = nullptr, *lane_y_ = nullptr, *own_ = nullptr;
};

} // namespace

void lower_wmma_load(Emitter& emitter, const Instruction& instruction) {
    const Role role = instruction.has(Modifier::a)   ? Role::a
                      : instruction.has(Modifier::b) ? Role::b
                                                     : Role::accumulator;
    Fragment(emitter, instruction, role).load();
}

void lower_wmma_store(Emitter& emitter, const Instruction& instruction) {
    Fragment(emitter, instruction, Role::accumulator).store();
}

} // namespace ptx::ast_to_llvm
