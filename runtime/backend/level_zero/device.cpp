#include "backend/level_zero/device.h"

#include "backend/gpu/group.h"
#include "backend/level_zero/code.h"
#include "backend/level_zero/queue.h"
#include "support/options.h"

#include <algorithm>
#include <cassert>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <thread>

namespace rt::backend::level_zero {

ZeDevice::ZeDevice(std::shared_ptr<Context> context, ze_device_handle_t handle, Description description)
    : facts_(std::move(description.facts)), driver_(description.driver), context_(std::move(context)), handle_(handle),
      builder_(context_, handle_), memory_(context_, handle_, facts_.memory_bytes, driver_.largest_allocation),
      events_(std::make_shared<Events>(context_, std::chrono::seconds(std::max<int64_t>(0, options().launch_timeout)),
                                       [this] { return end_waiting_kernels(); })),
      slots_(std::make_shared<Slots>(context_)),
      runtime_({[this](size_t bytes) { return allocate(bytes, MemoryKind::device); },
                [this](uint64_t address) { release(address, MemoryKind::device); }}),
      launcher_(*this, [this](std::shared_ptr<gpu::Parents> parents) {
          return std::make_unique<ZeQueue>(*this, 0, std::move(parents));
      }) {}

void ZeDevice::release(uint64_t address, MemoryKind) {
    if (events_->is_lost()) return; // a kernel may still use it
    [[maybe_unused]] const bool known = memory_.release(address);
    assert(known && "core frees only what it was given");
}

bool ZeDevice::can_reach(const Device& other) const {
    const auto& peer = static_cast<const ZeDevice&>(other);
    if (context_ != peer.context_ || !on_one_card(facts_, peer.facts_)) return false;
    uint8_t can = 0;
    check(context_->ze.zeDeviceCanAccessPeer(handle_, peer.handle_, &can), "asking whether a tile reaches another");
    return can;
}

std::unique_ptr<Code> ZeDevice::load(std::shared_ptr<const ptx::Image> image) {
    return std::make_unique<ZeCode>(context_, events_, builder_, std::move(image));
}

std::unique_ptr<Queue> ZeDevice::create_queue(int priority) { return std::make_unique<ZeQueue>(*this, priority); }

void ZeDevice::write(uint64_t address, std::span<const uint8_t> bytes) {
    ZeQueue queue(*this, 0);
    queue.copy({.destination = address, .source = reinterpret_cast<uint64_t>(bytes.data()), .width = bytes.size()});
    queue.synchronize();
}

void ZeDevice::add(const gpu::QueueServices& services, std::shared_ptr<Faults> faults) {
    std::lock_guard lock(waiting_mutex_);
    waiting_[&services] = std::move(faults);
}

void ZeDevice::remove(const gpu::QueueServices& services) {
    std::lock_guard lock(waiting_mutex_);
    waiting_.erase(&services);
}

/// Kernels that wait for something are to end. From outside of the queue, which they keep busy; false if that is stuck,
/// too.
bool ZeDevice::stop(const gpu::QueueServices& services) {
    constexpr std::chrono::nanoseconds grace = std::chrono::seconds(2);
    const Loader& ze = context_->ze;
    const uint32_t stopped = 1;
    const auto memory = slots_->take(sizeof stopped);
    std::memcpy(memory.get(), &stopped, sizeof stopped);
    const auto done = events_->take();
    ze_command_queue_desc_t description;
    description.ordinal = driver_.side_ordinal;
    ze_command_list_handle_t side = nullptr;
    check(ze.zeCommandListCreateImmediate(context_->handle, handle_, &description, &side), "creating a command list");
    auto* place = reinterpret_cast<void*>(services.block() + offsetof(ptx::gpu::ServiceBlock, stopped));
    check(ze.zeCommandListAppendMemoryCopy(side, place, memory.get(), sizeof stopped, done->handle(), 0, nullptr),
          "telling a kernel to end");
    // A list that is stuck stays as it is: its end would be waited for.
    if (ze.zeEventHostSynchronize(done->handle(), uint64_t(grace.count())) != ZE_RESULT_SUCCESS) return false;
    ze.zeCommandListDestroy(side);
    return true;
}

bool ZeDevice::end_waiting_kernels() {
    constexpr std::chrono::seconds grace{2};
    {
        std::lock_guard lock(waiting_mutex_);
        for (const auto& [services, faults] : waiting_) {
            if (!stop(*services)) {
                events_->set_lost(Progress::hung); // before the event comes back
                return false;
            }
            faults->set(Fault::timeout, "level_zero: stopped, because a kernel of the device hangs");
        }
    }
    for (const auto start = std::chrono::steady_clock::now(); !events_->watch_dog().quiet();) {
        if (std::chrono::steady_clock::now() - start > grace) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

uint32_t ZeDevice::resident_blocks_per_multiprocessor(Kernel& kernel, uint32_t block_threads,
                                                      uint32_t dynamic_shared_bytes) const {
    // Core counts shared memory and registers.
    const uint32_t by_threads = facts_.max_threads_per_multiprocessor / std::max(1u, block_threads);
    if (!facts_.cooperative_launch) return by_threads;
    const uint32_t on_device = static_cast<ZeKernel&>(kernel).most_groups_at_once(block_threads, dynamic_shared_bytes);
    return std::min(by_threads, on_device / facts_.multiprocessors);
}

uint64_t ZeDevice::resident_clusters(const Launch& launch) const {
    return gpu::resident_clusters(*this, launch, warp_size);
}

} // namespace rt::backend::level_zero
