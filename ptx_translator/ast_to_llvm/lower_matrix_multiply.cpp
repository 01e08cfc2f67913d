#include "ast_to_llvm/emitter.h"
#include "ast_to_llvm/matrix_form_of.h"
#include "ast_to_llvm/vectors.h"

/// mma, mma.sp and wmma.mma: all become one call that takes and gives a lane's registers. PTX ISA 9.7.14.3 - 9.7.14.6.
namespace ptx::ast_to_llvm {
namespace {

class MatrixMultiply {
  public:
    MatrixMultiply(Emitter& emitter, const Instruction& instruction)
        : emitter_(emitter), ir_(emitter.ir()), instruction_(instruction), form_(matrix_form_of(instruction)) {
        if (instruction.operands.size() != scales_at() + (form_.scale == MatrixScale::none ? 0 : 4))
            throw Error(instruction.where, instruction.opcode_text + " has too few or too many operands");
        if (form_.sparse) read_selector();
    }

    void emit() {
        const MatrixWords words = words_of(form_);
        const auto& operands = instruction_.operands;
        arguments_.push_back(ir_.getInt64(form_.encode()));
        read(operands[1], words.a, form_.a);
        read(operands[2], words.b, form_.b);
        read(operands[3], words.c, form_.c);
        if (form_.sparse) arguments_.push_back(emitter_.read(operands[4], Type::b32));
        if (form_.scale != MatrixScale::none) read_scales();
        std::string family = form_.family == MatrixFamily::wmma ? "wmma." : form_.sparse ? "sp." : "";
        if (form_.scale != MatrixScale::none) family += "scaled.";
        llvm::CallInst* result = emitter_.call("cuttle.mma." + family + name_of(form_),
                                               llvm::ArrayType::get(ir_.getInt32Ty(), words.d), arguments_, true);
        write(operands[0], words.d, result);
    }

  private:
    size_t scales_at() const { return form_.sparse ? 6 : 4; }

    /// The factors of A and their selector {byte-id, thread-id}, then those of B. PTX ISA 9.7.14.3.
    void read_scales() {
        for (const bool of_b : {false, true}) {
            const Operand& factors = instruction_.operands[scales_at() + (of_b ? 2 : 0)];
            const Operand& selector = instruction_.operands[scales_at() + (of_b ? 3 : 1)];
            const auto parts = elements_of(selector, 2);
            check_selector(parts[0], form_.scale_columns, 4, "byte");
            check_selector(parts[1], 1, of_b ? 4 : 2, "thread");
            arguments_.push_back(emitter_.read(factors, Type::b32));
            llvm::Value* byte = ir_.CreateZExt(emitter_.read(parts[0], Type::u16), ir_.getInt32Ty());
            llvm::Value* thread = ir_.CreateZExt(emitter_.read(parts[1], Type::u16), ir_.getInt32Ty());
            arguments_.push_back(ir_.CreateOr(byte, ir_.CreateShl(thread, thread_id_shift)));
        }
    }

    /// A constant must be a multiple of `step` below `limit`; what is in a register is taken modulo that.
    static void check_selector(const Operand& part, unsigned step, unsigned limit, const char* what) {
        if (part.kind == Operand::Kind::integer && (part.integer >= limit || part.integer % step != 0))
            throw Error(part.where,
                        std::string("no such ") + what + " selector of scale factors: " + std::to_string(part.integer));
    }

    /// Which lanes of each four give the metadata: a bit pair says where one of two elements lies. PTX ISA 9.7.14.6.1.
    void read_selector() {
        const Operand& selector = instruction_.operands[5];
        if (selector.kind != Operand::Kind::integer)
            throw Error(selector.where, "the sparsity selector must be a constant");
        unsigned row_bits = form_.k;
        if (bits_of(form_.a) == 32) row_bits = 2u * form_.k;
        if (bits_of(form_.a) == 4) row_bits = form_.k / 2u;
        const unsigned choices = 64 / row_bits;
        if (selector.integer >= choices)
            throw Error(selector.where, "the sparsity selector must be less than " + std::to_string(choices));
        form_.selector = static_cast<uint8_t>(selector.integer);
    }

    void read(const Operand& vector, unsigned words, MatrixElement element) {
        const unsigned each = bits_of(element) == 64 ? 2 : 1;
        for (const Operand& operand : elements_of(vector, words / each)) {
            if (each == 1) {
                const Type type = operand.kind == Operand::Kind::floating ? Type::f32 : Type::b32;
                arguments_.push_back(ir_.CreateBitCast(emitter_.read(operand, type), ir_.getInt32Ty()));
                continue;
            }
            const Type type = operand.kind == Operand::Kind::floating ? Type::f64 : Type::b64;
            llvm::Value* value = ir_.CreateBitCast(emitter_.read(operand, type), ir_.getInt64Ty());
            arguments_.push_back(ir_.CreateTrunc(value, ir_.getInt32Ty()));
            arguments_.push_back(ir_.CreateTrunc(ir_.CreateLShr(value, 32), ir_.getInt32Ty()));
        }
    }

    void write(const Operand& vector, unsigned words, llvm::Value* result) {
        const bool wide = bits_of(form_.d) == 64;
        const auto registers = elements_of(vector, wide ? words / 2 : words);
        for (unsigned i = 0; i < registers.size(); ++i) {
            if (!wide) {
                emitter_.write(registers[i], ir_.CreateExtractValue(result, i), Type::b32);
                continue;
            }
            llvm::Value* low = ir_.CreateZExt(ir_.CreateExtractValue(result, 2 * i), ir_.getInt64Ty());
            llvm::Value* high = ir_.CreateZExt(ir_.CreateExtractValue(result, 2 * i + 1), ir_.getInt64Ty());
            emitter_.write(registers[i], ir_.CreateOr(low, ir_.CreateShl(high, 32)), Type::b64);
        }
    }

    Emitter& emitter_;
    llvm::IRBuilder<>& ir_;
    const Instruction& instruction_;
    MatrixForm form_;
    std::vector<llvm::Value*> arguments_;
};

} // namespace

void lower_matrix_multiply(Emitter& emitter, const Instruction& instruction) {
    MatrixMultiply(emitter, instruction).emit();
}

} // namespace ptx::ast_to_llvm
