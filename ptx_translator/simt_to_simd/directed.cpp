// Directed rounding: all lanes between two writes of MXCSR, in one asm statement as in the scalar function.
#include "simt_to_simd/directed.h"

#include "simt_to_simd/widener.h"

#include <llvm/IR/InlineAsm.h>
#include <llvm/IR/InstrTypes.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/PatternMatch.h>

#include <cmath>

namespace ptx::simd {

using llvm::StringLiteral;
using llvm::Value;

namespace {

constexpr unsigned register_bits = 256, most_at_once = 3;
constexpr unsigned default_mxcsr = 0x1f80, rounding_shift = 13;

struct Row {
    StringLiteral name, instruction;
    unsigned operands;
};
constexpr Row rows[] = {
    {StringLiteral("fadd"), StringLiteral("vadd"), 2},  {StringLiteral("fsub"), StringLiteral("vsub"), 2},
    {StringLiteral("fmul"), StringLiteral("vmul"), 2},  {StringLiteral("fdiv"), StringLiteral("vdiv"), 2},
    {StringLiteral("sqrt"), StringLiteral("vsqrt"), 1}, {StringLiteral("fma"), StringLiteral("vfmadd213"), 3},
};
/// MXCSR.RC: Intel SDM volume 1, 4.8.4.
constexpr std::pair<StringLiteral, unsigned> modes[] = {
    {StringLiteral("rm"), 1}, {StringLiteral("rp"), 2}, {StringLiteral("rz"), 3}};

} // namespace

std::optional<Directed> directed_of(const llvm::CallBase& call) {
    const llvm::Function* callee = call.getCalledFunction();
    llvm::StringRef name = callee ? callee->getName() : "";
    if (!name.consume_front("cuttle_round_") || !name.consume_back("_avx")) return std::nullopt;
    const auto [operation, rest] = name.split('_');
    const llvm::StringRef mode = rest.split('_').first;
    for (const Row& row : rows)
        for (const auto& [letters, number] : modes)
            if (row.name == operation && letters == mode)
                return Directed{row.instruction, default_mxcsr | number << rounding_shift, row.operands};
    return std::nullopt;
}

namespace {

/// y > 0 ? y : 0, and what is below 1 of that: as .sat is lowered.
bool is_saturated(Value* value) {
    using namespace llvm::PatternMatch;
    Value *inner = nullptr, *given = nullptr;
    llvm::CmpPredicate less, greater;
    return match(value, m_Select(m_FCmp(less, m_Value(inner), m_SpecificFP(1)), m_Deferred(inner), m_SpecificFP(1))) &&
           less == llvm::CmpInst::FCMP_OLT &&
           match(inner, m_Select(m_FCmp(greater, m_Value(given), m_PosZeroFP()), m_Deferred(given), m_PosZeroFP())) &&
           greater == llvm::CmpInst::FCMP_OGT;
}

/// Whether all sums x * factor + sum, of x from 0 to 1, lie with `sum`, a positive number, between the same powers
/// of 2.
bool stay_in_binade(Value* factor, Value* sum) {
    const auto *a = llvm::dyn_cast<llvm::ConstantFP>(factor), *c = llvm::dyn_cast<llvm::ConstantFP>(sum);
    if (!a || !c || !a->getType()->isFloatTy() || !a->getValueAPF().isNormal() || !c->getValueAPF().isNormal() ||
        a->isNegative() || c->isNegative())
        return false;
    const double first = c->getValueAPF().convertToFloat();
    return std::ilogb(first + double(a->getValueAPF().convertToFloat())) == std::ilogb(first);
}

} // namespace

/// Down from the nearest number, if that is above: with a write of MXCSR the processor would wait for all before.
/// CUDA's expf has such a sum: its integer part is wanted. Null: it is another sum.
Value* Widener::fuse_down(llvm::CallInst& call, const Directed& how) {
    const unsigned mode = (how.mxcsr - default_mxcsr) >> rounding_shift;
    if (how.operands != 3 || !call.getType()->isFloatTy() || (mode != 1 && mode != 3) ||
        !is_saturated(call.getArgOperand(0)) || !stay_in_binade(call.getArgOperand(1), call.getArgOperand(2)))
        return nullptr;
    Value *x = vector(call.getArgOperand(0)), *factor = vector(call.getArgOperand(1)),
          *sum = vector(call.getArgOperand(2));
    llvm::Type* bits = widened(ir_.getInt32Ty());
    const auto fuse = [&](Value* last) {
        return ir_.CreateIntrinsic(llvm::Intrinsic::fma, {x->getType()}, {x, factor, last});
    };
    Value* nearest = fuse(sum);
    Value* more = fuse(ir_.CreateFNeg(ir_.CreateFSub(nearest, sum))); // exact difference; its sign is right
    Value* down = ir_.CreateAShr(ir_.CreateBitCast(more, bits), 31);
    return ir_.CreateBitCast(ir_.CreateAdd(ir_.CreateBitCast(nearest, bits), down), x->getType());
}

void Widener::widen_directed(llvm::CallInst& call, const Directed& how) {
    if (Value* sum = fuse_down(call, how)) return note(call, sum);
    IR entry(entry_, entry_->begin());
    Value *old = entry.CreateAlloca(ir_.getInt32Ty()), *mode = entry.CreateAlloca(ir_.getInt32Ty());
    ir_.CreateStore(ir_.getInt32(how.mxcsr), mode);
    llvm::Type* type = call.getType();
    const unsigned step = register_bits / unsigned(type->getPrimitiveSizeInBits());
    auto* piece = llvm::FixedVectorType::get(type, std::min(step, lanes_));
    llvm::SmallVector<Value*, 3> operands;
    for (unsigned i = 0; i < how.operands; ++i) operands.push_back(vector(call.getArgOperand(i)));
    const std::string ending = type->isFloatTy() ? "ps" : "pd";
    Value* result = llvm::PoisonValue::get(widened(type));
    for (unsigned first = 0; first < lanes_; first += most_at_once * step) {
        const unsigned count = std::min(most_at_once, (lanes_ - first + step - 1) / step);
        // Results, the register's old value; first operands in the results' places, the others, the mode.
        std::string text =
            "stmxcsr $" + std::to_string(count) + "\n\tldmxcsr $" + std::to_string(count + 1 + count * how.operands);
        std::string constraints;
        for (unsigned i = 0; i < count; ++i) constraints += "=&x,";
        constraints += "=*m";
        llvm::SmallVector<Value*, 12> values{old};
        llvm::SmallVector<llvm::Type*, 12> types{old->getType()};
        for (unsigned operand = 0; operand < how.operands; ++operand)
            for (unsigned i = 0; i < count; ++i) {
                llvm::SmallVector<int, 8> lanes;
                for (unsigned j = 0; j < piece->getNumElements(); ++j) lanes.push_back(int(first + i * step + j));
                values.push_back(ir_.CreateShuffleVector(operands[operand], lanes));
                types.push_back(piece);
                constraints += operand == 0 ? "," + std::to_string(i) : std::string(",x");
            }
        values.push_back(mode);
        types.push_back(mode->getType());
        constraints += ",*m";
        for (unsigned i = 0; i < count; ++i) {
            const auto place = [&](unsigned operand) { return "$" + std::to_string(count + 1 + operand * count + i); };
            text += "\n\t" + how.instruction.str() + ending + " ";
            if (how.operands == 3) text += place(2) + ", ";
            if (how.operands >= 2) text += place(1) + ", ";
            const std::string mine = "$" + std::to_string(i);
            text += how.operands == 2 ? mine + ", " + mine : how.operands == 1 ? mine + ", " + mine : mine;
        }
        text += "\n\tldmxcsr $" + std::to_string(count);
        llvm::SmallVector<llvm::Type*, 4> results(count, piece);
        llvm::Type* made = count == 1 ? (llvm::Type*)piece : llvm::StructType::get(context_, results);
        auto* assembly = llvm::InlineAsm::get(llvm::FunctionType::get(made, types, false), text, constraints, false);
        llvm::CallInst* run = ir_.CreateCall(assembly, values);
        for (unsigned place : {0u, unsigned(values.size() - 1)})
            run->addParamAttr(place, llvm::Attribute::get(context_, llvm::Attribute::ElementType, ir_.getInt32Ty()));
        for (unsigned i = 0; i < count; ++i) {
            Value* part = count == 1 ? (Value*)run : ir_.CreateExtractValue(run, i);
            llvm::SmallVector<int, 32> widen, blend;
            for (unsigned lane = 0; lane < lanes_; ++lane) {
                const unsigned begin = first + i * step;
                const bool mine = lane >= begin && lane < begin + step;
                widen.push_back(mine ? int(lane - begin) : -1);
                blend.push_back(mine ? int(lanes_ + lane) : int(lane));
            }
            result = ir_.CreateShuffleVector(result, ir_.CreateShuffleVector(part, widen), blend);
        }
    }
    note(call, result);
}

} // namespace ptx::simd
