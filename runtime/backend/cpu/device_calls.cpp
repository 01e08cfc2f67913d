#include "backend/cpu/device_calls.h"

#include "backend/cpu/child_grids.h"
#include "backend/cpu/cta.h"
#include "backend/cpu/device.h"
#include "backend/cpu/runner.h"
#include "backend/device_side/device_questions.h"
#include "ptx/device_calls.h"
#include "rt/error.h"
#include "support/log.h"

#include <chrono>
#include <cstring>
#include <fmt/format.h>

namespace rt::backend::cpu {

namespace {

using ptx::host::DeviceCall;
using ptx::host::DeviceStatus;
using ptx::host::Lane;

/// Of cudart, for the one call that has no status to return.
constexpr uint32_t error_memory_allocation = 2, error_invalid_device_function = 98;

constexpr int pending_launch_count_limit = 4;

Dim3 extents(uint64_t address) {
    uint32_t words[3];
    std::memcpy(words, reinterpret_cast<const void*>(address), sizeof words);
    return {words[0], words[1], words[2]};
}

template <class T> void store(uint64_t address, T value) {
    std::memcpy(reinterpret_cast<void*>(address), &value, sizeof value);
}

/// One call, on the fiber of the lane that makes it. What the program gave as an address is read before anything is
/// locked and written after: it may fault.
class Caller {
  public:
    Caller(Lane* lane, const uint64_t* arguments)
        : lane_(lane), cta_(Cta::of(lane)), self_(cta_.current_lane()), run_(cta_.run()),
          side_(run_.launch().device_side), a_(arguments) {
        const auto linear = [](const uint32_t(&at)[3], const uint32_t(&of)[3]) {
            return at[0] + uint64_t{of[0]} * (at[1] + uint64_t{of[1]} * at[2]);
        };
        thread_ = {linear(lane->block, lane->grid->grid_dim), linear(lane->thread, lane->grid->block_dim)};
        const uint64_t owner = thread_.block << 10 | thread_.thread;
        if (self_.error_owner != owner) self_.error = 0;
        self_.error_owner = owner;
    }

    uint64_t call(DeviceCall which) {
        switch (which) {
        case DeviceCall::get_parameter_buffer:
            return buffer(0, uint32_t(a_[1]), {});
        case DeviceCall::get_parameter_buffer_v2:
            return get_parameter_buffer_v2();
        case DeviceCall::launch_device: {
            PreparedLaunch launch;
            if (!run_.children()->take(a_[1], launch)) return status(DeviceStatus::invalid_value);
            launch.kernel = a_[0];
            launch.command.grid = extents(a_[2]);
            launch.command.block = extents(a_[3]);
            launch.command.dynamic_shared_bytes = uint32_t(a_[4]);
            return status(start(std::move(launch), a_[5]));
        }
        case DeviceCall::launch_device_v2: {
            PreparedLaunch launch;
            if (!run_.children()->take(a_[0], launch)) return status(DeviceStatus::invalid_value);
            return status(start(std::move(launch), a_[1]));
        }
        case DeviceCall::device_synchronize:
            for (run_.children()->begin(); !run_.children()->all_done();) cta_.spin(self_, true);
            return status(DeviceStatus::success);
        case DeviceCall::get_last_error:
            return self_.error;
        case DeviceCall::set_last_error:
            return self_.error = uint32_t(a_[0]);
        case DeviceCall::stream_create:
            // An H100 takes any flags, though the only streams that device code has are non-blocking ones.
            if (a_[0] == 0) return status(DeviceStatus::invalid_value);
            return give(a_[0], run_.children()->create_stream());
        case DeviceCall::stream_destroy:
            return status_if(run_.children()->destroy_stream(a_[0]));
        case DeviceCall::stream_wait_event:
            return status_if(run_.children()->wait(a_[0], a_[1], thread_));
        case DeviceCall::event_create:
            if (a_[0] == 0 || uint32_t(a_[1]) != event_without_timing) return status(DeviceStatus::invalid_value);
            return give(a_[0], run_.children()->create_event());
        case DeviceCall::event_record:
            return status_if(run_.children()->record(a_[0], a_[1], thread_));
        case DeviceCall::event_destroy:
            return status_if(run_.children()->destroy_event(a_[0]));
        default:
            return answer(which);
        }
    }

  private:
    static constexpr uint32_t event_without_timing = 2;

    static uint64_t status(DeviceStatus status) { return uint32_t(status); }
    static uint64_t status_if(bool ok) { return status(ok ? DeviceStatus::success : DeviceStatus::invalid_value); }
    template <class T> static uint64_t give(uint64_t address, T value) {
        store(address, value);
        return status(DeviceStatus::success);
    }
    uint64_t answer(DeviceCall which) {
        constexpr size_t most_arguments = 6;
        const auto given = answer_question(which, {a_, most_arguments}, *side_, [this](uint64_t at) { resolve(at); });
        if (!given) return status(DeviceStatus::invalid_value);
        if (given->bytes) std::memcpy(reinterpret_cast<void*>(a_[0]), &given->value, given->bytes);
        return status(given->status);
    }

    /// While a kernel is translated, which wants more stack than a lane has, this thread does other work. Where a fiber
    /// runs whole blocks it waits: to leave one in its middle would begin grids before the rest of a warp is as far.
    Kernel& resolve(uint64_t address) {
        if (Kernel* kernel = side_->find(address)) return *kernel;
        const std::shared_future<Kernel*>& translation = run_.children()->translate(address);
        while (!cta_.whole_blocks() && translation.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
            cta_.pause(self_);
        return *translation.get();
    }

    uint64_t buffer(uint64_t kernel, uint64_t bytes, LaunchCommand command) {
        constexpr uint64_t most = 1 << 20;
        if (bytes > most) return self_.error = error_memory_allocation, 0;
        command.parameters.resize((bytes + 63) / 64 + 1);
        return run_.children()->keep({kernel, std::move(command)});
    }

    uint64_t get_parameter_buffer_v2() {
        LaunchCommand command;
        command.grid = extents(a_[1]);
        command.block = extents(a_[2]);
        command.dynamic_shared_bytes = uint32_t(a_[3]);
        const Kernel* kernel = nullptr;
        try {
            kernel = &resolve(a_[0]);
        } catch (const Error& error) {
            complain(error);
            return self_.error = error_invalid_device_function, 0;
        }
        return buffer(a_[0], kernel->info().parameter_bytes, std::move(command));
    }

    void complain(const Error& error) const {
        log(LogLevel::error, LogChannel::launch, "{}: cannot launch: {}",
            run_.place(reinterpret_cast<const LaneFiber*>(lane_)), error.what());
    }

    /// Launches count until they are complete, as on an H100. There, others complete while this thread goes on; here
    /// they get a chance to before it is told that there are too many.
    bool make_room() {
        constexpr int patience = 512;
        const uint64_t limit = side_->limit(pending_launch_count_limit);
        for (int i = 0; i < patience; i++) {
            if (run_.device().launch_pending(limit)) return true;
            run_.children()->begin();
            cta_.spin(self_, true);
        }
        return run_.device().launch_pending(limit);
    }

    DeviceStatus start(PreparedLaunch launch, uint64_t stream) {
        LaunchCommand& command = launch.command;
        try {
            command.kernel = static_cast<CpuKernel*>(&resolve(launch.kernel));
            const auto* bytes = reinterpret_cast<const uint8_t*>(command.parameters.data());
            side_->check(launch.kernel,
                         {.kernel = command.kernel,
                          .grid = command.grid,
                          .block = command.block,
                          .cluster = command.cluster,
                          .dynamic_shared_bytes = command.dynamic_shared_bytes,
                          .parameters = {bytes, command.parameters.size() * sizeof command.parameters[0]}});
        } catch (const Error& error) {
            complain(error);
            return error.status() == Status::launch_out_of_resources ? DeviceStatus::launch_out_of_resources
                                                                     : DeviceStatus::invalid_configuration;
        }
        if (!make_room()) return DeviceStatus::launch_pending_count_exceeded;
        if (run_.children()->launch(std::move(command), stream, thread_)) return DeviceStatus::success;
        run_.device().launch_complete();
        return DeviceStatus::invalid_value;
    }

    const Lane* lane_;
    Cta& cta_;
    LaneFiber& self_; ///< the fiber, which need not be where `lane_` lies
    GridRun& run_;
    DeviceSide* side_;
    const uint64_t* a_;
    ThreadNumber thread_;
};

} // namespace

uint64_t device_call(Lane* lane, uint32_t call, const uint64_t* arguments) {
    return Caller(lane, arguments).call(DeviceCall(call));
}

} // namespace rt::backend::cpu
