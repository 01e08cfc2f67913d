#include "backend/cpu/pool.h"

#include "backend/cpu/host_calls.h"
#include "backend/cpu/timeline.h"
#include "support/log.h"

#include <algorithm>
#include <climits>
#include <csignal>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace rt::backend::cpu {

namespace {

void futex_wait(std::atomic<uint32_t>& word, uint32_t value) {
    syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAIT_PRIVATE, value, nullptr, nullptr, 0);
}

void futex_wake(std::atomic<uint32_t>& word, unsigned count) {
    syscall(SYS_futex, reinterpret_cast<uint32_t*>(&word), FUTEX_WAKE_PRIVATE, int(std::min<unsigned>(count, INT_MAX)),
            nullptr, nullptr, 0);
}

// Spinning pays only where the one who is waited for has a processor of its own.
std::chrono::nanoseconds choose_spin_time() {
    cpu_set_t set;
    const bool several = sched_getaffinity(0, sizeof set, &set) != 0 || CPU_COUNT(&set) > 1;
    return std::chrono::microseconds(several ? 30 : 0);
}

} // namespace

Pool::Pool(unsigned threads, uint64_t resident_threads)
    : size_(std::max(1u, threads)), resident_threads_(resident_threads), spin_time_(choose_spin_time()),
      host_calls_(std::make_shared<HostCalls>()) {}

Pool::~Pool() = default;

void Pool::start_threads() {
    std::lock_guard lock(mutex_);
    if (started_) return;
    // Signals that the application expects on its own threads must not arrive on ours.
    sigset_t all, before;
    sigfillset(&all);
    for (int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGPROF}) sigdelset(&all, signal);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (unsigned i = 0; i < size_; i++) {
        runners_.push_back(std::make_unique<Runner>(*this, i, true));
        try {
            alive_++;
            std::thread([self = shared_from_this(), runner = runners_.back().get()] {
                self->worker(*runner);
            }).detach();
        } catch (const std::exception& error) {
            alive_--;
            log(LogLevel::error, LogChannel::launch, "cpu: only {} of {} threads could be started: {}", i, size_,
                error.what());
            break;
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    started_ = true;
}

void Pool::stop() {
    stopping_ = true;
    epoch_++;
    futex_wake(epoch_, INT_MAX);
    host_calls_->stop();
    // A kernel in an endless loop cannot be interrupted; its thread keeps the pool alive.
    for (int i = 0; alive_ && i < 2000; i++) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

void Pool::wake(unsigned count) {
    if (count && sleeping_.load() > 0) futex_wake(epoch_, count);
}

void Pool::submit(std::shared_ptr<Timeline> timeline) {
    if (!started_.load(std::memory_order_acquire)) start_threads();
    {
        std::lock_guard lock(mutex_);
        if (timeline->listed) return; // an entry that a helper was faster than is still there and serves again
        timeline->listed = true;
        ready_.push_back(std::move(timeline));
        ready_count_.store(unsigned(ready_.size()), std::memory_order_relaxed);
    }
    epoch_.fetch_add(1);
    if (spinning_.load() == 0) wake(1);
}

void Pool::publish(std::shared_ptr<Timeline> timeline, unsigned count) {
    {
        std::lock_guard lock(mutex_);
        if (std::find(jobs_.begin(), jobs_.end(), timeline) == jobs_.end()) jobs_.push_back(std::move(timeline));
        job_count_.store(unsigned(jobs_.size()), std::memory_order_relaxed);
    }
    epoch_.fetch_add(1);
    wake(count);
}

std::shared_ptr<Timeline> Pool::take_ready() {
    if (ready_count_.load(std::memory_order_acquire) == 0) return nullptr;
    std::unique_lock lock(mutex_);
    if (ready_.empty()) return nullptr;
    std::shared_ptr<Timeline> timeline = std::move(ready_.front());
    ready_.pop_front();
    timeline->listed = false;
    const bool more = !ready_.empty();
    ready_count_.store(unsigned(ready_.size()), std::memory_order_relaxed);
    lock.unlock();
    if (more && spinning_.load() == 0) wake(1);
    return timeline;
}

std::shared_ptr<Timeline> Pool::find_job(const Runner& runner, const Job* except) {
    if (job_count_.load(std::memory_order_acquire) == 0) return nullptr;
    std::lock_guard lock(mutex_);
    std::erase_if(jobs_, [](const auto& timeline) {
        Job* job = timeline->job();
        return !job || !job->claimable();
    });
    job_count_.store(unsigned(jobs_.size()), std::memory_order_relaxed);
    for (size_t i = 0; i < jobs_.size(); i++) {
        if (jobs_[i]->job() == except || !runner.may_enter(jobs_[i]->share().get())) continue;
        // Next time another one, so that kernels of several queues run side by side.
        std::rotate(jobs_.begin() + std::ptrdiff_t(i), jobs_.begin() + std::ptrdiff_t(i) + 1, jobs_.end());
        return jobs_.back();
    }
    return nullptr;
}

void Pool::room_made() {
    if (job_count_.load(std::memory_order_acquire) == 0) return;
    epoch_.fetch_add(1);
    wake(1);
}

void Pool::host_call(std::function<void()> function) { host_calls_->run(std::move(function)); }

void Pool::wait_for_work(uint32_t seen) {
    if (spin_time_.count() > 0) {
        spinning_.fetch_add(1);
        const auto deadline = std::chrono::steady_clock::now() + spin_time_;
        while (epoch_.load(std::memory_order_relaxed) == seen && std::chrono::steady_clock::now() < deadline)
            for (int i = 0; i < 16; i++) __builtin_ia32_pause();
        spinning_.fetch_sub(1);
        if (epoch_.load() != seen) return;
    }
    sleeping_.fetch_add(1);
    futex_wait(epoch_, seen);
    sleeping_.fetch_sub(1);
}

void Pool::worker(Runner& runner) {
    pthread_setname_np(pthread_self(), "cuttle-cpu");
    const FloatingPointScope floating_point;
    {
        GuardScope scope(runner.guard());
        while (!stopping()) {
            const uint32_t seen = epoch_.load();
            if (auto timeline = take_ready()) {
                runner.drive(std::move(timeline));
            } else if (auto with_job = find_job(runner)) {
                if (Job* job = with_job->job()) runner.work_on(*job);
                runner.drive(runner.take_offer());
            } else {
                wait_for_work(seen);
            }
        }
    }
    alive_--;
}

Helper::Helper(Pool& pool) : pool_(pool) {
    {
        std::lock_guard lock(pool.helpers_mutex_);
        if (!pool.helpers_.empty()) {
            runner_ = std::move(pool.helpers_.back());
            pool.helpers_.pop_back();
        }
    }
    // Takes the range of CTAs that the last worker would take: with one thread more than ranges, the late one steals.
    if (!runner_) runner_ = std::make_unique<Runner>(pool, pool.size() - 1, false);
    runner_->home() = {};
    scope_ = std::make_unique<GuardScope>(runner_->guard());
}

Helper::~Helper() {
    scope_ = nullptr;
    std::lock_guard lock(pool_.helpers_mutex_);
    pool_.helpers_.push_back(std::move(runner_));
}

} // namespace rt::backend::cpu
