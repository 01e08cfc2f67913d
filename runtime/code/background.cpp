#include "code/background.h"

#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <system_error>
#include <thread>

namespace rt::code {
namespace {

/// One for each process, as forks inherit no threads; never destroyed.
struct Worker {
    const pid_t process = getpid();
    std::mutex mutex; ///< guards the jobs
    std::condition_variable wake;
    std::deque<std::function<void()>> jobs;
    /// Held by the thread while it uses what the end of the process destroys.
    std::mutex gate;
    bool ending = false; ///< guarded by the gate
};

std::atomic<Worker*> current;
thread_local Worker* own = nullptr; ///< of the worker's thread

/// With the gate held.
void stay_if_ending(const Worker& worker) {
    while (worker.ending) pause();
}

void run(Worker& worker) {
    own = &worker;
    for (;;) {
        std::function<void()> job;
        {
            std::unique_lock lock(worker.mutex);
            worker.wake.wait(lock, [&] { return !worker.jobs.empty(); });
            job = std::move(worker.jobs.front());
            worker.jobs.pop_front();
        }
        const std::lock_guard gate(worker.gate);
        stay_if_ending(worker);
        job();
        job = nullptr;
    }
}

/// Comes before the destructors of what was there when the first job came.
void end() {
    Worker* worker = current.load();
    if (!worker || worker->process != getpid()) return;
    const std::lock_guard gate(worker->gate);
    worker->ending = true;
}

/// The thread's code must stay when the application closes the library.
void keep_library() {
    Dl_info library;
    if (dladdr(reinterpret_cast<const void*>(&do_later), &library) && library.dli_fname)
        dlopen(library.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
}

/// The application's signals are for its own threads.
void start(Worker& worker) {
    keep_library();
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread([&worker] { run(worker); }).detach();
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Worker& worker() {
    Worker* found = current.load();
    if (found && found->process == getpid()) return *found;
    auto fresh = std::make_unique<Worker>();
    if (!current.compare_exchange_strong(found, fresh.get())) return *found;
    static const int registered = std::atexit(end);
    (void)registered;
    Worker& made = *fresh.release();
    try {
        start(made);
    } catch (const std::system_error&) {
        // No thread is to be had: nobody waits for the jobs.
    }
    return made;
}

} // namespace

void do_later(std::function<void()> job) {
    Worker& one = worker();
    const std::lock_guard lock(one.mutex);
    one.jobs.push_back(std::move(job));
    one.wake.notify_one();
}

LongWait::LongWait() {
    if (own) own->gate.unlock();
}

LongWait::~LongWait() {
    if (!own) return;
    own->gate.lock();
    stay_if_ending(*own);
}

} // namespace rt::code
