#include "llvm_to_code/recursion.h"

#include "llvm_to_code/carried_values.h"
#include "llvm_to_code/hidden_number.h"
#include "llvm_to_code/kernels.h"
#include "llvm_to_code/machine.h"
#include "llvm_to_code/neutral.h"
#include "llvm_to_code/recursion_values.h"
#include "ptx/stack_overflow.h"

#include <llvm/ADT/MapVector.h>
#include <llvm/ADT/SCCIterator.h>
#include <llvm/ADT/STLExtras.h>
#include <llvm/Analysis/CallGraph.h>
#include <llvm/IR/Constants.h>
#include <llvm/IR/Dominators.h>
#include <llvm/IR/InstIterator.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/BasicBlockUtils.h>
#include <llvm/Transforms/Utils/Cloning.h>
#include <llvm/Transforms/Utils/Local.h>
#include <llvm/Transforms/Utils/PromoteMemToReg.h>

#include <memory>
#include <vector>

namespace ptx::code {
namespace {

constexpr llvm::StringLiteral stack_name = "recursion.stack";
/// Of frames, as PTX aligns variables at most.
constexpr uint64_t frame_alignment = 16;

/// `i64 @cuttle.recursion.stack(i32 level)`: the address of a stack in local space. Circles at different levels may be
/// under way at the same time, others share.
unsigned level_of(const llvm::Instruction& instruction) {
    const auto& call = llvm::cast<llvm::CallInst>(instruction);
    return unsigned(llvm::cast<llvm::ConstantInt>(call.getArgOperand(0))->getZExtValue());
}

/// The functions of a circle as one that begins with `root`.
class Loop {
  public:
    Loop(llvm::Function& root, llvm::ArrayRef<llvm::Function*> circle, uint32_t stack_bytes)
        : root_(root), circle_(circle), context_(root.getContext()), module_(*root.getParent()),
          layout_(module_.getDataLayout()), stack_bytes_(stack_bytes) {}

    llvm::Function* make();

  private:
    /// One of the functions, in the loop.
    struct Part {
        llvm::BasicBlock* start = nullptr;
        llvm::SmallVector<llvm::AllocaInst*, 8> parameters;
        llvm::AllocaInst* result = nullptr;
        uint64_t frame_bytes = 2 * sizeof(uint32_t); ///< where to go on behind the call, first
    };
    struct Call {
        llvm::CallInst* call = nullptr;
        Part *from = nullptr, *to = nullptr;
        llvm::BasicBlock* after = nullptr;
        std::vector<std::pair<llvm::AllocaInst*, uint64_t>> kept = {}; ///< offsets in the frame
    };

    void begin();
    void take_in(llvm::Function& function);
    void put_into_frame(llvm::AllocaInst& variable, Part& part);
    void split();
    void plan_frames(const WantedValues& wanted, llvm::ArrayRef<llvm::AllocaInst*> values);
    void enter(llvm::IRBuilder<>& ir, llvm::Value* frame, const Part& part, llvm::BasicBlock* after);
    static void pass(llvm::IRBuilder<>& ir, llvm::Value* argument, llvm::AllocaInst* parameter);
    void lower_call(Call& call);
    void lower_returns();
    void finish();
    llvm::AllocaInst* in_register(llvm::Type* type, const llvm::Twine& name);
    llvm::Value* place(llvm::IRBuilder<>& ir, uint64_t offset);
    unsigned number_of(llvm::BasicBlock* target);
    void go_to(llvm::IRBuilder<>& ir, llvm::BasicBlock* target);

    llvm::Function& root_;
    const llvm::ArrayRef<llvm::Function*> circle_;
    llvm::LLVMContext& context_;
    llvm::Module& module_;
    const llvm::DataLayout& layout_;
    const uint32_t stack_bytes_;

    llvm::Function* loop_ = nullptr;
    llvm::BasicBlock *entry_ = nullptr, *dispatch_ = nullptr, *choose_ = nullptr, *done_ = nullptr;
    llvm::SwitchInst* choice_ = nullptr;
    llvm::Value* stack_ = nullptr;
    llvm::AllocaInst *frame_ = nullptr, *target_ = nullptr, *mask_ = nullptr;
    llvm::MapVector<llvm::Function*, std::unique_ptr<Part>> parts_;
    std::vector<Call> calls_;
    llvm::SmallVector<std::pair<llvm::ReturnInst*, Part*>, 8> returns_;
    llvm::SmallVector<llvm::BasicBlock*, 8> meetings_;
    llvm::SmallVector<llvm::AllocaInst*, 64> registers_;
};

/// Memory that becomes registers in the end.
llvm::AllocaInst* Loop::in_register(llvm::Type* type, const llvm::Twine& name) {
    llvm::IRBuilder<> ir(entry_, entry_->begin());
    auto* memory = ir.CreateAlloca(type, nullptr, name);
    registers_.push_back(memory);
    return memory;
}

void Loop::begin() {
    loop_ = llvm::Function::Create(root_.getFunctionType(), llvm::Function::InternalLinkage, root_.getAddressSpace(),
                                   root_.getName() + ".loop", &module_);
    loop_->copyAttributesFrom(&root_);
    loop_->setLinkage(llvm::Function::InternalLinkage);
    loop_->removeFnAttr(addressable_attribute);
    const auto block = [&](const char* name) { return llvm::BasicBlock::Create(context_, name, loop_); };
    entry_ = block("entry"), dispatch_ = block("dispatch"), choose_ = block("choose"), done_ = block("done");
    llvm::IRBuilder<> ir(dispatch_);
    ir.CreateBr(choose_);
    ir.SetInsertPoint(entry_);
    unsigned level = 0;
    for (llvm::Function* function : circle_)
        for (llvm::CallInst* call : cuttle_calls(*function))
            if (cuttle_name(*call) == stack_name) level = std::max(level, level_of(*call) + 1);
    stack_ = ir.CreateCall(module_.getOrInsertFunction(("cuttle." + stack_name).str(), ir.getInt64Ty(), ir.getInt32Ty()),
                           {ir.getInt32(level)});
    ir.CreateBr(dispatch_); // as yet
    frame_ = in_register(ir.getInt64Ty(), "frame");
    target_ = in_register(ir.getInt32Ty(), "target");
    mask_ = in_register(ir.getInt32Ty(), "mask");
    ir.SetInsertPoint(choose_);
    choice_ = ir.CreateSwitch(ir.CreateLoad(ir.getInt32Ty(), target_), done_);
}

/// The address of byte `offset` of the frame, as a pointer.
llvm::Value* Loop::place(llvm::IRBuilder<>& ir, uint64_t offset) {
    llvm::Value* frame = ir.CreateLoad(ir.getInt64Ty(), frame_);
    return ir.CreateIntToPtr(ir.CreateAdd(frame, ir.getInt64(offset)), ir.getPtrTy(Space::local));
}

void Loop::put_into_frame(llvm::AllocaInst& variable, Part& part) {
    const uint64_t offset = llvm::alignTo(part.frame_bytes, std::min(variable.getAlign(), llvm::Align(frame_alignment)));
    part.frame_bytes = offset + variable.getAllocationSize(layout_)->getFixedValue();
    replace_variable(variable, [&](llvm::IRBuilder<>& ir) { return place(ir, offset); });
}

void Loop::take_in(llvm::Function& function) {
    Part& part = *(parts_[&function] = std::make_unique<Part>());
    llvm::ValueToValueMapTy map;
    llvm::Function* copy = llvm::CloneFunction(&function, map);
    part.start = &copy->getEntryBlock();
    llvm::SmallVector<llvm::BasicBlock*, 32> blocks;
    for (llvm::BasicBlock& block : *copy) blocks.push_back(&block);
    loop_->splice(loop_->end(), copy);

    llvm::IRBuilder<> ir(part.start, part.start->begin());
    for (llvm::Argument& argument : copy->args()) {
        llvm::Type* type = argument.getType()->isPointerTy() ? ir.getInt64Ty() : argument.getType();
        part.parameters.push_back(in_register(type, "parameter"));
        llvm::Value* value = ir.CreateLoad(type, part.parameters.back());
        if (argument.getType()->isPointerTy()) value = ir.CreateIntToPtr(value, argument.getType());
        argument.replaceAllUsesWith(value);
    }
    if (!function.getReturnType()->isVoidTy()) part.result = in_register(function.getReturnType(), "result");
    copy->eraseFromParent();

    llvm::SmallVector<llvm::AllocaInst*, 8> variables;
    for (llvm::BasicBlock* block : blocks)
        for (llvm::Instruction& instruction : *block) {
            instruction.setDebugLoc({}); // they are of another function
            instruction.dropDbgRecords();
            if (auto* variable = llvm::dyn_cast<llvm::AllocaInst>(&instruction)) variables.push_back(variable);
            if (auto* end = llvm::dyn_cast<llvm::ReturnInst>(&instruction)) returns_.push_back({end, &part});
            auto* call = llvm::dyn_cast<llvm::CallInst>(&instruction);
            if (call && llvm::is_contained(circle_, call->getCalledFunction())) calls_.push_back({.call = call, .from = &part});
        }
    for (llvm::AllocaInst* variable : variables) put_into_frame(*variable, part);
}

/// Blocks begin behind calls and where lanes want each other.
void Loop::split() {
    for (Call& call : calls_) {
        call.to = parts_[call.call->getCalledFunction()].get();
        call.after = llvm::SplitBlock(call.call->getParent(), call.call->getNextNode());
        if (call.call->use_empty()) continue;
        llvm::IRBuilder<> ir(call.after, call.after->begin());
        call.call->replaceAllUsesWith(ir.CreateLoad(call.call->getType(), call.to->result));
    }
    llvm::SmallVector<llvm::CallInst*, 8> meetings;
    for (llvm::Instruction& instruction : llvm::instructions(*loop_))
        if (lanes_want_each_other_in(cuttle_name(instruction)))
            meetings.push_back(llvm::cast<llvm::CallInst>(&instruction));
    for (llvm::CallInst* meeting : meetings) {
        llvm::BasicBlock* before = meeting->getParent();
        llvm::IRBuilder<> ir(meeting);
        ir.CreateStore(lanes_of(*meeting), mask_);
        meetings_.push_back(llvm::SplitBlock(before, meeting));
    }
}

void Loop::plan_frames(const WantedValues& wanted, llvm::ArrayRef<llvm::AllocaInst*> values) {
    llvm::DenseMap<const Part*, uint64_t> variables;
    for (const auto& [function, part] : parts_) variables[part.get()] = part->frame_bytes;
    for (Call& call : calls_) {
        uint64_t offset = variables[call.from];
        for (unsigned value : wanted.at(call.after).set_bits()) {
            llvm::Type* type = type_in_memory(values[value]->getAllocatedType());
            offset = llvm::alignTo(offset, std::min(layout_.getABITypeAlign(type), llvm::Align(frame_alignment)));
            call.kept.push_back({values[value], offset});
            offset += layout_.getTypeAllocSize(type);
        }
        call.from->frame_bytes = std::max(call.from->frame_bytes, offset);
    }
    for (const auto& [function, part] : parts_) part->frame_bytes = llvm::alignTo(part->frame_bytes, frame_alignment);
}

unsigned Loop::number_of(llvm::BasicBlock* target) {
    if (target == done_) return 0;
    for (const auto& known : choice_->cases())
        if (known.getCaseSuccessor() == target) return unsigned(known.getCaseValue()->getZExtValue());
    const unsigned number = choice_->getNumCases() + 1;
    choice_->addCase(llvm::ConstantInt::get(llvm::Type::getInt32Ty(context_), number), target);
    return number;
}

void Loop::go_to(llvm::IRBuilder<>& ir, llvm::BasicBlock* target) {
    ir.CreateStore(hidden_number(ir, number_of(target), nullptr), target_);
    ir.CreateBr(dispatch_);
}

/// From the end of a block into a function's start, with a frame of its own, if there is room for it.
void Loop::enter(llvm::IRBuilder<>& ir, llvm::Value* frame, const Part& part, llvm::BasicBlock* after) {
    auto* overflow = llvm::BasicBlock::Create(context_, "overflow", loop_);
    auto* deeper = llvm::BasicBlock::Create(context_, "deeper", loop_);
    llvm::Value* end = ir.CreateAdd(frame, ir.getInt64(part.frame_bytes));
    ir.CreateCondBr(ir.CreateICmpUGT(end, ir.CreateAdd(stack_, ir.getInt64(stack_bytes_))), overflow, deeper);

    ir.SetInsertPoint(overflow);
    ir.CreateCall(module_.getOrInsertFunction("cuttle.trap", ir.getVoidTy(), ir.getInt32Ty()),
                  {ir.getInt32(gpu::stack_overflow_trap)})
        ->setDoesNotReturn();
    ir.CreateUnreachable();

    ir.SetInsertPoint(deeper);
    ir.CreateStore(frame, frame_);
    ir.CreateStore(hidden_number(ir, number_of(after), nullptr), place(ir, 0));
    go_to(ir, part.start);
}

void Loop::pass(llvm::IRBuilder<>& ir, llvm::Value* argument, llvm::AllocaInst* parameter) {
    if (argument->getType()->isPointerTy()) argument = ir.CreatePtrToInt(argument, ir.getInt64Ty());
    ir.CreateStore(argument, parameter);
}

void Loop::lower_call(Call& call) {
    llvm::BasicBlock* block = call.call->getParent();
    block->getTerminator()->eraseFromParent();
    llvm::IRBuilder<> ir(block);
    for (const auto& [value, offset] : call.kept) keep(ir, *value, place(ir, offset));
    for (unsigned i = 0; i < call.to->parameters.size(); ++i)
        pass(ir, call.call->getArgOperand(i), call.to->parameters[i]);
    call.call->eraseFromParent();
    enter(ir, ir.CreateAdd(ir.CreateLoad(ir.getInt64Ty(), frame_), ir.getInt64(call.from->frame_bytes)), *call.to,
          call.after);

    ir.SetInsertPoint(call.after, call.after->begin());
    ir.CreateStore(ir.CreateSub(ir.CreateLoad(ir.getInt64Ty(), frame_), ir.getInt64(call.from->frame_bytes)), frame_);
    for (const auto& [value, offset] : call.kept) take_back(ir, *value, place(ir, offset));
}

void Loop::lower_returns() {
    for (const auto& [end, part] : returns_) {
        llvm::IRBuilder<> ir(end);
        if (part->result) ir.CreateStore(end->getReturnValue(), part->result);
        ir.CreateStore(ir.CreateLoad(ir.getInt32Ty(), place(ir, 0)), target_);
        ir.CreateBr(dispatch_);
        end->eraseFromParent();
    }
}

/// The way in, the way out, and whose turn it is.
void Loop::finish() {
    const Part& first = *parts_[&root_];
    entry_->getTerminator()->eraseFromParent();
    llvm::IRBuilder<> ir(entry_);
    // Nothing is undefined.
    for (llvm::AllocaInst* memory : registers_)
        ir.CreateStore(llvm::Constant::getNullValue(memory->getAllocatedType()), memory);
    for (unsigned i = 0; i < first.parameters.size(); ++i) pass(ir, loop_->getArg(i), first.parameters[i]);
    enter(ir, stack_, first, done_);

    ir.SetInsertPoint(done_);
    if (first.result)
        ir.CreateRet(ir.CreateLoad(first.result->getAllocatedType(), first.result));
    else
        ir.CreateRetVoid();

    if (meetings_.empty()) return;
    const unsigned first_meeting = choice_->getNumCases() + 1;
    for (llvm::BasicBlock* meeting : meetings_) {
        llvm::Instruction* way = meeting->getSinglePredecessor()->getTerminator();
        ir.SetInsertPoint(way);
        go_to(ir, meeting);
        way->eraseFromParent();
    }
    dispatch_->getTerminator()->eraseFromParent();
    ir.SetInsertPoint(dispatch_);
    llvm::Type* word = ir.getInt32Ty();
    llvm::FunctionCallee turn = module_.getOrInsertFunction("cuttle.turn", word, word, word, word);
    llvm::cast<llvm::Function>(turn.getCallee())->setConvergent();
    llvm::CallInst* may_go = ir.CreateCall(
        turn, {ir.CreateLoad(word, target_), ir.getInt32(first_meeting), ir.CreateLoad(word, mask_)});
    may_go->setConvergent();
    ir.CreateCondBr(ir.CreateICmpNE(may_go, ir.getInt32(0)), choose_, dispatch_);
}

llvm::Function* Loop::make() {
    begin();
    for (llvm::Function* function : circle_) take_in(*function);
    localize_pointers(*loop_);
    split();
    for (const auto& [function, part] : parts_) number_of(part->start); // so that all can be reached
    const llvm::SmallVector<llvm::AllocaInst*, 64> values = to_memory(*loop_, *entry_);
    registers_.append(values.begin(), values.end());
    plan_frames(WantedValues(*loop_, values), values);
    for (Call& call : calls_) lower_call(call);
    lower_returns();
    finish();
    llvm::removeUnreachableBlocks(*loop_);
    llvm::DominatorTree dominators(*loop_);
    llvm::PromoteMemToReg(registers_, dominators);
    return loop_;
}

/// The first circle of which no other is called, empty if there is none.
llvm::SmallVector<llvm::Function*, 8> find_circle(llvm::Module& module) {
    llvm::CallGraph graph(module);
    for (auto next = llvm::scc_begin(&graph); !next.isAtEnd(); ++next) {
        if (!next.hasCycle()) continue;
        llvm::SmallVector<llvm::Function*, 8> circle;
        for (const llvm::CallGraphNode* node : *next)
            if (llvm::Function* function = node->getFunction(); function && !function->isDeclaration())
                circle.push_back(function);
        if (!circle.empty()) return circle;
    }
    return {};
}

void check_variables(llvm::ArrayRef<llvm::Function*> circle) {
    for (llvm::Function* function : circle)
        for (llvm::Instruction& instruction : llvm::instructions(*function)) {
            auto* variable = llvm::dyn_cast<llvm::AllocaInst>(&instruction);
            if (variable && !variable->isStaticAlloca())
                fail("'" + function->getName().str() + "', which is recursive, has a variable of unknown size");
        }
}

} // namespace

bool make_loop_of_recursion(llvm::Module& module, uint32_t stack_bytes) {
    const llvm::SmallVector<llvm::Function*, 8> circle = find_circle(module);
    if (circle.empty()) return false;
    check_variables(circle);
    llvm::MapVector<llvm::Function*, llvm::SmallVector<llvm::CallInst*, 8>> calls; // from elsewhere
    for (llvm::Function* function : circle)
        for (llvm::User* user : function->users())
            if (auto* call = llvm::dyn_cast<llvm::CallInst>(user);
                call && call->getCalledFunction() == function && !llvm::is_contained(circle, call->getFunction()))
                calls[function].push_back(call);
    for (auto& [root, from] : calls) {
        llvm::Function* loop = Loop(*root, circle, stack_bytes).make();
        for (llvm::CallInst* call : from) call->setCalledFunction(loop);
    }
    for (llvm::Function* function : circle) function->dropAllReferences();
    for (llvm::Function* function : circle) {
        function->replaceAllUsesWith(llvm::PoisonValue::get(function->getType()));
        function->eraseFromParent();
    }
    return true;
}

void make_stacks(llvm::Function& kernel, uint32_t stack_bytes) {
    llvm::DenseMap<unsigned, llvm::Value*> stacks;
    llvm::BasicBlock& entry = kernel.getEntryBlock();
    for (llvm::CallInst* call : cuttle_calls(kernel)) {
        if (cuttle_name(*call) != stack_name) continue;
        llvm::Value*& stack = stacks[level_of(*call)];
        if (!stack) {
            llvm::IRBuilder<> ir(&entry, entry.getFirstInsertionPt());
            auto* memory = ir.CreateAlloca(llvm::ArrayType::get(ir.getInt8Ty(), stack_bytes), nullptr, "stack");
            memory->setAlignment(llvm::Align(frame_alignment));
            stack = ir.CreatePtrToInt(memory, ir.getInt64Ty());
        }
        call->replaceAllUsesWith(stack);
        call->eraseFromParent();
    }
}

} // namespace ptx::code
