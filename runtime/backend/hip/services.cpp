#include "backend/hip/services.h"

#include "backend/hip/device.h"

#include <cstddef>

namespace rt::backend::hip {

QueueServices::QueueServices(HipDevice& device, std::shared_ptr<gpu::Faults> faults)
    : gpu::QueueServices(
          device, device.runtime(),
          [](uint64_t address, std::span<const uint8_t> bytes) {
              check(loader().hipMemcpy(reinterpret_cast<void*>(address), bytes.data(), bytes.size(), hipMemcpyDefault),
                    "preparing what kernels ask of the runtime");
          },
          std::move(faults)) {}

void QueueServices::stop() {
    const Loader& hip = loader();
    hipStream_t side = nullptr;
    const uint32_t stopped = 1;
    void* place = reinterpret_cast<void*>(block() + offsetof(ptx::gpu::ServiceBlock, stopped));
    check(hip.hipStreamCreateWithPriority(&side, hipStreamNonBlocking, 0), "creating a stream");
    const hipError_t result = hip.hipMemcpyAsync(place, &stopped, sizeof stopped, hipMemcpyDefault, side);
    if (result == hipSuccess) hip.hipStreamSynchronize(side);
    hip.hipStreamDestroy(side);
    check(result, "telling a kernel to end");
}

} // namespace rt::backend::hip
