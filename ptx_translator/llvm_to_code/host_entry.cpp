#include "llvm_to_code/host_entry.h"

#include "llvm_to_code/host_calls.h"
#include "llvm_to_code/host_lane.h"
#include "llvm_to_code/host_phases.h"

#include <llvm/IR/InstIterator.h>
#include <llvm/IR/MDBuilder.h>
#include <llvm/IR/Module.h>

#include <cstddef>

namespace ptx::code {
namespace {

using IR = llvm::IRBuilder<>;
using host::Grid;
using host::Lane;
using host::PhaseState;

llvm::Function* make_function(llvm::Module& module, llvm::StringRef name, llvm::Type* result,
                              llvm::ArrayRef<llvm::Type*> parameters, bool exported) {
    auto* type = llvm::FunctionType::get(result, parameters, false);
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
    llvm::Type* nothing = llvm::Type::getVoidTy(module.getContext());
    llvm::Function* function = make_function(module, name, nothing, {pointer}, true);
    IR ir(&function->getEntryBlock());
    if (note_stack) note_stack_top(ir, function->getArg(0));
    llvm::SmallVector<llvm::Value*, 2> arguments{function->getArg(0)};
    if (extra) arguments.push_back(extra);
    llvm::CallInst* call = ir.CreateCall(&callee, arguments);
    if (inlined) call->addFnAttr(llvm::Attribute::AlwaysInline);
    ir.CreateRetVoid();
}

/// The threads of a CTA, or the one that the Lane names, in loops over z, y and x. One function for both, so that the
/// kernel is compiled once.
class ThreadLoops {
  public:
    /// Makes the thread's code: `lane` is its Lane, `number` its number in the CTA.
    using Thread = llvm::function_ref<void(IR& ir, llvm::Value* lane, llvm::Value* number)>;

    /// Code goes to the end of the range function's entry block.
    explicit ThreadLoops(llvm::Function& range) : range_(range), ir_(&range.getEntryBlock()) {}

    /// Where the loops are left. `parallel`: the access group of what the threads do without regard to each other, or
    /// null.
    IR& make(bool note_stack, Thread thread, llvm::MDNode* parallel = nullptr) {
        thread_ = thread;
        parallel_ = parallel;
        llvm::Value* source = range_.getArg(0);
        // A Lane of our own: promoted to registers once the body is inlined, unless a service gets to see it.
        llvm::AllocaInst* copy = ir_.CreateAlloca(llvm::ArrayType::get(ir_.getInt8Ty(), sizeof(Lane)));
        copy->setAlignment(llvm::Align(alignof(Lane)));
        ir_.CreateMemCpy(copy, copy->getAlign(), source, llvm::Align(alignof(Lane)), sizeof(Lane));
        lane_ = copy;
        if (note_stack) note_stack_top(ir_, copy);
        llvm::Value* grid = load(source, offsetof(Lane, grid), ir_.getPtrTy());
        for (unsigned axis = 0; axis < 3; ++axis) {
            llvm::Value* index = load(source, offsetof(Lane, thread) + 4 * axis, ir_.getInt32Ty());
            size_[axis] = load(grid, offsetof(Grid, block_dim) + 4 * axis, ir_.getInt32Ty());
            begin_[axis] = ir_.CreateSelect(single(), index, ir_.getInt32(0));
            end_[axis] = ir_.CreateSelect(single(), ir_.CreateNUWAdd(index, ir_.getInt32(1)), size_[axis]);
        }
        loop(2);
        return ir_;
    }

    llvm::Value* load(llvm::Value* base, uint32_t offset, llvm::Type* type) {
        return ir_.CreateLoad(type, ir_.CreateConstInBoundsGEP1_32(ir_.getInt8Ty(), base, offset));
    }

  private:
    llvm::Value* single() { return range_.getArg(1); }

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
        llvm::BranchInst* again = ir_.CreateCondBr(ir_.CreateICmpULT(next, end_[axis]), head, after);
        if (parallel_) again->setMetadata(llvm::LLVMContext::MD_loop, parallel_loop());
        ir_.SetInsertPoint(after);
    }

    void run_thread() {
        // PTX ISA 10.1 and 10.3: threads are numbered x first.
        llvm::Value* rows = ir_.CreateNUWAdd(ir_.CreateNUWMul(index_[2], size_[1]), index_[1]);
        llvm::Value* number = ir_.CreateNUWAdd(ir_.CreateNUWMul(rows, size_[0]), index_[0]);
        store(ir_, lane_, offsetof(Lane, lane), ir_.CreateAnd(number, 31));
        store(ir_, lane_, offsetof(Lane, warp), ir_.CreateLShr(number, 5));
        thread_(ir_, lane_, number);
    }

    llvm::MDNode* parallel_loop() {
        llvm::LLVMContext& context = range_.getContext();
        llvm::Metadata* accesses[] = {llvm::MDString::get(context, "llvm.loop.parallel_accesses"), parallel_};
        llvm::Metadata* properties[] = {nullptr, llvm::MDNode::get(context, accesses)};
        llvm::MDNode* loop = llvm::MDNode::getDistinct(context, properties);
        loop->replaceOperandWith(0, loop);
        return loop;
    }

    llvm::Function& range_;
    IR ir_;
    Thread thread_;
    llvm::MDNode* parallel_ = nullptr;
    llvm::Value* lane_ = nullptr;
    llvm::Value *begin_[3] = {}, *end_[3] = {}, *size_[3] = {}, *index_[3] = {};
};

/// What a thread reads and writes by ordinary accesses up to the next barrier, others do not change meanwhile, or the
/// program has a race. So LLVM may take threads side by side. Marks those accesses as a group; null when there are
/// variables on the stack, which threads use one after another.
llvm::MDNode* mark_accesses(llvm::Function& body) {
    llvm::LLVMContext& context = body.getContext();
    for (const llvm::Instruction& instruction : llvm::instructions(body))
        if (llvm::isa<llvm::AllocaInst>(instruction)) return nullptr;
    llvm::MDNode* group = llvm::MDNode::getDistinct(context, {});
    for (llvm::Instruction& instruction : llvm::instructions(body))
        if (llvm::isa<llvm::LoadInst, llvm::StoreInst>(instruction) && !instruction.hasMetadata(common_metadata))
            instruction.setMetadata(llvm::LLVMContext::MD_access_group, group);
    return group;
}

} // namespace

void make_entry(llvm::Function& body, bool fibers, bool note_stack) {
    llvm::Module& module = *body.getParent();
    const std::string name = body.getName().str();
    body.setName(name + ".thread");
    if (fibers) return forward(module, name, body, nullptr, true, note_stack);
    llvm::Type* pointer = llvm::PointerType::get(module.getContext(), 0);
    llvm::Type* bit = llvm::Type::getInt1Ty(module.getContext());
    llvm::Type* nothing = llvm::Type::getVoidTy(module.getContext());
    llvm::Function* range = make_function(module, name + ".range", nothing, {pointer, bit}, false);
    range->addFnAttr(llvm::Attribute::NoInline);
    ThreadLoops loops(*range);
    const auto run = [&](IR& ir, llvm::Value* lane, llvm::Value*) {
        ir.CreateCall(&body, {lane})->addFnAttr(llvm::Attribute::AlwaysInline);
    };
    loops.make(note_stack, run, mark_accesses(body)).CreateRetVoid();
    forward(module, name, *range, llvm::ConstantInt::getTrue(bit), false, false);
    forward(module, name + ".block", *range, llvm::ConstantInt::getFalse(bit), false, false);
}

namespace {

/// i32 (Lane*, i1 single): a phase of all threads, or of one.
llvm::Function* make_phase_range(llvm::Module& module, llvm::StringRef name, llvm::Function& phase, bool note_stack) {
    llvm::LLVMContext& context = module.getContext();
    llvm::Type *pointer = llvm::PointerType::get(context, 0), *bit = llvm::Type::getInt1Ty(context);
    llvm::Function* range = make_function(module, name, llvm::Type::getInt32Ty(context), {pointer, bit}, false);
    range->addFnAttr(llvm::Attribute::NoInline);
    llvm::MDNode* group = mark_accesses(phase);
    ThreadLoops loops(*range);
    IR ir(&range->getEntryBlock());
    llvm::Value* grid = loops.load(range->getArg(0), offsetof(Lane, grid), ir.getPtrTy());
    llvm::Value* state = loops.load(range->getArg(0), offsetof(Lane, phases), ir.getPtrTy());
    llvm::Value* next = loops.load(state, offsetof(PhaseState, next), ir.getPtrTy());
    llvm::Value* slots = loops.load(state, offsetof(PhaseState, slots), ir.getPtrTy());
    ir.SetInsertPoint(&range->getEntryBlock());
    llvm::Value* threads = ir.getInt32(1);
    for (unsigned axis = 0; axis < 3; ++axis)
        threads = ir.CreateNUWMul(threads, loops.load(grid, offsetof(Grid, block_dim) + 4 * axis, ir.getInt32Ty()));
    threads = ir.CreateZExt(ir.CreateAnd(ir.CreateNUWAdd(threads, ir.getInt32(15)), ~15u), ir.getInt64Ty());
    // All threads agree when no bit is set in one's number and clear in another's.
    llvm::AllocaInst *all = ir.CreateAlloca(ir.getInt32Ty()), *any = ir.CreateAlloca(ir.getInt32Ty());
    ir.CreateStore(ir.getInt32(~0u), all);
    ir.CreateStore(ir.getInt32(0), any);
    const auto run = [&](IR& at, llvm::Value* lane, llvm::Value* number) {
        llvm::Value* index = at.CreateZExt(number, at.getInt64Ty());
        llvm::Value* result = at.CreateCall(&phase, {lane, state, slots, threads, index});
        at.CreateStore(result, at.CreateGEP(at.getInt32Ty(), next, index))
            ->setMetadata(llvm::LLVMContext::MD_access_group, group);
        at.CreateStore(at.CreateAnd(at.CreateLoad(at.getInt32Ty(), all), result), all);
        at.CreateStore(at.CreateOr(at.CreateLoad(at.getInt32Ty(), any), result), any);
    };
    IR& end = loops.make(note_stack, run, group);
    llvm::Value *both = end.CreateLoad(end.getInt32Ty(), all), *either = end.CreateLoad(end.getInt32Ty(), any);
    end.CreateRet(end.CreateSelect(end.CreateICmpEQ(both, either), both, end.getInt32(host::phase_mixed)));
    return range;
}

} // namespace

void make_phase_entry(llvm::Module& module, llvm::StringRef symbol, llvm::ArrayRef<llvm::Function*> phases,
                      bool note_stack) {
    llvm::LLVMContext& context = module.getContext();
    llvm::Type *pointer = llvm::PointerType::get(context, 0), *i32 = llvm::Type::getInt32Ty(context);
    llvm::Function* entry = make_function(module, (symbol + phase_suffix).str(), i32, {pointer, i32, i32}, true);
    IR ir(&entry->getEntryBlock());
    llvm::Value* single = ir.CreateIsNotNull(entry->getArg(2));
    llvm::BasicBlock* unknown = llvm::BasicBlock::Create(context, "", entry);
    llvm::SwitchInst* which = ir.CreateSwitch(entry->getArg(1), unknown, unsigned(phases.size()));
    ir.SetInsertPoint(unknown);
    ir.CreateUnreachable();
    for (uint32_t i = 0; i < phases.size(); ++i) {
        const std::string name = (symbol + phase_suffix + llvm::Twine(i)).str();
        llvm::Function* range = make_phase_range(module, name, *phases[i], note_stack);
        llvm::BasicBlock* block = llvm::BasicBlock::Create(context, "", entry);
        which->addCase(ir.getInt32(i), block);
        ir.SetInsertPoint(block);
        ir.CreateRet(ir.CreateCall(range, {entry->getArg(0), single}));
    }
}

} // namespace ptx::code
