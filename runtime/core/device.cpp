#include "rt/device.h"

#include "core/context_state.h"
#include "core/lifecycle.h"
#include "core/occupancy.h"
#include "rt/context.h"
#include "support/log.h"
#include "support/options.h"

namespace rt {

std::recursive_mutex& lifecycle() {
    static auto& mutex = *new std::recursive_mutex;
    return mutex;
}

Device::Device(int ordinal, backend::Device& backend) : ordinal_(ordinal), backend_(backend) {}

Device::~Device() = default;

int Device::compute_capability() const {
    static const int value = [] {
        auto wanted = options().compute_capability;
        if (wanted >= 50 && wanted <= 129) return int(wanted);
        log(LogLevel::warning, LogChannel::api, "CUTTLE_COMPUTE_CAPABILITY: {} is none; using 89", wanted);
        return 89;
    }();
    return value;
}

std::optional<int> Device::attribute(int attribute) const {
    const auto& f = facts();
    const int capability = compute_capability();
    const bool host = f.target.arch == ptx::Arch::host;
    const int ordinal = ordinal_;
    switch (attribute) {
#define RT_ATTRIBUTE(number, name, value)                                                                              \
    case number:                                                                                                       \
        return int(value);
#include "rt/device_attributes.def"
    }
    return std::nullopt;
}

Context& Device::primary() {
    std::lock_guard lock(mutex_);
    if (!primary_) primary_ = std::make_unique<Context>(*this, primary_flags_, true);
    return *primary_;
}

void Device::retain_primary() {
    std::lock_guard lock(lifecycle());
    Context& context = primary();
    if (primary_references_++ > 0) return;
    context.set_flags(primary_flags_);
    try {
        context.activate();
    } catch (...) {
        primary_references_--;
        throw;
    }
}

void Device::release_primary() {
    std::lock_guard lock(lifecycle());
    if (primary_references_ == 0) throw Error(Status::invalid_context, "the primary context is not retained");
    if (--primary_references_ == 0) primary().deactivate();
}

void Device::reset_primary() {
    std::lock_guard lock(lifecycle());
    {
        auto& state = primary().state();
        std::lock_guard objects(state.mutex);
        // What an H100's driver answers.
        if (!state.green.empty()) throw Error(Status::not_permitted, "the context has green contexts");
    }
    primary_references_ = 0;
    if (primary().active()) primary().deactivate();
}

bool Device::reaches(const Device& other) const {
    return this != &other && facts().target.arch == other.facts().target.arch && backend_.can_reach(other.backend_);
}

bool Device::primary_active() const {
    std::lock_guard lock(mutex_);
    return primary_ && primary_->active();
}

unsigned Device::primary_flags() const {
    std::lock_guard lock(mutex_);
    return primary_flags_;
}

void Device::set_primary_flags(unsigned flags) {
    std::lock_guard lock(mutex_);
    primary_flags_ = flags;
    if (primary_) primary_->set_flags(flags);
}

} // namespace rt
