#include "llvm_to_code/spirv_directed.h"

#include "llvm_to_code/gpu_calls.h"
#include "llvm_to_code/neutral.h"

#include <llvm/IR/Constants.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/PatternMatch.h>

#include <cmath>

namespace ptx::code {
namespace {

using llvm::Value;

/// What saturation makes (docs/neutral_ir.md, "Floating point"): not below 0, not above 1, no NaN.
bool is_saturated(Value* value) {
    using namespace llvm::PatternMatch;
    const auto clamped = [](Value* v, llvm::CmpInst::Predicate wanted, double limit, Value*& inner) {
        llvm::CmpPredicate predicate;
        return match(v, m_Select(m_FCmp(predicate, m_Value(inner), m_SpecificFP(limit)), m_Deferred(inner),
                                 m_SpecificFP(limit))) &&
               static_cast<llvm::CmpInst::Predicate>(predicate) == wanted;
    };
    Value *low = nullptr, *number = nullptr;
    return clamped(value, llvm::FCmpInst::FCMP_OLT, 1, low) && clamped(low, llvm::FCmpInst::FCMP_OGT, 0, number);
}

} // namespace

Value* fuse_beside_constant(GpuCall& site) {
    llvm::StringRef name = cuttle_name(site.call);
    if (!name.consume_front("round.fma.") || !name.consume_back(".f32")) return nullptr;
    const auto* factor = llvm::dyn_cast<llvm::ConstantFP>(site.operand(1));
    const auto* addend = llvm::dyn_cast<llvm::ConstantFP>(site.operand(2));
    Value* x = site.operand(0);
    if (!factor || !addend || !is_saturated(x)) return nullptr;
    const float most = std::fabs(factor->getValueAPF().convertToFloat());
    const float centre = addend->getValueAPF().convertToFloat();
    // All results have the addend's exponent, so that their last places are alike, their distances from it exact, and
    // no product is too small for its sign to be seen.
    int exponent = 0;
    if (!(most >= 1) || !(centre > 0) || std::frexp(centre, &exponent) == 0 || exponent > 100) return nullptr;
    const double least = std::ldexp(0.5, exponent), place = std::ldexp(1.0, exponent - 24);
    if (double{centre} - most - place < least || double{centre} + most + place >= 2 * least) return nullptr;

    llvm::IRBuilder<>& ir = site.ir;
    Value* nearest = ir.CreateIntrinsic(llvm::Intrinsic::fma, {x->getType()}, {x, site.operand(1), site.operand(2)});
    Value* distance = ir.CreateFSub(site.operand(2), nearest);
    // Its sign is that of the exact value's distance from the nearest float.
    Value* error = ir.CreateIntrinsic(llvm::Intrinsic::fma, {x->getType()}, {x, site.operand(1), distance});
    Value* zero = llvm::ConstantFP::get(x->getType(), 0);
    const bool up = name == "rp";
    Value* wrong = up ? ir.CreateFCmpOGT(error, zero) : ir.CreateFCmpOLT(error, zero);
    Value* moved = ir.CreateFAdd(nearest, llvm::ConstantFP::get(x->getType(), up ? place : -place));
    return ir.CreateSelect(wrong, moved, nearest);
}

} // namespace ptx::code
