#include "backend/level_zero/device.h"

#include "backend/level_zero/code.h"
#include "backend/level_zero/queue.h"

#include <algorithm>
#include <cassert>

namespace rt::backend::level_zero {

ZeDevice::ZeDevice(std::shared_ptr<Context> context, ze_device_handle_t handle, Description description)
    : facts_(std::move(description.facts)), driver_(description.driver), context_(std::move(context)), handle_(handle),
      memory_(context_, handle_, facts_.memory_bytes, driver_.largest_allocation),
      events_(std::make_shared<Events>(context_, handle_)), slots_(std::make_shared<Slots>(context_)),
      runtime_({[this](size_t bytes) { return allocate(bytes, MemoryKind::device); },
                [this](uint64_t address) { release(address, MemoryKind::device); }}) {}

void ZeDevice::release(uint64_t address, MemoryKind) {
    [[maybe_unused]] const bool known = memory_.release(address);
    assert(known && "core frees only what it was given");
}

std::unique_ptr<Code> ZeDevice::load(std::shared_ptr<const ptx::Image> image) {
    return std::make_unique<ZeCode>(context_, handle_, std::move(image));
}

std::unique_ptr<Queue> ZeDevice::create_queue(int priority) { return std::make_unique<ZeQueue>(*this, priority); }

void ZeDevice::write(uint64_t address, std::span<const uint8_t> bytes) {
    ZeQueue queue(*this, 0);
    queue.copy({.destination = address, .source = reinterpret_cast<uint64_t>(bytes.data()), .width = bytes.size()});
    queue.synchronize();
}

uint32_t ZeDevice::resident_blocks_per_multiprocessor(Kernel&, uint32_t block_threads, uint32_t) const {
    // Level Zero does not tell more; core counts shared memory and registers.
    return facts_.max_threads_per_multiprocessor / std::max(1u, block_threads);
}

} // namespace rt::backend::level_zero
