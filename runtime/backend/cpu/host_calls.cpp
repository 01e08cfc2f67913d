#include "backend/cpu/host_calls.h"

#include "support/log.h"

#include <chrono>
#include <csignal>
#include <pthread.h>
#include <thread>

namespace rt::backend::cpu {

void HostCalls::run(std::function<void()> function) {
    std::unique_lock lock(mutex_);
    calls_.push_back(std::move(function));
    if (idle_ >= calls_.size()) return changed_.notify_one();
    lock.unlock();
    sigset_t all, before;
    sigfillset(&all);
    for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGPROF}) sigdelset(&all, signal);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
        std::thread([self = shared_from_this()] { self->thread(); }).detach();
    } catch (const std::exception& error) {
        log(LogLevel::error, LogChannel::launch, "cpu: no thread for a host function: {}", error.what());
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void HostCalls::stop() {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
}

void HostCalls::thread() {
    pthread_setname_np(pthread_self(), "cuttle-call");
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        if (calls_.empty()) {
            idle_++;
            const bool more =
                changed_.wait_for(lock, std::chrono::seconds(10), [&] { return stopping_ || !calls_.empty(); });
            idle_--;
            if (!more) return;
            continue;
        }
        std::function<void()> call = std::move(calls_.front());
        calls_.pop_front();
        lock.unlock();
        try {
            call();
        } catch (const std::exception& error) {
            log(LogLevel::error, LogChannel::launch, "cpu: a host function threw: {}", error.what());
        }
        call = nullptr;
        lock.lock();
    }
}

} // namespace rt::backend::cpu
