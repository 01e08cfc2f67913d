#include "backend/gpu/faults.h"

#include "support/log.h"

namespace rt::backend::gpu {

void Faults::set(Fault fault, const std::string& message) {
    std::lock_guard lock(mutex_);
    if (fault_ != Fault::none) return;
    message_ = message;
    fault_ = fault;
    log(LogLevel::error, LogChannel::launch, "{}", message);
}

Fault Faults::get(std::string* message) const {
    const Fault fault = fault_;
    if (fault == Fault::none || !message) return fault;
    std::lock_guard lock(mutex_);
    *message = message_;
    return fault;
}

} // namespace rt::backend::gpu
