#include "backend/cpu/queue.h"

#include "backend/cpu/device.h"
#include "backend/cpu/guard.h"

#include <cstring>
#include <sched.h>

namespace rt::backend::cpu {

CpuQueue::CpuQueue(CpuDevice& device, std::shared_ptr<Share> share)
    : device_(device), timeline_(std::make_shared<Timeline>(device, std::move(share))) {}

void CpuQueue::launch(const Launch& launch) { launch_all({&launch, 1}); }

void CpuQueue::launch_all(std::span<const Launch> launches) {
    if (launches.empty()) return;
    hook_signals();
    Command* const commands = timeline_->new_commands(Command::Kind::launch, launches.size());
    Command* command = commands;
    for (const Launch& launch : launches) {
        LaunchCommand& to = command->launch;
        to.kernel = static_cast<CpuKernel*>(launch.kernel);
        to.grid = launch.grid;
        to.block = launch.block;
        to.cluster = launch.cluster;
        to.dynamic_shared_bytes = launch.dynamic_shared_bytes;
        to.cooperative = launch.cooperative;
        to.globals = launch.globals;
        to.device_side = launch.device_side;
        to.parameters.resize((launch.parameters.size() + 63) / 64 + 1);
        if (!launch.parameters.empty())
            std::memcpy(to.parameters.data(), launch.parameters.data(), launch.parameters.size());
        command = command->next;
    }
    timeline_->push(commands);
}

void CpuQueue::copy(const Copy& copy) {
    hook_signals();
    Command* command = timeline_->new_command(Command::Kind::copy);
    command->copy = copy;
    timeline_->push(command);
}

void CpuQueue::fill(const Fill& fill) {
    hook_signals();
    Command* command = timeline_->new_command(Command::Kind::fill);
    command->fill = fill;
    timeline_->push(command);
}

void CpuQueue::call(std::function<void()> function) {
    Command* command = timeline_->new_command(Command::Kind::call);
    command->function = std::move(function);
    timeline_->push(command);
}

std::shared_ptr<Marker> CpuQueue::mark(bool) {
    auto marker = std::make_shared<CpuMarker>(timeline_);
    timeline_->mark(marker);
    return marker;
}

void CpuQueue::wait_for(std::shared_ptr<Marker> marker) {
    if (marker->reached()) return;
    Command* command = timeline_->new_command(Command::Kind::wait);
    command->marker = std::dynamic_pointer_cast<CpuMarker>(marker);
    if (!command->marker) command->foreign = std::move(marker);
    timeline_->push(command);
}

bool CpuQueue::idle() const {
    if (timeline_->idle()) return true;
    // A host that polls must not keep a worker off the only processor.
    if (device_.workers() == 1) sched_yield();
    return false;
}

void CpuQueue::synchronize() { timeline_->wait(timeline_->pushed()); }

} // namespace rt::backend::cpu
