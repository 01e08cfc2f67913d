// The stack of current contexts that each thread has. CUDA driver API, cuCtxPushCurrent.
#include "core/context_state.h"
#include "core/thread_state.h"
#include "rt/green_context.h"

namespace rt {
namespace {

// Counts contexts that died, so that a thread looks whether its current one is alive only when some did.
std::atomic<uint64_t> deaths = 0;

bool alive(const ThreadState::Current& entry) {
    if (entry.green &&
        !(HandleBase::alive(entry.green, HandleKind::green_context) && entry.green->id() == entry.green_id))
        return false;
    return HandleBase::alive(entry.context, HandleKind::context) && entry.context->id() == entry.id;
}

// The top of the stack; `gone` says that there is one but it died.
Context* top(bool& gone) {
    auto& thread = thread_state();
    gone = false;
    if (thread.stack.empty()) return nullptr;
    auto& entry = thread.stack.back();
    if (!entry.context) return nullptr;
    const uint64_t now = deaths.load(std::memory_order_acquire);
    if (thread.checked_generation == now) [[likely]]
        return entry.context;
    if (!alive(entry)) {
        gone = true;
        return nullptr;
    }
    thread.checked_generation = now;
    return entry.context;
}

ThreadState::Current entry_for(Context* context) { return {context, context ? context->id() : 0}; }
ThreadState::Current entry_for(GreenContext& green) {
    return {&green.context(), green.context().id(), &green, green.id()};
}

// The new top has not been checked.
void look_again(ThreadState& thread) { thread.checked_generation = ~uint64_t{0}; }

} // namespace

Context* Context::current_or_null() {
    bool gone;
    return top(gone);
}

Context& Context::current() {
    bool gone;
    Context* context = top(gone);
    if (gone) throw Error(Status::context_is_destroyed, "the current context was destroyed");
    if (!context) throw Error(Status::invalid_context, "no context is current to this thread");
    if (!context->active())
        throw Error(Status::context_is_destroyed, "the current context is a primary one that is not retained");
    return *context;
}

HandleBase* Context::current_handle() {
    bool gone;
    Context* context = top(gone);
    auto& thread = thread_state();
    // As an H100's driver has it, a green context stays current when it is destroyed.
    if (!thread.stack.empty() && thread.stack.back().green) return thread.stack.back().green;
    return context;
}

GreenContext* GreenContext::current_or_null() {
    bool gone;
    return top(gone) ? thread_state().stack.back().green : nullptr;
}

namespace {

void replace_top(ThreadState::Current entry) {
    auto& thread = thread_state();
    look_again(thread);
    if (thread.stack.empty())
        thread.stack.push_back(entry);
    else
        thread.stack.back() = entry;
}

void push_entry(ThreadState::Current entry) {
    auto& thread = thread_state();
    look_again(thread);
    thread.stack.push_back(entry);
}

} // namespace

void Context::set_current(Context* context) {
    if (context) return replace_top(entry_for(context));
    auto& thread = thread_state();
    look_again(thread);
    if (!thread.stack.empty()) thread.stack.pop_back();
}

void Context::push(Context& context) { push_entry(entry_for(&context)); }
void GreenContext::set_current(GreenContext& green) { replace_top(entry_for(green)); }
void GreenContext::push(GreenContext& green) { push_entry(entry_for(green)); }

HandleBase* Context::pop() {
    bool gone;
    HandleBase* context = top(gone);
    auto& thread = thread_state();
    if (thread.stack.empty()) throw Error(Status::invalid_context, "no context to pop");
    if (context && thread.stack.back().green) context = thread.stack.back().green;
    thread.stack.pop_back();
    look_again(thread);
    if (gone) throw Error(Status::context_is_destroyed, "the popped context was destroyed");
    return context;
}

void Context::forget_current(Context& context) {
    auto& thread = thread_state();
    if (!thread.stack.empty() && thread.stack.back().context == &context) {
        thread.stack.pop_back();
        look_again(thread);
    }
    note_death();
}

void Context::note_death() { deaths.fetch_add(1, std::memory_order_release); }

} // namespace rt
