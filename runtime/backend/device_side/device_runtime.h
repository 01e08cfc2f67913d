#pragma once

#include "backend/device_side/free_space.h"

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace rt::backend {

/// Appends what CUDA's device printf prints. `arguments`: packed, each aligned to its size, float as double.
/// Returns the number of arguments used; -1 for a null format. CUDA C++ Programming Guide, "Formatted Output".
int32_t format_device(std::string& out, const char* format, const void* arguments);

struct Assertion {
    const char *message, *file, *function;
    uint32_t line;
    uint64_t char_size;
};
/// Writes to stderr. CUDA C++ Programming Guide, "Assertion".
void report_assertion(std::string& scratch, const Assertion& assertion, const uint32_t (&block)[3],
                      const uint32_t (&thread)[3]);

/// printf's buffer and malloc's heap of one device. Thread safe.
class DeviceRuntime {
  public:
    /// Device memory; an allocation that fails gives 0.
    struct Memory {
        std::function<uint64_t(size_t bytes)> allocate;
        std::function<void(uint64_t address)> release;
    };

    explicit DeviceRuntime(Memory memory) : memory_(std::move(memory)) {}
    ~DeviceRuntime();

    void set_limits(uint64_t heap, uint64_t printf_buffer);

    /// `scratch`: a string of the calling thread; formatting may fault, which must not leave a lock behind.
    int32_t print(std::string& scratch, const char* format, const void* arguments);
    void drain();

    /// Makes the heap, unless it is there; malloc() does so, too.
    bool make_heap();
    /// nullptr when the heap is used up.
    void* malloc(uint64_t bytes);
    bool free(void* address);

  private:
    bool heap_is_there();

    const Memory memory_;
    std::mutex print_mutex_;
    std::deque<std::string> lines_;
    std::atomic<bool> printed_{false};
    size_t buffered_ = 0;
    uint64_t print_limit_ = 1 << 20;

    std::mutex heap_mutex_;
    std::unique_ptr<FreeSpace> heap_;
    uint64_t heap_base_ = 0;
    uint64_t heap_limit_ = 8 << 20;
};

} // namespace rt::backend
