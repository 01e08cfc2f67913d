#include "backend/hip/services.h"

#include "backend/hip/device.h"
#include "rt/error.h"

#include <cstddef>
#include <cstring>

namespace rt::backend::hip {

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

uint64_t obtain(HipDevice& device, size_t bytes, MemoryKind kind) {
    if (const uint64_t address = device.allocate(bytes, kind)) return address;
    throw Error(Status::out_of_memory, "hip: no memory for what kernels ask of the runtime");
}

} // namespace

QueueServices::QueueServices(HipDevice& device, std::shared_ptr<gpu::Faults> faults)
    : device_(device), host_(obtain(device, sizeof(HostPart), MemoryKind::pinned)) {
    auto& host = *reinterpret_cast<HostPart*>(host_);
    std::memset(&host, 0, sizeof host);
    try {
        block_ = obtain(device, sizeof(DevicePart), MemoryKind::device);
        DevicePart part{};
        part.block.slot_mask = slot_count - 1;
        part.block.slots = reinterpret_cast<uint64_t>(host.slots);
        part.block.report = reinterpret_cast<uint64_t>(&host.report);
        check(loader().hipMemcpy(reinterpret_cast<void*>(block_), &part, sizeof part, hipMemcpyDefault),
              "preparing what kernels ask of the runtime");
    } catch (...) {
        if (block_) device.release(block_, MemoryKind::device);
        device.release(host_, MemoryKind::pinned);
        throw;
    }
    workspace_ = block_ + offsetof(DevicePart, workspace);
    box_ = std::make_shared<gpu::ServiceBox>(host.slots, host.report, device.runtime(), std::move(faults));
}

QueueServices::~QueueServices() {
    device_.release(block_, MemoryKind::device);
    device_.release(host_, MemoryKind::pinned);
}

void QueueServices::stop() {
    const Loader& hip = loader();
    hipStream_t side = nullptr;
    const uint32_t stopped = 1;
    void* place = reinterpret_cast<void*>(block_ + offsetof(ptx::gpu::ServiceBlock, stopped));
    check(hip.hipStreamCreateWithPriority(&side, hipStreamNonBlocking, 0), "creating a stream");
    const hipError_t result = hip.hipMemcpyAsync(place, &stopped, sizeof stopped, hipMemcpyDefault, side);
    if (result == hipSuccess) hip.hipStreamSynchronize(side);
    hip.hipStreamDestroy(side);
    check(result, "telling a kernel to end");
}

} // namespace rt::backend::hip
