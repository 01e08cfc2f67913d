#include "core/thread_state.h"

#include "core/context_state.h"
#include "core/lifecycle.h"

#include <pthread.h>

namespace rt {
namespace {

// A plain pointer, not an object with a destructor: other thread-local objects' destructors may call CUDA after ours.
// Initial-exec: every call of the API comes by, and eight bytes fit into what the loader keeps for late libraries.
[[gnu::tls_model("initial-exec")]] thread_local ThreadState* of_this_thread = nullptr;

pthread_key_t make_key() {
    pthread_key_t key;
    pthread_key_create(&key, [](void* state) {
        of_this_thread = nullptr;
        delete static_cast<ThreadState*>(state);
    });
    return key;
}

ThreadState& make_state() {
    static const pthread_key_t key = make_key();
    of_this_thread = new ThreadState;
    pthread_setspecific(key, of_this_thread);
    return *of_this_thread;
}

} // namespace

ThreadState& thread_state() { return of_this_thread ? *of_this_thread : make_state(); }

ThreadState::~ThreadState() {
    if (streams.empty()) return;
    std::lock_guard lock(lifecycle());
    for (auto& own : streams) {
        if (!HandleBase::alive(own.context, HandleKind::context) || own.context->id() != own.context_id) continue;
        if (own.context->state().epoch == own.epoch) delete own.stream;
    }
}

} // namespace rt
