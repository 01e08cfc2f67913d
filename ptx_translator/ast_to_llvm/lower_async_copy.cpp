#include "ast_to_llvm/function_lowering.h"
#include "ast_to_llvm/types.h"

#include <llvm/IR/Module.h>

/// cp.async without barriers: copied at once, so that there is nothing to wait for. PTX ISA 9.7.9.27.3.
namespace ptx::ast_to_llvm {
namespace {

class AsyncCopy {
  public:
    AsyncCopy(Emitter& emitter, const Instruction& instruction)
        : function_(lowering(emitter)), ir_(emitter.ir()), instruction_(instruction) {
        if (instruction.operands.size() < 3 || instruction.operands[2].kind != Operand::Kind::integer)
            throw Error(instruction.where, "cp.async wants two addresses and a constant size");
        bytes_ = instruction.operands[2].integer;
        if (bytes_ != 4 && bytes_ != 8 && bytes_ != 16)
            throw Error(instruction.operands[2].where, "cp.async copies 4, 8 or 16 bytes");
    }

    void emit() {
        const Operand* limit = limit_operand();
        if (!limit) return copy_all();
        bool ignores = function_.declared_type(*limit) == Type::pred;
        llvm::Value* whole =
            ignores ? function_.read(*limit, Type::pred) : ir_.CreateICmpUGE(function_.read(*limit, Type::u32), size());
        if (ignores) whole = ir_.CreateNot(whole);
        auto* all = function_.new_block("copy.all");
        auto* part = function_.new_block("copy.part");
        auto* next = function_.new_block("copied");
        ir_.CreateCondBr(whole, all, part);
        ir_.SetInsertPoint(all);
        copy_all();
        ir_.CreateBr(next);
        ir_.SetInsertPoint(part);
        ir_.CreateAlignedStore(llvm::Constant::getNullValue(type()), target(), alignment());
        if (!ignores) copy_part(function_.read(*limit, Type::u32));
        function_.continue_in(next);
    }

  private:
    /// The source size or the ignore-source predicate, if there is one; the last operand may be a cache policy.
    const Operand* limit_operand() const {
        size_t count = instruction_.operands.size() - (instruction_.has(Modifier::l2_cache_hint) ? 1 : 0);
        return count > 3 ? &instruction_.operands[3] : nullptr;
    }

    llvm::Value* target() { return function_.pointer(instruction_.operands[0], Space::shared); }
    llvm::Value* size() { return ir_.getInt32(static_cast<uint32_t>(bytes_)); }
    llvm::Align alignment() const { return llvm::Align(bytes_); }
    llvm::Type* type() {
        if (bytes_ == 16) return llvm::FixedVectorType::get(ir_.getInt32Ty(), 4);
        return ir_.getIntNTy(static_cast<unsigned>(8 * bytes_));
    }

    void copy_all() {
        llvm::Value* source = function_.pointer(instruction_.operands[1], Space::global);
        ir_.CreateAlignedStore(ir_.CreateAlignedLoad(type(), source, alignment()), target(), alignment());
    }

    /// Byte by byte, since what lies behind the source size must not be touched.
    void copy_part(llvm::Value* count) {
        llvm::Value* from = function_.address(instruction_.operands[1], Space::global);
        llvm::Value* to = function_.address(instruction_.operands[0], Space::shared);
        auto* before = ir_.GetInsertBlock();
        auto* test = function_.new_block("copy.test");
        auto* body = function_.new_block("copy.byte");
        auto* done = function_.new_block("copy.done");
        ir_.CreateBr(test);
        ir_.SetInsertPoint(test);
        auto* index = ir_.CreatePHI(ir_.getInt32Ty(), 2);
        index->addIncoming(ir_.getInt32(0), before);
        ir_.CreateCondBr(ir_.CreateICmpULT(index, count), body, done);
        ir_.SetInsertPoint(body);
        auto* source = ir_.CreateIntToPtr(ir_.CreateAdd(from, ir_.CreateZExt(index, ir_.getInt64Ty())),
                                          ir_.getPtrTy(global_space));
        auto* target = ir_.CreateIntToPtr(ir_.CreateAdd(to, index), ir_.getPtrTy(shared_space));
        ir_.CreateStore(ir_.CreateLoad(ir_.getInt8Ty(), source), target);
        index->addIncoming(ir_.CreateAdd(index, ir_.getInt32(1)), body);
        ir_.CreateBr(test);
        ir_.SetInsertPoint(done);
    }

    FunctionLowering& function_;
    llvm::IRBuilder<>& ir_;
    const Instruction& instruction_;
    uint64_t bytes_ = 0;
};

} // namespace

void lower_cp_async(Emitter& emitter, const Instruction& instruction) { AsyncCopy(emitter, instruction).emit(); }

void lower_cp_async_group(Emitter&, const Instruction&) {}

} // namespace ptx::ast_to_llvm
