#include "backend/cpu/share.h"

#include "backend/cpu/queue.h"

namespace rt::backend::cpu {

bool Share::enter() {
    unsigned now = working_.load();
    while (now < threads_)
        if (working_.compare_exchange_weak(now, now + 1)) return true;
    return false;
}

std::unique_ptr<Queue> CpuPartition::create_queue(int) { return std::make_unique<CpuQueue>(device_, share_); }

} // namespace rt::backend::cpu
