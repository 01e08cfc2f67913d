#include "backend/hip/device.h"

#include "backend/gpu/group.h"
#include "backend/hip/code.h"
#include "backend/hip/facts.h"
#include "backend/hip/queue.h"
#include "rt/error.h"
#include "support/log.h"
#include "support/options.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <thread>

namespace rt::backend::hip {

HipDevice::HipDevice(int number)
    : number_(number), facts_(describe_device(number)), wave_lanes_(lanes_of_wave(number)),
      clock_(std::make_shared<Clock>(number)),
      watch_dog_(std::chrono::seconds(std::max<int64_t>(0, options().launch_timeout))),
      runtime_({[this](size_t bytes) { return allocate(bytes, MemoryKind::device); }, {}}),
      launcher_(*this, [this](std::shared_ptr<gpu::Parents> parents) {
          make_current();
          return std::make_unique<HipQueue>(*this, 0, std::move(parents));
      }) {}

MemoryInfo HipDevice::memory() const {
    make_current();
    size_t free = 0, total = 0;
    check(loader().hipMemGetInfo(&free, &total), "asking for free memory");
    return {free, total};
}

uint64_t HipDevice::allocate(size_t bytes, MemoryKind kind) {
    make_current();
    const Loader& hip = loader();
    void* memory = nullptr;
    const hipError_t result = kind == MemoryKind::device ? hip.hipMalloc(&memory, bytes)
                              : kind == MemoryKind::pinned
                                  ? hip.hipHostMalloc(&memory, bytes, hipHostMallocPortable | hipHostMallocMapped)
                                  : hip.hipMallocManaged(&memory, bytes, hipMemAttachGlobal);
    if (result == hipErrorOutOfMemory) {
        hip.hipGetLastError(); // taken, lest somebody else finds it
        return 0;
    }
    check(result, fmt::format("allocating {} bytes", bytes));
    return reinterpret_cast<uint64_t>(memory);
}

void HipDevice::release(uint64_t address, MemoryKind kind) {
    if (lost()) return; // HIP would wait for the kernel that hangs
    make_current();
    const auto free = kind == MemoryKind::pinned ? loader().hipHostFree : loader().hipFree;
    check(free(reinterpret_cast<void*>(address)), fmt::format("releasing the memory at {:#x}", address));
}

std::unique_ptr<Code> HipDevice::load(std::shared_ptr<const ptx::Image> image) {
    make_current();
    return std::make_unique<HipCode>(*this, std::move(image));
}

std::unique_ptr<Queue> HipDevice::create_queue(int priority) {
    make_current();
    return std::make_unique<HipQueue>(*this, priority);
}

void HipDevice::set_limits(uint64_t heap, uint64_t printf_buffer, uint64_t stack) {
    runtime_.set_limits(heap, printf_buffer);
    make_current();
    // Version 5 has no such limit; its stacks grow by themselves.
    const hipError_t result = loader().hipDeviceSetLimit(hipLimitStackSize, stack);
    if (result != hipSuccess)
        log(LogLevel::debug, LogChannel::launch, "hip: a stack of {} bytes: {}", stack, describe(result));
}

bool HipDevice::can_reach(const Device& other) const {
    int can = 0;
    check(loader().hipDeviceCanAccessPeer(&can, number_, static_cast<const HipDevice&>(other).number_),
          "asking for access to another device");
    return can != 0;
}

void HipDevice::let_reach(Device& other, bool allowed) {
    const int peer = static_cast<HipDevice&>(other).number_;
    make_current();
    std::lock_guard lock(peers_mutex_);
    unsigned& count = peers_[peer];
    if (allowed && count == 0) check(loader().hipDeviceEnablePeerAccess(peer, 0), "giving access to another device");
    if (!allowed && count == 1) check(loader().hipDeviceDisablePeerAccess(peer), "taking access to another device");
    allowed ? count++ : count--;
}

void HipDevice::add(Waiter& waiter) {
    std::lock_guard lock(waiters_mutex_);
    waiters_.insert(&waiter);
}

void HipDevice::remove(Waiter& waiter) {
    std::lock_guard lock(waiters_mutex_);
    waiters_.erase(&waiter);
}

bool HipDevice::end_waiting_kernels() {
    constexpr std::chrono::seconds grace{2};
    make_current();
    {
        std::lock_guard lock(waiters_mutex_);
        for (Waiter* waiter : waiters_) waiter->stop_kernels();
    }
    for (const auto start = std::chrono::steady_clock::now(); !watch_dog_.quiet();) {
        if (std::chrono::steady_clock::now() - start > grace) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
}

uint32_t HipDevice::resident_blocks_per_multiprocessor(Kernel& kernel, uint32_t block_threads,
                                                       uint32_t dynamic_shared_bytes) const {
    make_current();
    int blocks = 0;
    check(loader().hipModuleOccupancyMaxActiveBlocksPerMultiprocessor(&blocks, static_cast<HipKernel&>(kernel).handle(),
                                                                      int(block_threads), dynamic_shared_bytes),
          "asking how many blocks are resident");
    return uint32_t(std::max(0, blocks));
}

uint64_t HipDevice::resident_clusters(const Launch& launch) const {
    return gpu::resident_clusters(*this, launch, wave_lanes_);
}

} // namespace rt::backend::hip
