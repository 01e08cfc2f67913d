#include "backend/gpu/device_calls.h"

#include "backend/device_side/device_questions.h"
#include "backend/gpu/child_grids.h"
#include "backend/gpu/parents.h"
#include "ptx/device_calls.h"
#include "rt/error.h"
#include "support/log.h"

#include <chrono>
#include <cstring>
#include <fmt/format.h>
#include <string>

namespace rt::backend::gpu {

namespace {

using ptx::gpu::DeviceCallText;
using ptx::gpu::Slot;
using ptx::host::DeviceCall;
using ptx::host::DeviceStatus;

/// One call. What takes time it leaves to the launcher, and lives on in what the launcher keeps.
class Caller : public std::enable_shared_from_this<Caller> {
  public:
    Caller(std::shared_ptr<ChildGrids> children, Slot& slot, std::function<void()> answered)
        : children_(std::move(children)), slot_(slot), answered_(std::move(answered)) {
        std::memcpy(&text_, slot.text, sizeof text_);
        // Numbers that are different for different threads, whatever the grid's extents.
        const auto number = [](const uint32_t(&at)[3], unsigned y, unsigned z) {
            return at[0] | uint64_t{at[1]} << y | uint64_t{at[2]} << z;
        };
        thread_ = {number(slot.block, 32, 48), number(slot.thread, 10, 20)};
    }

    void call() {
        const auto which = DeviceCall(slot_.value);
        const uint64_t(&a)[6] = text_.arguments;
        const auto answer = answer_question(which, a, side(), [this](uint64_t kernel) { side().resolve(kernel); });
        if (answer) return give(*answer);
        switch (which) {
        case DeviceCall::get_parameter_buffer:
            return done(buffer(uint32_t(a[1]), {}));
        case DeviceCall::get_parameter_buffer_v2:
            return done(get_parameter_buffer_v2());
        case DeviceCall::launch_device: {
            ChildLaunch launch;
            if (!children_->take(a[1], launch)) return status(DeviceStatus::invalid_value);
            launch.address = a[0];
            launch.grid = extents(0);
            launch.block = extents(1);
            launch.dynamic_shared_bytes = uint32_t(a[4]);
            return start(launch, a[5]);
        }
        case DeviceCall::launch_device_v2: {
            ChildLaunch launch;
            if (!children_->take(a[0], launch)) return status(DeviceStatus::invalid_value);
            return start(launch, a[1]);
        }
        case DeviceCall::device_synchronize:
            children_->begin();
            return later([children = children_]() -> std::optional<uint64_t> {
                if (!children->all_done()) return {};
                return uint64_t(DeviceStatus::success);
            });
        case DeviceCall::get_last_error:
            return done(children_->error_of(thread_));
        case DeviceCall::set_last_error:
            return done(children_->error_of(thread_) = uint32_t(a[0]));
        case DeviceCall::stream_create:
            // An H100 takes any flags, though the only streams that device code has are non-blocking ones.
            if (a[0] == 0) return status(DeviceStatus::invalid_value);
            return give({DeviceStatus::success, children_->create_stream(), 8});
        case DeviceCall::stream_destroy:
            return status_if(children_->destroy_stream(a[0]));
        case DeviceCall::stream_wait_event:
            return status_if(children_->wait(a[0], a[1], thread_));
        case DeviceCall::event_create:
            if (a[0] == 0 || uint32_t(a[1]) != event_without_timing) return status(DeviceStatus::invalid_value);
            return give({DeviceStatus::success, children_->create_event(), 8});
        case DeviceCall::event_record:
            return status_if(children_->record(a[0], a[1], thread_));
        case DeviceCall::event_destroy:
            return status_if(children_->destroy_event(a[0]));
        default:
            return status(DeviceStatus::invalid_value);
        }
    }

  private:
    DeviceSide& side() { return children_->device_side(); }
    Launcher& launcher() { return children_->launcher(); }
    Dim3 extents(unsigned which) const {
        const uint32_t(&words)[3] = text_.extents[which];
        return {words[0], words[1], words[2]};
    }

    void done(uint64_t result) {
        text_.result = result;
        std::memcpy(slot_.text, &text_, sizeof text_);
        answered_();
    }
    void give(const DeviceAnswer& answer) {
        text_.outcome = answer.value;
        text_.outcome_bytes = answer.bytes;
        done(uint64_t(answer.status));
    }
    void status(DeviceStatus status) { give({.status = status}); }
    void status_if(bool ok) { status(ok ? DeviceStatus::success : DeviceStatus::invalid_value); }
    void later(std::function<std::optional<uint64_t>()> attempt) {
        launcher().wait_until(std::move(attempt), [self = shared_from_this()](uint64_t result) { self->done(result); });
    }

    uint64_t fails(uint32_t error) {
        children_->error_of(thread_) = error;
        return 0;
    }

    uint64_t buffer(uint64_t bytes, ChildLaunch launch) {
        launch.parameters = bytes > most_parameter_bytes ? std::span<uint8_t>() : launcher().take_parameters(bytes);
        if (launch.parameters.empty()) return fails(error_memory_allocation);
        const auto address = reinterpret_cast<uint64_t>(launch.parameters.data());
        children_->keep(std::move(launch));
        return address;
    }

    uint64_t get_parameter_buffer_v2() {
        ChildLaunch launch;
        launch.address = text_.arguments[0];
        launch.grid = extents(0);
        launch.block = extents(1);
        launch.dynamic_shared_bytes = uint32_t(text_.arguments[3]);
        try {
            return buffer(side().resolve(launch.address).info().parameter_bytes, launch);
        } catch (const Error& error) {
            complain(error);
            return fails(error_invalid_device_function);
        }
    }

    void complain(const Error& error) const {
        log(LogLevel::error, LogChannel::launch, "block [{},{},{}], thread [{},{},{}]: cannot launch: {}",
            slot_.block[0], slot_.block[1], slot_.block[2], slot_.thread[0], slot_.thread[1], slot_.thread[2],
            error.what());
    }

    void start(ChildLaunch launch, uint64_t stream) {
        try {
            launch.kernel = &side().resolve(launch.address);
            side().check(launch.address, {.kernel = launch.kernel,
                                          .grid = launch.grid,
                                          .block = launch.block,
                                          .cluster = {},
                                          .dynamic_shared_bytes = launch.dynamic_shared_bytes,
                                          .parameters = launch.parameters});
        } catch (const Error& error) {
            complain(error);
            launcher().give_parameters(launch.parameters);
            return status(error.status() == Status::launch_out_of_resources ? DeviceStatus::launch_out_of_resources
                                                                            : DeviceStatus::invalid_configuration);
        }
        const uint64_t limit = side().limit(pending_launch_count_limit);
        if (launcher().count_launch(limit)) return status(launch_counted(launch, stream));
        // On an H100 others complete while this thread goes on; here they get a chance to before it is told that there
        // are too many.
        children_->begin();
        later([self = shared_from_this(), launch, stream, limit,
               last = std::chrono::steady_clock::now() + patience]() -> std::optional<uint64_t> {
            if (self->launcher().count_launch(limit)) return uint64_t(self->launch_counted(launch, stream));
            if (std::chrono::steady_clock::now() < last) return {};
            self->launcher().give_parameters(launch.parameters);
            return uint64_t(DeviceStatus::launch_pending_count_exceeded);
        });
    }

    DeviceStatus launch_counted(const ChildLaunch& launch, uint64_t stream) {
        if (children_->launch(launch, stream, thread_)) return DeviceStatus::success;
        launcher().drop(launch);
        return DeviceStatus::invalid_value;
    }

    /// Of cudart, for the one call that has no status to return.
    static constexpr uint32_t error_memory_allocation = 2, error_invalid_device_function = 98;
    static constexpr uint32_t event_without_timing = 2;
    static constexpr int pending_launch_count_limit = 4;
    static constexpr uint64_t most_parameter_bytes = 1 << 20;
    static constexpr std::chrono::milliseconds patience{50};

    const std::shared_ptr<ChildGrids> children_;
    Slot& slot_;
    const std::function<void()> answered_;
    DeviceCallText text_{};
    ThreadNumber thread_;
};

} // namespace

void answer_device_call(std::shared_ptr<Parents> parents, Slot& slot, std::function<void()> answered) {
    parents->launcher().post([parents, &slot, answered = std::move(answered)] {
        std::make_shared<Caller>(parents->current(), slot, answered)->call();
    });
}

} // namespace rt::backend::gpu
