#include "simt_to_simd/worth.h"

#include "simt_to_simd/directed.h"
#include "simt_to_simd/patterns.h"
#include "simt_to_simd/runs.h"
#include "simt_to_simd/warp_operations.h"

#include <llvm/Analysis/LoopInfo.h>
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/Analysis/VectorUtils.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/IntrinsicInst.h>

#include <cmath>

namespace ptx::simd {
namespace {

using llvm::Instruction;
using llvm::isa;

// In operations of one register. Rough: what decides is how much goes lane by lane.
constexpr double division = 20, call = 4;
constexpr double lane_access =
    1.5;                         ///< to take a lane's address out of a vector, or to put its value in, is work besides
constexpr double run_access = 2; ///< the same for a group of lanes (runs.h)
constexpr double load_between = 3, store_between = 4; ///< of each register of elements that lie between others
constexpr double shuffled = 2;   ///< a register of what lanes load or store together with others, as bundles do
constexpr double lane_alone = 2; ///< an atomic or the like, in a loop over lanes
constexpr double look = 2;       ///< whether any lane is there, and whether all are
constexpr double rounds = 8;     ///< of a loop
constexpr double uneven = 1.3;   ///< lanes that leave a loop in different rounds wait for the last

/// Of threads one by one LLVM makes vectors, too, if worse ones. Measured: fft512 without bundles loses at 0.36 and
/// more, histogram gains at 0.31.
constexpr double most_of_one_by_one = 0.35;

constexpr unsigned few_instructions = 60, few_blocks = 6;

/// Matrices are multiplied by a call either way, which costs the same; operands and results lie in memory.
bool is_multiplication(const llvm::CallInst& called) {
    return warp_operation_of(called) == WarpOperation::multiply;
}
double words_of(const llvm::CallInst& multiplication) {
    return multiplication.arg_size() - 1 + double(multiplication.getType()->getArrayNumElements());
}

double alone(const Instruction& instruction) {
    if (isa<llvm::PHINode>(instruction)) return 0;
    if (instruction.isIntDivRem() || instruction.getOpcode() == Instruction::FDiv) return division;
    const auto* called = llvm::dyn_cast<llvm::CallInst>(&instruction);
    if (!called || isa<llvm::IntrinsicInst>(instruction)) return 1;
    return is_multiplication(*called) ? call + words_of(*called) : call;
}

class Estimate {
  public:
    Estimate(const Shapes& shapes, const Machine& machine, const llvm::DataLayout& data, const Bundles& bundles)
        : shapes_(shapes), data_(data), bundles_(bundles), alone_(machine.alone), lanes_(shapes.tile().lanes()),
          register_bits_(std::max<double>(
              64, double(machine.costs.getRegisterBitWidth(llvm::TargetTransformInfo::RGK_FixedWidthVector)
                             .getFixedValue()))) {}

    double together(const Instruction& instruction) const {
        const double one = alone(instruction);
        if (const Bundle* bundle = bundles_.of(&instruction)) return in_bundle(*bundle);
        if (instruction.isTerminator()) return shapes_.is_divergent(instruction.getParent()) ? 1 + look : one;
        if (const llvm::Value* pointer = llvm::getLoadStorePointerOperand(&instruction))
            return access(instruction, *pointer);
        if (isa<llvm::AtomicRMWInst, llvm::AtomicCmpXchgInst>(instruction)) return lanes_ * lane_alone;
        const auto* called = llvm::dyn_cast<llvm::CallInst>(&instruction);
        const auto operation = called ? warp_operation_of(*called) : std::nullopt;
        if (operation == WarpOperation::multiply) return registers(32) * words_of(*called);
        if (operation) return registers(32) * call;
        if (shapes_.of(&instruction).is_regular()) return one * (shapes_.of(&instruction).by_row ? rows() : 1);
        if (instruction.isIntDivRem()) return lanes_ * one;
        return one * registers(bits(instruction.getType()));
    }

  private:
    double rows() const { return shapes_.tile().rows; }
    double registers(double width) const { return std::max(1.0, std::ceil(lanes_ * width / register_bits_)); }

    static double bits(const llvm::Type* type) {
        if (type->isPointerTy()) return 64;
        return std::max(8.0, double(type->getPrimitiveSizeInBits().getFixedValue()));
    }

    double access(const Instruction& instruction, const llvm::Value& place) const {
        const Shape pointer = shapes_.of(&place);
        llvm::Type* type = llvm::getLoadStoreType(const_cast<Instruction*>(&instruction));
        const double masks = shapes_.is_masked(instruction.getParent()) ? look : 0;
        if (pointer.is_uniform()) return 1 + masks;
        const bool near = pointer.is_regular() && std::abs(pointer.stride) * 8 == int64_t(bits(type));
        if (near) return registers(bits(type)) + masks;
        if (pointer.is_regular() && pointer.stride == 0) return rows() + masks;
        if (const auto run = isa<llvm::LoadInst>(instruction) ? run_of(shapes_, data_, &place, type) : std::nullopt)
            return lanes_ / *run * run_access + masks;
        const bool stores = isa<llvm::StoreInst>(instruction);
        if (const auto elements = elements_of(shapes_, data_, &place, type);
            elements && (!stores || (alone_ && is_stored_between(*elements) && is_shared_memory(&place, data_)))) {
            const double pieces = std::ceil(elements->count * bits(type) / register_bits_);
            return pieces * (stores ? store_between : load_between) + masks;
        }
        return lanes_ * lane_access + masks;
    }

    /// A bundle's pieces, and shuffles of what each access has.
    double in_bundle(const Bundle& bundle) const {
        const unsigned most = std::max<unsigned>(1, unsigned(register_bits_) / 8 / bundle.size);
        return double(bundle.pieces(most)) / double(bundle.accesses.size()) + registers(8 * bundle.size) * shuffled;
    }

    const Shapes& shapes_;
    const llvm::DataLayout& data_;
    const Bundles& bundles_;
    const bool alone_;
    const double lanes_, register_bits_;
};

/// Of the lanes side by side, as a part of what one after another cost.
double relative_cost(const llvm::Function& function, const Shapes& shapes, const llvm::LoopInfo& loops,
                     const Machine& machine, const Bundles& bundles) {
    const Estimate estimate(shapes, machine, function.getDataLayout(), bundles);
    double side_by_side = 0, one_by_one = 0;
    for (const llvm::BasicBlock& block : function) {
        double weight = 1, waiting = 1;
        for (const llvm::Loop* loop = loops.getLoopFor(&block); loop; loop = loop->getParentLoop()) {
            weight *= rounds;
            if (shapes.is_divergent(loop)) waiting *= uneven;
        }
        // Where lanes may be elsewhere, a thread by itself does not come each time.
        const double comes = shapes.is_masked(&block) && !loops.getLoopFor(&block) ? 0.5 : 1;
        for (const Instruction& instruction : block) {
            side_by_side += weight * waiting * estimate.together(instruction);
            one_by_one += weight * comes * shapes.tile().lanes() * alone(instruction);
        }
    }
    return one_by_one > 0 ? side_by_side / one_by_one : 1;
}

/// The body of a kernel whose threads do not meet, as `c[i] = a[i] + b[i]` is one: of the loop over threads LLVM makes
/// vectors without fail, where masks have registers.
bool is_simple(const llvm::Function& function, const llvm::LoopInfo& loops) {
    return function.getReturnType()->isVoidTy() && loops.empty() && function.size() <= few_blocks &&
           function.getInstructionCount() <= few_instructions &&
           llvm::all_of(llvm::instructions(function), [](const Instruction& instruction) {
               const auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction);
               if (call) return llvm::isTriviallyVectorizable(call->getIntrinsicID());
               if (const auto* load = llvm::dyn_cast<llvm::LoadInst>(&instruction)) return load->isSimple();
               if (const auto* store = llvm::dyn_cast<llvm::StoreInst>(&instruction)) return store->isSimple();
               return !instruction.mayReadOrWriteMemory();
           });
}

} // namespace

bool pays(const llvm::Function& function, const Shapes& shapes, const llvm::LoopInfo& loops, const Machine& machine,
          const Bundles& bundles) {
    if (machine.bit_masks && is_simple(function, loops)) return false;
    return relative_cost(function, shapes, loops, machine, bundles) < most_of_one_by_one;
}

} // namespace ptx::simd
