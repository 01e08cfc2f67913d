#include "backend/device_side/device_runtime.h"

#include <cstdio>
#include <fmt/format.h>

namespace rt::backend {

DeviceRuntime::~DeviceRuntime() {
    drain();
    if (heap_base_ && memory_.release) memory_.release(heap_base_);
}

void DeviceRuntime::set_limits(uint64_t heap, uint64_t printf_buffer) {
    {
        std::lock_guard lock(print_mutex_);
        print_limit_ = printf_buffer;
    }
    std::lock_guard lock(heap_mutex_);
    if (!heap_) heap_limit_ = heap; // the heap of a device that has used it keeps its size
}

int32_t DeviceRuntime::print(std::string& scratch, const char* format, const void* arguments) {
    scratch.clear();
    const int32_t used = format_device(scratch, format, arguments);
    if (scratch.empty()) return used;
    std::lock_guard lock(print_mutex_);
    // As in CUDA, the buffer is a ring: new output takes the place of the oldest.
    if (scratch.size() > print_limit_) scratch.resize(print_limit_);
    buffered_ += scratch.size();
    lines_.emplace_back(scratch);
    while (buffered_ > print_limit_) {
        buffered_ -= lines_.front().size();
        lines_.pop_front();
    }
    printed_.store(true, std::memory_order_release);
    return used;
}

void DeviceRuntime::drain() {
    if (!printed_.load(std::memory_order_acquire)) return;
    std::deque<std::string> lines;
    {
        std::lock_guard lock(print_mutex_);
        lines.swap(lines_);
        buffered_ = 0;
        printed_ = false;
    }
    for (const std::string& line : lines) std::fwrite(line.data(), 1, line.size(), stdout);
    std::fflush(stdout);
}

bool DeviceRuntime::heap_is_there() {
    if (heap_) return true;
    heap_base_ = memory_.allocate(heap_limit_);
    if (!heap_base_) return false;
    heap_ = std::make_unique<FreeSpace>(heap_base_, heap_limit_, 16);
    return true;
}

bool DeviceRuntime::make_heap() {
    std::lock_guard lock(heap_mutex_);
    return heap_is_there();
}

void* DeviceRuntime::malloc(uint64_t bytes) {
    std::lock_guard lock(heap_mutex_);
    return heap_is_there() ? reinterpret_cast<void*>(heap_->take(bytes)) : nullptr;
}

bool DeviceRuntime::free(void* address) {
    if (!address) return true;
    std::lock_guard lock(heap_mutex_);
    return heap_ && heap_->give(reinterpret_cast<uint64_t>(address)) != 0;
}

void report_assertion(std::string& scratch, const Assertion& assertion, const uint32_t (&b)[3],
                      const uint32_t (&t)[3]) {
    scratch.clear();
    fmt::format_to(std::back_inserter(scratch), "{}:{}: {}: block: [{},{},{}], thread: [{},{},{}] Assertion `",
                   assertion.file ? assertion.file : "", assertion.line, assertion.function ? assertion.function : "",
                   b[0], b[1], b[2], t[0], t[1], t[2]);
    // The message has characters of char_size bytes, little endian; what is not ASCII shows as '?'.
    const auto* byte = reinterpret_cast<const unsigned char*>(assertion.message);
    const uint64_t size = assertion.char_size ? assertion.char_size : 1;
    for (; byte; byte += size) {
        bool zero = true, wide = false;
        for (uint64_t i = 0; i < size; i++) zero &= byte[i] == 0, wide |= i > 0 && byte[i] != 0;
        if (zero) break;
        scratch += wide ? '?' : char(*byte);
    }
    scratch += "` failed.\n";
    std::fwrite(scratch.data(), 1, scratch.size(), stderr);
}

} // namespace rt::backend
