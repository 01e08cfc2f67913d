#include "llvm_to_code/host_memory.h"

#include "llvm_to_code/host_lane.h"
#include "llvm_to_code/machine.h"
#include "llvm_to_code/neutral.h"
#include "llvm_to_code/pointers.h"

#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/LowerAtomic.h>

namespace ptx::code {
namespace {

/// On atomic accesses of threads of one CTA.
constexpr char of_one_cta_mark[] = "cuttle.of_one_cta";

llvm::Type* plain(llvm::Type* type) {
    return type->isPointerTy() ? llvm::PointerType::get(type->getContext(), 0) : type;
}

llvm::FunctionType* with_lane(llvm::FunctionType* type) {
    llvm::SmallVector<llvm::Type*, 8> parameters{llvm::PointerType::get(type->getContext(), 0)};
    for (llvm::Type* parameter : type->params()) parameters.push_back(plain(parameter));
    return llvm::FunctionType::get(plain(type->getReturnType()), parameters, type->isVarArg());
}

llvm::Function* remake(llvm::Function& old) {
    auto* made =
        llvm::Function::Create(with_lane(old.getFunctionType()), llvm::Function::InternalLinkage, old.getAddressSpace(),
                               old.getName() + (is_kernel(old) ? ".kernel" : ".function"), old.getParent());
    made->setAttributes(
        llvm::AttributeList::get(old.getContext(), llvm::AttributeList::FunctionIndex,
                                 llvm::AttrBuilder(old.getContext(), old.getAttributes().getFnAttrs())));
    made->setSubprogram(old.getSubprogram());
    old.setSubprogram(nullptr);
    made->splice(made->begin(), &old);
    llvm::Argument* lane = made->getArg(0);
    lane->setName("lane");
    lane->addAttr(llvm::Attribute::NonNull);
    for (llvm::Argument& argument : old.args()) {
        llvm::Argument* target = made->getArg(argument.getArgNo() + 1);
        argument.mutateType(target->getType());
        argument.replaceAllUsesWith(target);
        target->takeName(&argument);
    }
    return made;
}

bool passes_lane(const llvm::CallBase& call) {
    if (call.isInlineAsm()) return false;
    const auto* callee = llvm::dyn_cast<llvm::Function>(call.getCalledOperand());
    if (!callee || !callee->isDeclaration()) return true;
    if (!callee->isIntrinsic() && cuttle_name(call).empty())
        fail("function '" + callee->getName().str() + "' is called but not defined");
    return false;
}

void pass_lane(llvm::CallInst& call) {
    llvm::SmallVector<llvm::Value*, 8> arguments{call.getFunction()->getArg(0)};
    arguments.append(call.arg_begin(), call.arg_end());
    auto* made = llvm::CallInst::Create(with_lane(call.getFunctionType()), call.getCalledOperand(), arguments);
    made->insertBefore(call.getIterator());
    made->setAttributes(
        llvm::AttributeList::get(call.getContext(), llvm::AttributeList::FunctionIndex,
                                 llvm::AttrBuilder(call.getContext(), call.getAttributes().getFnAttrs())));
    made->setDebugLoc(call.getDebugLoc());
    made->takeName(&call);
    call.replaceAllUsesWith(made);
    call.eraseFromParent();
}

llvm::Value* read_once(llvm::IRBuilder<>& ir, llvm::Type* type, llvm::Value* pointer) {
    llvm::LoadInst* load = ir.CreateAlignedLoad(type, pointer, llvm::Align(type->getPrimitiveSizeInBits() / 8));
    // Monotonic, so that a loop around it reads again.
    if (type->getPrimitiveSizeInBits() <= 64 && !type->isVectorTy())
        load->setAtomic(llvm::AtomicOrdering::Monotonic);
    else
        load->setVolatile(true);
    return load;
}

void write_once(llvm::IRBuilder<>& ir, llvm::Value* value, llvm::Value* pointer) {
    llvm::Type* type = value->getType();
    llvm::StoreInst* store = ir.CreateAlignedStore(value, pointer, llvm::Align(type->getPrimitiveSizeInBits() / 8));
    if (type->getPrimitiveSizeInBits() <= 64 && !type->isVectorTy())
        store->setAtomic(llvm::AtomicOrdering::Monotonic);
    else
        store->setVolatile(true);
}

void make_plain(llvm::Instruction& atomic) {
    llvm::IRBuilder<> ir(&atomic);
    llvm::Value* result = nullptr;
    if (auto* update = llvm::dyn_cast<llvm::AtomicRMWInst>(&atomic)) {
        result = read_once(ir, update->getType(), update->getPointerOperand());
        llvm::Value* changed = llvm::buildAtomicRMWValue(update->getOperation(), ir, result, update->getValOperand());
        write_once(ir, changed, update->getPointerOperand());
    } else {
        auto& exchange = llvm::cast<llvm::AtomicCmpXchgInst>(atomic);
        llvm::Value* pointer = exchange.getPointerOperand();
        llvm::Value* old = read_once(ir, exchange.getCompareOperand()->getType(), pointer);
        llvm::Value* equal = ir.CreateICmpEQ(old, exchange.getCompareOperand());
        write_once(ir, ir.CreateSelect(equal, exchange.getNewValOperand(), old), pointer);
        result = ir.CreateInsertValue(llvm::PoisonValue::get(exchange.getType()), old, 0);
        result = ir.CreateInsertValue(result, equal, 1);
    }
    atomic.replaceAllUsesWith(result);
    atomic.eraseFromParent();
}

/// x86 knows two scopes: the system and the thread itself.
void widen_scope(llvm::Instruction& instruction, llvm::SyncScope::ID cta) {
    const auto scope = llvm::getAtomicSyncScopeID(&instruction);
    if (!scope || *scope == llvm::SyncScope::System) return;
    const bool fence = llvm::isa<llvm::FenceInst>(instruction);
    llvm::setAtomicSyncScopeID(&instruction,
                               fence && *scope == cta ? llvm::SyncScope::SingleThread : llvm::SyncScope::System);
}

} // namespace

void thread_lane(llvm::Module& module) {
    llvm::SmallVector<llvm::Function*, 16> olds;
    for (llvm::Function& function : module)
        if (!function.isDeclaration()) olds.push_back(&function);
    for (llvm::Function* old : olds) {
        llvm::Function* made = remake(*old);
        old->replaceAllUsesWith(made);
        old->eraseFromParent();
    }
    for (llvm::Function& function : module) {
        for (llvm::Instruction& instruction : llvm::make_early_inc_range(llvm::instructions(function)))
            if (auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction); call && passes_lane(*call)) pass_lane(*call);
    }
}

void map_memory(LaneAccess& lane) {
    llvm::Function& function = lane.function();
    const llvm::SyncScope::ID cta = function.getContext().getOrInsertSyncScopeID("block");
    llvm::SmallVector<llvm::Instruction*, 8> of_one_cta;
    for (llvm::Instruction& instruction : llvm::instructions(function)) {
        if (!llvm::isa<llvm::AtomicRMWInst, llvm::AtomicCmpXchgInst>(instruction)) continue;
        const unsigned space = pointer_operand(instruction)->getType()->getPointerAddressSpace();
        if (space == Space::shared || llvm::getAtomicSyncScopeID(&instruction) == cta)
            of_one_cta.push_back(&instruction);
    }
    map_pointers(function, {.space = {}, .shared = [&] { return lane.shared(); }});
    for (llvm::Instruction& instruction : llvm::instructions(function)) widen_scope(instruction, cta);
    for (llvm::Instruction* atomic : of_one_cta)
        atomic->setMetadata(of_one_cta_mark, llvm::MDNode::get(function.getContext(), {}));
}

void make_atomics_of_one_cta_plain(llvm::Module& module) {
    for (llvm::Function& function : module)
        for (llvm::Instruction& instruction : llvm::make_early_inc_range(llvm::instructions(function)))
            if (llvm::isa<llvm::AtomicRMWInst, llvm::AtomicCmpXchgInst>(instruction) &&
                instruction.hasMetadata(of_one_cta_mark))
                make_plain(instruction);
}

} // namespace ptx::code
