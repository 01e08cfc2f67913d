#include "llvm_to_code/spirv_arguments.h"

#include "llvm_to_code/neutral.h"
#include "ptx/spirv_arguments.h"

#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IRBuilder.h>

#include <optional>

namespace ptx::code {
namespace {

/// Where in the block of parameters; nothing if the load is of something else, or of a place that is computed.
std::optional<uint64_t> place_of(const llvm::LoadInst& load) {
    const llvm::DataLayout& layout = load.getDataLayout();
    llvm::APInt offset(layout.getIndexTypeSizeInBits(load.getPointerOperandType()), 0);
    const llvm::Value* base = load.getPointerOperand()->stripAndAccumulateConstantOffsets(layout, offset, true);
    const auto* block = llvm::dyn_cast<llvm::Instruction>(base);
    if (!block || cuttle_name(*block) != "kernel.parameters") return std::nullopt;
    return offset.getZExtValue();
}

} // namespace

PassedParameters::PassedParameters(llvm::Function& neutral, const KernelInfo& info, bool fp64) {
    llvm::LLVMContext& context = neutral.getContext();
    for (const ParameterInfo& place : spirv_arguments(info))
        parts_.push_back({place, llvm::IntegerType::get(context, 8 * place.size), {}});
    for (llvm::Instruction& instruction : llvm::instructions(neutral)) {
        auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction);
        if (!load || !load->isSimple() || load->getType()->isPointerTy()) continue;
        const std::optional<uint64_t> offset = place_of(*load);
        const uint64_t size = load->getDataLayout().getTypeStoreSize(load->getType());
        if (!offset) continue;
        for (Part& part : parts_) {
            if (part.place.offset != *offset || part.place.size != size) continue;
            if (load->getType()->isFloatTy() || (load->getType()->isDoubleTy() && fp64)) part.type = load->getType();
            part.reads.push_back(load);
        }
    }
}

void PassedParameters::append_types(llvm::SmallVectorImpl<llvm::Type*>& types) const {
    for (const Part& part : parts_) types.push_back(part.type);
}

void PassedParameters::use(llvm::Function& kernel, unsigned first) const {
    for (unsigned i = 0; i < parts_.size(); i++)
        for (llvm::LoadInst* read : parts_[i].reads) {
            llvm::IRBuilder<> ir(read);
            read->replaceAllUsesWith(ir.CreateBitCast(kernel.getArg(first + i), read->getType()));
            read->eraseFromParent();
        }
}

} // namespace ptx::code
