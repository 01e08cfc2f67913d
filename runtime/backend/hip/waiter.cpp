#include "backend/hip/waiter.h"

#include "backend/hip/device.h"
#include "rt/error.h"
#include "support/log.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <thread>

namespace rt::backend::hip {

namespace {

using Steady = std::chrono::steady_clock;

/// Sleeps a part of the time waited so far: what is soon over is noticed soon, and the rest costs little.
void pause(Steady::duration waited) {
    constexpr std::chrono::microseconds spinning{50}, longest{1000};
    if (waited < spinning) return std::this_thread::yield();
    std::this_thread::sleep_for(std::min<Steady::duration>(waited / 16, longest));
}

} // namespace

Waiter::Waiter(HipDevice& device) : device_(device) { device_.add(*this); }

Waiter::~Waiter() {
    device_.remove(*this);
    if (!services_) return;
    device_.service_thread().forget(*services_->box());
    if (device_.lost()) (void)services_.release(); // a kernel may still use it
}

QueueServices& Waiter::services() {
    std::lock_guard lock(mutex_);
    if (!services_) services_ = std::make_unique<QueueServices>(device_, faults_);
    return *services_;
}

QueueServices* Waiter::existing_services() {
    std::lock_guard lock(mutex_);
    return services_.get();
}

bool Waiter::reached(hipError_t result) {
    // Also for what HIP says is done: nothing of the device is to be trusted.
    if (device_.lost()) {
        faults_->set(Fault::timeout, "hip: the device does not answer");
        return true;
    }
    if (result == hipErrorNotReady) {
        if (!device_.watch_dog().hung()) return false;
        give_up();
        return true;
    }
    if (QueueServices* services = existing_services()) services->box()->serve();
    if (result == hipSuccess) return true;
    const Fault fault = result == hipErrorIllegalAddress  ? Fault::illegal_address
                        : result == hipErrorAssert        ? Fault::assertion
                        : result == hipErrorLaunchTimeOut ? Fault::timeout
                                                          : Fault::trap;
    faults_->set(fault, "hip: " + describe(result));
    return true;
}

void Waiter::wait(const std::function<hipError_t()>& query, const std::function<hipError_t()>& block) {
    if (!device_.watch_dog().watches()) {
        reached(block());
        return;
    }
    for (const auto start = Steady::now(); !reached(query()); pause(Steady::now() - start)) {
        // The application's thread has nothing else to do.
        if (QueueServices* services = existing_services()) services->box()->serve();
    }
}

void Waiter::stop_kernels() {
    QueueServices* services = existing_services();
    if (!services) return;
    services->stop();
    faults_->set(Fault::timeout, "hip: stopped, because a kernel of the device hangs");
}

/// The context dies of it. Kernels that wait for something can be ended; what else keeps the device busy is left alone.
void Waiter::give_up() {
    faults_->set(Fault::timeout, fmt::format("hip: {}: no kernel has ended for {} s, see CUTTLE_LAUNCH_TIMEOUT",
                                             device_.facts().name, device_.watch_dog().patience().count()));
    try {
        if (device_.end_waiting_kernels()) return;
    } catch (const Error& error) {
        log(LogLevel::error, LogChannel::launch, "{}", error.what());
    }
    device_.set_lost();
}

} // namespace rt::backend::hip
