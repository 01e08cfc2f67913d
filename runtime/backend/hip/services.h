#pragma once

#include "backend/gpu/queue_services.h"
#include "backend/hip/loader.h"

#include <memory>

namespace rt::backend::hip {

class HipDevice;

class QueueServices : public gpu::QueueServices {
  public:
    /// Throws Error{out_of_memory}.
    QueueServices(HipDevice& device, std::shared_ptr<gpu::Faults> faults);

    /// Kernels that wait for something are to end. From outside of the queue, which they keep busy.
    void stop();
};

} // namespace rt::backend::hip
