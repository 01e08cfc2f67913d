#pragma once

#include <cstddef>
#include <cstdint>

#if defined(__SANITIZE_ADDRESS__)
#define CUTTLE_FIBER_ASAN 1
#elif defined(__SANITIZE_THREAD__)
#define CUTTLE_FIBER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CUTTLE_FIBER_ASAN 1
#elif __has_feature(thread_sanitizer)
#define CUTTLE_FIBER_TSAN 1
#endif
#endif
#ifdef CUTTLE_FIBER_ASAN
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef CUTTLE_FIBER_TSAN
#include <sanitizer/tsan_interface.h>
#endif

extern "C" {
void cuttle_cpu_switch(void** save, void* to);
void cuttle_cpu_guarded(void** save, void (*function)(void*), void* argument);
void cuttle_cpu_fiber_entry();
void cuttle_cpu_resume(); ///< not to be called: an address to continue at, see fiber.S
}

namespace rt::backend::cpu {

/// A suspended flow of control.
struct Context {
    void* sp = nullptr;
#ifdef CUTTLE_FIBER_ASAN
    void* fake_stack = nullptr;
    const void* bottom = nullptr;
    size_t size = 0;
#endif
#ifdef CUTTLE_FIBER_TSAN
    void* fiber = nullptr; ///< what ThreadSanitizer calls the flow of control that is suspended
#endif
};

#ifdef CUTTLE_FIBER_TSAN
/// ThreadSanitizer's fiber for a flow of control that begins on the stack that ends at `top`. It follows stacks, not
/// lanes: a lane that ends may leave its stack, and the functions that stand on it, to the next.
void* new_fiber_on(char* top);
#endif

/// For memory that was a stack and is to be something else: functions that never returned left their red zones there.
inline void forget_functions([[maybe_unused]] void* begin, [[maybe_unused]] size_t bytes) {
#ifdef CUTTLE_FIBER_ASAN
    __asan_unpoison_memory_region(begin, bytes);
#endif
}

/// Makes `context` one that calls function(argument) on the stack that ends at `top`. The function must not return.
inline void prepare(Context& context, char* top, size_t size, void (*function)(void*), void* argument) {
    forget_functions(top - size, size);
    auto** slot = reinterpret_cast<void**>(top - 64) - 7;
    slot[0] = reinterpret_cast<void*>(&cuttle_cpu_fiber_entry);
    slot[4] = argument;
    slot[5] = reinterpret_cast<void*>(function);
    slot[6] = nullptr;
    context.sp = slot;
#ifdef CUTTLE_FIBER_ASAN
    context.fake_stack = nullptr;
    context.bottom = top - size;
    context.size = size;
#endif
#ifdef CUTTLE_FIBER_TSAN
    context.fiber = new_fiber_on(top);
#endif
}

/// `last`: nothing will ever switch back to `from`.
inline void switch_context(Context& from, Context& to, [[maybe_unused]] bool last = false) {
#ifdef CUTTLE_FIBER_ASAN
    __sanitizer_start_switch_fiber(last ? nullptr : &from.fake_stack, to.bottom, to.size);
#endif
#ifdef CUTTLE_FIBER_TSAN
    from.fiber = __tsan_get_current_fiber();
    if (to.fiber != from.fiber) __tsan_switch_to_fiber(to.fiber, 0);
#endif
    cuttle_cpu_switch(&from.sp, to.sp);
#ifdef CUTTLE_FIBER_ASAN
    __sanitizer_finish_switch_fiber(from.fake_stack, nullptr, nullptr);
#endif
}

/// First thing on a new fiber.
inline void arrive_on_fiber() {
#ifdef CUTTLE_FIBER_ASAN
    __sanitizer_finish_switch_fiber(nullptr, nullptr, nullptr);
#endif
}

#ifdef CUTTLE_FIBER_ASAN
/// The bounds of this thread's own stack.
struct ThreadStack {
    void* bottom = nullptr;
    size_t size = 0;

    static const ThreadStack& get() {
        static thread_local const ThreadStack own;
        return own;
    }

  private:
    ThreadStack() {
        pthread_attr_t attributes;
        if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
        pthread_attr_getstack(&attributes, &bottom, &size);
        pthread_attr_destroy(&attributes);
    }
};
#endif

/// On the thread's own stack, after a fault handler threw the thread back to here: the functions that it left are over.
inline void forget_abandoned_functions() {
#ifdef CUTTLE_FIBER_ASAN
    const ThreadStack& own = ThreadStack::get();
    const size_t below = size_t(static_cast<char*>(__builtin_frame_address(0)) - static_cast<char*>(own.bottom));
    if (below < own.size) forget_functions(own.bottom, below);
#endif
}

/// From the thread's own stack to a fiber, until that switches back to `home` or a fault handler throws the thread
/// there, which `forced()` then tells.
template <class Forced> void enter_fiber(Context& home, Context& to, [[maybe_unused]] Forced&& forced) {
#ifdef CUTTLE_FIBER_ASAN
    // Anew each time: whoever launches may run the work, so this may be another thread than the last time.
    home.bottom = ThreadStack::get().bottom;
    home.size = ThreadStack::get().size;
    __sanitizer_start_switch_fiber(&home.fake_stack, to.bottom, to.size);
#endif
#ifdef CUTTLE_FIBER_TSAN
    home.fiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to.fiber, 0);
#endif
    cuttle_cpu_switch(&home.sp, to.sp);
#ifdef CUTTLE_FIBER_TSAN
    if (forced()) __tsan_switch_to_fiber(home.fiber, 0);
#endif
#ifdef CUTTLE_FIBER_ASAN
    if (forced()) __sanitizer_start_switch_fiber(nullptr, home.bottom, home.size);
    __sanitizer_finish_switch_fiber(home.fake_stack, nullptr, nullptr);
#endif
}

} // namespace rt::backend::cpu
