#include "llvm_to_code/host_entry.h"

#include "llvm_to_code/host_calls.h"
#include "llvm_to_code/host_lane.h"

#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <llvm/Transforms/Utils/Local.h>

#include <cstddef>
#include <cstring>

namespace ptx::code {
namespace {

using IR = llvm::IRBuilder<>;
using host::Grid;
using host::Lane;

llvm::Function* make_function(llvm::Module& module, llvm::StringRef name, llvm::ArrayRef<llvm::Type*> parameters,
                              bool exported) {
    auto* type = llvm::FunctionType::get(llvm::Type::getVoidTy(module.getContext()), parameters, false);
    auto* function = llvm::Function::Create(
        type, exported ? llvm::Function::ExternalLinkage : llvm::Function::InternalLinkage, name, module);
    if (exported) function->setVisibility(llvm::GlobalValue::DefaultVisibility);
    llvm::BasicBlock::Create(module.getContext(), "entry", function);
    return function;
}

void store(IR& ir, llvm::Value* base, uint32_t offset, llvm::Value* value) {
    ir.CreateStore(value, ir.CreateConstInBoundsGEP1_32(ir.getInt8Ty(), base, offset));
}

/// The function's frame lies below its frame address: the saved frame pointer and the return address are above.
void note_stack_top(IR& ir, llvm::Value* lane) {
    llvm::Value* frame = ir.CreateIntrinsic(llvm::Intrinsic::frameaddress, {ir.getPtrTy()}, {ir.getInt32(0)});
    store(ir, lane, offsetof(Lane, stack_top), ir.CreatePtrToInt(frame, ir.getInt64Ty()));
}

void forward(llvm::Module& module, llvm::StringRef name, llvm::Function& callee, llvm::Value* extra, bool inlined,
             bool note_stack) {
    llvm::Type* pointer = llvm::PointerType::get(module.getContext(), 0);
    llvm::Function* function = make_function(module, name, {pointer}, true);
    IR ir(&function->getEntryBlock());
    if (note_stack) note_stack_top(ir, function->getArg(0));
    llvm::SmallVector<llvm::Value*, 2> arguments{function->getArg(0)};
    if (extra) arguments.push_back(extra);
    llvm::CallInst* call = ir.CreateCall(&callee, arguments);
    if (inlined) call->addFnAttr(llvm::Attribute::AlwaysInline);
    ir.CreateRetVoid();
}

/// Threads of a CTA in loops over z, y and x.
class ThreadLoops {
  public:
    ThreadLoops(llvm::Function& range, llvm::Function& body)
        : range_(range), body_(body), ir_(&range.getEntryBlock()) {}

    /// All of them, or the one that the Lane names. One function for both, so that the kernel is compiled once.
    void make(bool note_stack) {
        begin(note_stack);
        llvm::Value* single = range_.getArg(1);
        for (unsigned axis = 0; axis < 3; ++axis) {
            llvm::Value* index = load(range_.getArg(0), offsetof(Lane, thread) + 4 * axis, ir_.getInt32Ty());
            begin_[axis] = ir_.CreateSelect(single, index, ir_.getInt32(0));
            end_[axis] = ir_.CreateSelect(single, ir_.CreateNUWAdd(index, ir_.getInt32(1)), size_[axis]);
        }
        loop(2);
        ir_.CreateRetVoid();
    }

    /// Those of a box, from a state on; the body says what each does next.
    void make_phase(llvm::Value* state) {
        begin(false);
        state_ = state;
        for (unsigned axis = 0; axis < 3; ++axis) {
            begin_[axis] = load(range_.getArg(1), offsetof(host::Box, begin) + 4 * axis, ir_.getInt32Ty());
            end_[axis] = load(range_.getArg(1), offsetof(host::Box, end) + 4 * axis, ir_.getInt32Ty());
        }
        loop(2);
        ir_.CreateRetVoid();
    }

  private:
    void begin(bool note_stack) {
        llvm::Value* source = range_.getArg(0);
        // A Lane of our own: promoted to registers once the body is inlined, unless a service gets to see it.
        llvm::AllocaInst* copy = ir_.CreateAlloca(llvm::ArrayType::get(ir_.getInt8Ty(), sizeof(Lane)));
        copy->setAlignment(llvm::Align(alignof(Lane)));
        ir_.CreateMemCpy(copy, copy->getAlign(), source, llvm::Align(alignof(Lane)), sizeof(Lane));
        lane_ = copy;
        if (note_stack) note_stack_top(ir_, copy);
        llvm::Value* grid = load(source, offsetof(Lane, grid), ir_.getPtrTy());
        for (unsigned axis = 0; axis < 3; ++axis)
            size_[axis] = load(grid, offsetof(Grid, block_dim) + 4 * axis, ir_.getInt32Ty());
    }

    llvm::Value* load(llvm::Value* base, uint32_t offset, llvm::Type* type) {
        return ir_.CreateLoad(type, ir_.CreateConstInBoundsGEP1_32(ir_.getInt8Ty(), base, offset));
    }

    void loop(unsigned axis) {
        llvm::LLVMContext& context = range_.getContext();
        llvm::BasicBlock* before = ir_.GetInsertBlock();
        llvm::BasicBlock* head = llvm::BasicBlock::Create(context, "", &range_);
        ir_.CreateBr(head);
        ir_.SetInsertPoint(head);
        llvm::PHINode* index = ir_.CreatePHI(ir_.getInt32Ty(), 2, llvm::Twine("xyz"[axis]));
        index->addIncoming(begin_[axis], before);
        index_[axis] = index;
        store(ir_, lane_, offsetof(Lane, thread) + 4 * axis, index);
        if (axis > 0)
            loop(axis - 1);
        else
            run_thread();
        // No dimension is 0, so the test may come last.
        llvm::Value* next = ir_.CreateNUWAdd(index, ir_.getInt32(1));
        index->addIncoming(next, ir_.GetInsertBlock());
        llvm::BasicBlock* after = llvm::BasicBlock::Create(context, "", &range_);
        ir_.CreateCondBr(ir_.CreateICmpULT(next, end_[axis]), head, after);
        ir_.SetInsertPoint(after);
    }

    void run_thread() {
        // PTX ISA 10.1 and 10.3: threads are numbered x first.
        llvm::Value* rows = ir_.CreateNUWAdd(ir_.CreateNUWMul(index_[2], size_[1]), index_[1]);
        llvm::Value* number = ir_.CreateNUWAdd(ir_.CreateNUWMul(rows, size_[0]), index_[0]);
        store(ir_, lane_, offsetof(Lane, lane), ir_.CreateAnd(number, 31));
        store(ir_, lane_, offsetof(Lane, warp), ir_.CreateLShr(number, 5));
        if (!state_) {
            ir_.CreateCall(&body_, {lane_})->addFnAttr(llvm::Attribute::AlwaysInline);
            return;
        }
        ir_.CreateCall(&body_, {lane_, state_})->addFnAttr(llvm::Attribute::AlwaysInline);
    }

    llvm::Function& range_;
    llvm::Function& body_;
    IR ir_;
    llvm::Value* lane_ = nullptr;
    llvm::Value *begin_[3] = {}, *end_[3] = {}, *size_[3] = {}, *index_[3] = {};
    llvm::Value* state_ = nullptr; ///< of phases
};

/// Loops of their own for each state are faster, and LLVM can vectorise them; but they make code longer. What the loops
/// around a body take, and how much all may have.
constexpr size_t instructions_of_loops = 60, most_instructions = 2500;

/// The body when it begins in this state: nothing else is left of it.
llvm::Function* specialised(llvm::Function& body, uint32_t state) {
    llvm::ValueToValueMapTy map;
    llvm::Function* copy = llvm::CloneFunction(&body, map);
    copy->setLinkage(llvm::GlobalValue::InternalLinkage);
    copy->getArg(1)->replaceAllUsesWith(llvm::ConstantInt::get(copy->getArg(1)->getType(), state));
    for (llvm::BasicBlock& block : *copy) llvm::ConstantFoldTerminator(&block, true);
    llvm::removeUnreachableBlocks(*copy);
    return copy;
}

/// host::Phases as constant data.
void export_states(llvm::Module& module, llvm::StringRef name, const PhasedKernel& phased) {
    std::string bytes(offsetof(host::Phases, state), '\0');
    const auto count = static_cast<uint32_t>(phased.states.size());
    std::memcpy(bytes.data() + offsetof(host::Phases, states), &count, 4);
    std::memcpy(bytes.data() + offsetof(host::Phases, frame_bytes), &phased.frame_bytes, 4);
    for (const host::State& state : phased.states) bytes.append(reinterpret_cast<const char*>(&state), sizeof state);
    llvm::Constant* data = llvm::ConstantDataArray::getString(module.getContext(), bytes, false);
    auto* global =
        new llvm::GlobalVariable(module, data->getType(), true, llvm::GlobalValue::ExternalLinkage, data, name);
    global->setAlignment(llvm::Align(8));
    global->setVisibility(llvm::GlobalValue::DefaultVisibility);
}

} // namespace

void make_entry(llvm::Function& body, bool fibers, bool note_stack) {
    llvm::Module& module = *body.getParent();
    const std::string name = body.getName().str();
    body.setName(name + ".thread");
    if (fibers) return forward(module, name, body, nullptr, true, note_stack);
    llvm::Type* pointer = llvm::PointerType::get(module.getContext(), 0);
    llvm::Type* bit = llvm::Type::getInt1Ty(module.getContext());
    llvm::Function* range = make_function(module, name + ".range", {pointer, bit}, false);
    range->addFnAttr(llvm::Attribute::NoInline);
    ThreadLoops(*range, body).make(note_stack);
    forward(module, name, *range, llvm::ConstantInt::getTrue(bit), false, false);
    forward(module, name + ".block", *range, llvm::ConstantInt::getFalse(bit), false, false);
}

void make_phase_entry(llvm::Function& body, const PhasedKernel& phased) {
    llvm::Module& module = *body.getParent();
    const std::string name = body.getName().str();
    body.setName(name + ".thread");
    body.setLinkage(llvm::GlobalValue::InternalLinkage);
    llvm::Type* pointer = llvm::PointerType::get(module.getContext(), 0);
    llvm::Type* word = llvm::Type::getInt32Ty(module.getContext());
    llvm::Function* entry = make_function(module, name + ".phase", {pointer, pointer, word}, true);
    export_states(module, name + ".states", phased);

    llvm::SmallVector<llvm::Function*, 16> bodies;
    size_t instructions = 0;
    for (uint32_t state = 0; state < phased.states.size(); ++state) {
        bodies.push_back(specialised(body, state));
        instructions += bodies.back()->getInstructionCount() + instructions_of_loops;
    }
    if (instructions > most_instructions) {
        for (llvm::Function* each : bodies) each->eraseFromParent();
        return ThreadLoops(*entry, body).make_phase(entry->getArg(2));
    }
    IR ir(&entry->getEntryBlock());
    llvm::BasicBlock* end = llvm::BasicBlock::Create(module.getContext(), "", entry);
    llvm::SwitchInst* choice = ir.CreateSwitch(entry->getArg(2), end);
    for (uint32_t state = 0; state < phased.states.size(); ++state) {
        llvm::Function* range =
            make_function(module, name + ".phase" + std::to_string(state), {pointer, pointer}, false);
        range->addFnAttr(llvm::Attribute::NoInline);
        ThreadLoops(*range, *bodies[state]).make_phase(ir.getInt32(state));
        llvm::BasicBlock* block = llvm::BasicBlock::Create(module.getContext(), "", entry, end);
        choice->addCase(ir.getInt32(state), block);
        ir.SetInsertPoint(block);
        ir.CreateCall(range, {entry->getArg(0), entry->getArg(1)});
        ir.CreateBr(end);
    }
    ir.SetInsertPoint(end);
    ir.CreateRetVoid();
    body.eraseFromParent();
}

} // namespace ptx::code
