#include "backend/cpu/fiber.h"

#ifdef CUTTLE_FIBER_TSAN
#include <map>
#include <mutex>

namespace rt::backend::cpu {

// Fibers that never end leave functions on ThreadSanitizer's copy of the stack, so each use of a stack has a new one.
// Nobody says when a stack is given back; the next to begin there finds the old fiber here.
void* new_fiber_on(char* top) {
    static std::mutex mutex;
    static auto& fibers = *new std::map<char*, void*>; // for ever: threads may outlive static variables
    const std::lock_guard lock(mutex);
    void*& fiber = fibers[top];
    if (fiber && fiber == __tsan_get_current_fiber()) return fiber; // the caller stands on it and starts anew there
    if (fiber) __tsan_destroy_fiber(fiber);
    return fiber = __tsan_create_fiber(0);
}

} // namespace rt::backend::cpu
#endif
