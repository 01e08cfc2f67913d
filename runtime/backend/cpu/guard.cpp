#include "backend/cpu/guard.h"

#include "backend/cpu/fiber.h"
#include "support/log.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <mutex>
#include <pthread.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

namespace rt::backend::cpu {

namespace {

constexpr int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};
constexpr size_t signal_stack_bytes = 64 << 10;

/// The handlers that were there before ours, newest first. Nodes are never freed: a handler may be reading them.
struct Below {
    struct sigaction action;
    Below* next;
};
std::atomic<Below*> below[std::size(signals)];

// Initial-exec: a fault handler must not enter the dynamic linker's allocator.
__attribute__((tls_model("initial-exec"))) thread_local Guard* current_guard = nullptr;

size_t row_of(int signal) {
    for (size_t i = 0; i < std::size(signals); i++)
        if (signals[i] == signal) return i;
    return 0;
}

void take_default(int signal, bool synchronous) {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    sigaction(signal, &action, nullptr);
    // A synchronous fault comes again when the instruction is retried, with the state that a core dump should show.
    if (!synchronous) raise(signal);
}

/// A handler installed above ours may have kept ours as its predecessor and call it: the level says how often this very
/// delivery came through here. The kernel zeroes the tail of siginfo, so the count can lie there.
unsigned char& level_of(siginfo_t* info) { return reinterpret_cast<unsigned char*>(info)[sizeof(siginfo_t) - 1]; }

void forward(int signal, siginfo_t* info, void* context) {
    const bool synchronous = info->si_code > 0;
    Below* node = below[row_of(signal)].load(std::memory_order_acquire);
    for (unsigned level = level_of(info); node && level; level--) node = node->next;
    if (!node) return take_default(signal, synchronous);
    const struct sigaction action = node->action;
    if (!(action.sa_flags & SA_SIGINFO)) {
        if (action.sa_handler == SIG_DFL || (action.sa_handler == SIG_IGN && synchronous))
            return take_default(signal, synchronous);
        if (action.sa_handler == SIG_IGN) return;
    }
    if (action.sa_flags & SA_RESETHAND) {
        node->action.sa_flags &= ~SA_SIGINFO;
        node->action.sa_handler = SIG_DFL;
    }
    sigset_t mask = action.sa_mask, before;
    pthread_sigmask(SIG_BLOCK, &mask, &before);
    if (action.sa_flags & SA_NODEFER) {
        sigset_t own;
        sigemptyset(&own);
        sigaddset(&own, signal);
        pthread_sigmask(SIG_UNBLOCK, &own, nullptr);
    }
    level_of(info)++;
    if (action.sa_flags & SA_SIGINFO)
        action.sa_sigaction(signal, info, context);
    else
        action.sa_handler(signal);
    level_of(info)--;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void on_signal(int signal, siginfo_t* info, void* context) {
    const int saved_errno = errno;
    Guard* guard = current_guard;
    if (!guard || !guard->active || info->si_code <= 0) {
        forward(signal, info, context);
        errno = saved_errno;
        return;
    }
    auto& registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    guard->active = false;
    guard->trouble = {signal, info->si_code, reinterpret_cast<uintptr_t>(info->si_addr), uintptr_t(registers[REG_RIP])};
    registers[REG_RSP] = reinterpret_cast<greg_t>(*guard->sp);
    registers[REG_RIP] = reinterpret_cast<greg_t>(&cuttle_cpu_resume);
    errno = saved_errno;
}

bool ours(const struct sigaction& action) { return (action.sa_flags & SA_SIGINFO) && action.sa_sigaction == on_signal; }

/// The calling thread's signal stack of our own, kept while the thread lives.
struct SignalStack {
    void* memory = MAP_FAILED;
    ~SignalStack() {
        if (memory != MAP_FAILED) munmap(memory, signal_stack_bytes);
    }
    void* get() {
        if (memory == MAP_FAILED)
            memory = mmap(nullptr, signal_stack_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        return memory == MAP_FAILED ? nullptr : memory;
    }
};
thread_local SignalStack signal_stack;

} // namespace

namespace {

/// True when another handler had taken our place.
bool hook(size_t row) {
    static std::mutex mutex;
    struct sigaction found;
    if (sigaction(signals[row], nullptr, &found) != 0 || ours(found)) return false;
    std::lock_guard lock(mutex);
    if (sigaction(signals[row], nullptr, &found) != 0 || ours(found)) return false;
    below[row].store(new Below{found, below[row].load()}, std::memory_order_release);
    struct sigaction action {};
    action.sa_sigaction = on_signal;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    sigemptyset(&action.sa_mask);
    sigaction(signals[row], &action, nullptr);
    return true;
}

} // namespace

void hook_signals() {
    // Who installs a crash handler installs it for all of these signals: looking at the first and, in turn, at one
    // other saves system calls. All are looked at when one has changed, and the first time.
    static std::atomic<unsigned> turn{0};
    const size_t other = 1 + turn.fetch_add(1, std::memory_order_relaxed) % (std::size(signals) - 1);
    const bool first = hook(0);
    if (!hook(other) && !first) return;
    for (size_t row = 1; row < std::size(signals); row++) hook(row);
}

GuardScope::GuardScope(Guard& guard) {
    sigset_t blocked;
    // A fault whose signal is blocked kills the process at once.
    if (pthread_sigmask(SIG_BLOCK, nullptr, &blocked) != 0) return;
    for (int signal : signals)
        if (sigismember(&blocked, signal)) return;
    stack_t old{};
    if (sigaltstack(nullptr, &old) != 0 || (old.ss_flags & SS_ONSTACK)) return;
    if ((old.ss_flags & SS_DISABLE) || old.ss_size < signal_stack_bytes / 2) {
        stack_t mine{};
        mine.ss_sp = signal_stack.get();
        mine.ss_size = signal_stack_bytes;
        if (!mine.ss_sp || sigaltstack(&mine, nullptr) != 0) return;
        restore_ = true;
        old_stack_ = old.ss_sp;
        old_size_ = old.ss_size;
        old_flags_ = old.ss_flags;
    }
    usable_ = true;
    previous_ = current_guard;
    current_guard = &guard;
}

GuardScope::~GuardScope() {
    if (!usable_) return;
    current_guard = previous_;
    if (!restore_) return;
    stack_t old{};
    old.ss_sp = old_stack_;
    old.ss_size = old_size_;
    old.ss_flags = old_flags_;
    sigaltstack(&old, nullptr);
}

bool run_guarded(Guard& guard, void (*function)(void*), void* argument) {
    void* sp = nullptr;
    guard.trouble = {};
    guard.sp = &sp;
    guard.active = true;
    cuttle_cpu_guarded(&sp, function, argument);
    guard.active = false;
    if (guard.trouble.signal == 0) return true;
    forget_abandoned_functions();
    return false;
}

Fault classify(const Trouble& trouble, bool stack_guard) {
    if (stack_guard) return Fault::stack_overflow;
    if (trouble.signal == SIGILL || trouble.signal == SIGFPE) return Fault::illegal_instruction;
    if (trouble.signal == SIGBUS && trouble.code == BUS_ADRALN) return Fault::misaligned_address;
    return Fault::illegal_address;
}

} // namespace rt::backend::cpu
