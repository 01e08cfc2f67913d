#pragma once

#include "backend/backend.h"
#include "backend/cpu/cpu.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace cpu_test {

using namespace rt::backend;

Backend& backend();
Device& device();
/// Kernels of kernels.cpp, loaded once.
Kernel& kernel(const std::string& name);
std::shared_ptr<const ptx::Image> image();

/// An array in device memory.
template <class T> class Array {
  public:
    explicit Array(size_t count, T value = {})
        : count_(count), address_(device().allocate(count * sizeof(T), MemoryKind::device)) {
        if (!address_) throw std::runtime_error("no device memory");
        for (size_t i = 0; i < count; i++) data()[i] = value;
    }
    ~Array() { device().release(address_, MemoryKind::device); }
    Array(const Array&) = delete;
    Array& operator=(const Array&) = delete;

    T* data() const { return reinterpret_cast<T*>(address_); }
    T& operator[](size_t i) const { return data()[i]; }
    uint64_t address() const { return address_; }
    size_t size() const { return count_; }

  private:
    size_t count_;
    uint64_t address_;
};

struct Shape {
    Dim3 grid, block;
    uint32_t dynamic_shared_bytes = 0;
    bool cooperative = false;
    Dim3 cluster = {1, 1, 1};
};

void launch(Queue& queue, const std::string& name, Shape shape, const std::vector<uint64_t>& parameters = {});

/// A queue that must come out without a fault.
class Cpu : public testing::Test {
  protected:
    std::unique_ptr<Queue> queue = device().create_queue(0);
    void run(const std::string& name, Shape shape, const std::vector<uint64_t>& parameters = {}) {
        launch(*queue, name, shape, parameters);
        queue->synchronize();
        std::string message;
        ASSERT_EQ(queue->fault(&message), Fault::none) << message;
    }
};

/// Sanitizers make fibers slow and memory large.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr bool sanitized = true;
#else
inline constexpr bool sanitized = false;
#endif
#else
inline constexpr bool sanitized = false;
#endif

/// Milliseconds of a function.
double milliseconds(const std::function<void()>& function);
/// Resident memory of this process in bytes.
size_t resident_bytes();

} // namespace cpu_test
