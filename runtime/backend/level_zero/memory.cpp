#include "backend/level_zero/memory.h"

#include "rt/error.h"
#include "support/log.h"

#include <algorithm>
#include <fmt/format.h>

namespace rt::backend::level_zero {

namespace {

constexpr size_t alignment = 512;

bool no_memory(ze_result_t result) {
    return result == ZE_RESULT_ERROR_OUT_OF_DEVICE_MEMORY || result == ZE_RESULT_ERROR_OUT_OF_HOST_MEMORY ||
           result == ZE_RESULT_ERROR_UNSUPPORTED_SIZE;
}

} // namespace

Memory::Memory(std::shared_ptr<Context> context, ze_device_handle_t device, uint64_t device_bytes, uint64_t largest)
    : context_(std::move(context)), device_(device), device_bytes_(device_bytes), largest_(largest) {}

Memory::~Memory() {
    for (const auto& [address, bytes] : allocations_)
        context_->ze.zeMemFree(context_->handle, reinterpret_cast<void*>(address));
}

ze_result_t Memory::ask(size_t bytes, MemoryKind kind, void** address) {
    const Loader& ze = context_->ze;
    const ze_device_mem_alloc_desc_t on_device;
    const ze_host_mem_alloc_desc_t on_host;
    switch (kind) {
    case MemoryKind::device:
        return ze.zeMemAllocDevice(context_->handle, &on_device, bytes, alignment, device_, address);
    case MemoryKind::pinned:
        return ze.zeMemAllocHost(context_->handle, &on_host, bytes, alignment, address);
    case MemoryKind::managed:
        return ze.zeMemAllocShared(context_->handle, &on_device, &on_host, bytes, alignment, device_, address);
    }
    return ZE_RESULT_ERROR_INVALID_ENUMERATION;
}

uint64_t Memory::allocate(size_t bytes, MemoryKind kind) {
    if (bytes > largest_) {
        log(LogLevel::warning, LogChannel::memory, "level_zero: {} bytes in one piece, the driver allows {}", bytes,
            largest_);
        return 0;
    }
    const uint64_t counted = kind == MemoryKind::device ? bytes : 0;
    std::lock_guard lock(mutex_);
    if (counted > device_bytes_ - used_) return 0;
    void* memory = nullptr;
    const ze_result_t result = ask(bytes, kind, &memory);
    if (no_memory(result)) return 0;
    check(result, fmt::format("allocating {} bytes", bytes));
    used_ += counted;
    allocations_[reinterpret_cast<uint64_t>(memory)] = counted;
    return reinterpret_cast<uint64_t>(memory);
}

bool Memory::release(uint64_t address) {
    std::lock_guard lock(mutex_);
    auto found = allocations_.find(address);
    if (found == allocations_.end()) return false;
    used_ -= found->second;
    allocations_.erase(found);
    check(context_->ze.zeMemFree(context_->handle, reinterpret_cast<void*>(address)),
          fmt::format("releasing the memory at {:#x}", address));
    return true;
}

MemoryInfo Memory::info() const {
    std::lock_guard lock(mutex_);
    return {device_bytes_ - used_, device_bytes_};
}

Slots::~Slots() {
    for (uint8_t* chunk : chunks_) context_->ze.zeMemFree(context_->handle, chunk);
}

uint8_t* Slots::allocate(size_t bytes) {
    const ze_host_mem_alloc_desc_t description;
    void* memory = nullptr;
    check(context_->ze.zeMemAllocHost(context_->handle, &description, bytes, 64, &memory),
          fmt::format("allocating {} bytes of host memory", bytes));
    return static_cast<uint8_t*>(memory);
}

std::shared_ptr<uint8_t> Slots::take(size_t bytes) {
    auto fits = std::find_if(classes_.begin(), classes_.end(), [&](const SizeClass& c) { return bytes <= c.bytes; });
    if (fits == classes_.end())
        throw Error(Status::not_supported, fmt::format("level_zero: {} bytes of kernel parameters", bytes));
    SizeClass& size_class = *fits;
    uint8_t* slot = nullptr;
    {
        std::lock_guard lock(mutex_);
        if (size_class.free.empty()) {
            uint8_t* chunk = allocate(chunk_bytes);
            chunks_.push_back(chunk);
            for (size_t at = 0; at < chunk_bytes; at += size_class.bytes) size_class.free.push_back(chunk + at);
        }
        slot = size_class.free.back();
        size_class.free.pop_back();
    }
    return {slot, [self = shared_from_this(), &size_class](uint8_t* piece) {
                std::lock_guard lock(self->mutex_);
                size_class.free.push_back(piece);
            }};
}

} // namespace rt::backend::level_zero
