#include "backend/gpu/queue_services.h"

#include "rt/error.h"

#include <cstddef>
#include <cstring>

namespace rt::backend::gpu {

namespace {

constexpr size_t slot_count = 256;

struct HostPart {
    ptx::gpu::Slot slots[slot_count];
    ptx::gpu::StopReport report;
};

struct DevicePart {
    ptx::gpu::ServiceBlock block;
    uint64_t workspace;
};

uint64_t obtain(Device& device, size_t bytes, MemoryKind kind) {
    if (const uint64_t address = device.allocate(bytes, kind)) return address;
    throw Error(Status::out_of_memory, "no memory for what kernels ask of the runtime");
}

} // namespace

QueueServices::QueueServices(Device& device, DeviceRuntime& runtime, const Write& write, std::shared_ptr<Faults> faults)
    : device_(device), host_(obtain(device, sizeof(HostPart), MemoryKind::pinned)) {
    auto& host = *reinterpret_cast<HostPart*>(host_);
    std::memset(&host, 0, sizeof host);
    try {
        block_ = obtain(device, sizeof(DevicePart), MemoryKind::device);
        DevicePart part{};
        part.block.slot_mask = slot_count - 1;
        part.block.slots = reinterpret_cast<uint64_t>(host.slots);
        part.block.report = reinterpret_cast<uint64_t>(&host.report);
        write(block_, {reinterpret_cast<const uint8_t*>(&part), sizeof part});
    } catch (...) {
        if (block_) device.release(block_, MemoryKind::device);
        device.release(host_, MemoryKind::pinned);
        throw;
    }
    workspace_ = block_ + offsetof(DevicePart, workspace);
    box_ = std::make_shared<ServiceBox>(host.slots, host.report, runtime, std::move(faults));
}

QueueServices::~QueueServices() {
    device_.release(block_, MemoryKind::device);
    device_.release(host_, MemoryKind::pinned);
}

} // namespace rt::backend::gpu
