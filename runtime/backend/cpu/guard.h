#pragma once

#include "backend/backend.h"

#include <cstddef>
#include <cstdint>

namespace rt::backend::cpu {

/// What a fault handler saw.
struct Trouble {
    int signal = 0; ///< 0: none
    int code = 0;
    uintptr_t address = 0;
    uintptr_t instruction = 0;
};

/// Per thread: catches synchronous faults (SIGSEGV, SIGBUS, SIGFPE, SIGILL) while `active` and continues at the context
/// `*sp` points to, with `trouble` set. Faults at any other time go to whoever handled them before us.
struct Guard {
    volatile bool active = false;
    void* const* sp = nullptr;
    Trouble trouble;
};

/// Makes sure that our handlers are the ones installed, above those that the application may have installed since.
/// Cheap; called before anything that may fault is enqueued.
void hook_signals();

/// Lets `guard` serve the calling thread while it lives, with an alternate signal stack.
class GuardScope {
  public:
    explicit GuardScope(Guard& guard);
    ~GuardScope();
    GuardScope(const GuardScope&) = delete;
    GuardScope& operator=(const GuardScope&) = delete;
    /// False when the thread cannot be guarded: it blocks the signals, or runs on a signal stack right now.
    bool usable() const { return usable_; }

  private:
    Guard* previous_ = nullptr;
    bool usable_ = false, restore_ = false;
    void* old_stack_ = nullptr;
    size_t old_size_ = 0;
    int old_flags_ = 0;
};

/// Runs function(argument); true when it came back by itself, false when `guard.trouble` says why not. Destructors of
/// what the function had on its stack are then skipped.
bool run_guarded(Guard& guard, void (*function)(void*), void* argument);

Fault classify(const Trouble& trouble, bool stack_guard);

} // namespace rt::backend::cpu
