#pragma once

#include "ptx/gpu_services.h"

#include <functional>
#include <memory>

namespace rt::backend::gpu {

class Parents;

/// Does what a thread of the kernel that runs asks by a slot of Service::device_call, writes the answer over it, and
/// calls `answered` then. On a thread of the launcher's: returns at once.
void answer_device_call(std::shared_ptr<Parents> parents, ptx::gpu::Slot& slot, std::function<void()> answered);

} // namespace rt::backend::gpu
