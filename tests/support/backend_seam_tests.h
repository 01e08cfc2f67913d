#pragma once

#include "backend/backend.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

/// What every back end must do at the seam (backend/backend.h): memory, order, markers, host calls. A test program
/// links backend_seam_tests.cpp, says which back end is tested, and adds tests of its own with the same fixture.
namespace seam {

/// Called once; the back end is never destroyed, as in the runtime.
std::unique_ptr<rt::backend::Backend> create_tested_backend();

/// A queue on the back end's only device, which must be without fault in the end.
class Seam : public testing::Test {
  public:
    static rt::backend::Backend& vendor();
    static rt::backend::Device& device() { return *vendor().devices().front(); }

  protected:
    void SetUp() override;
    void TearDown() override;
    std::vector<uint8_t> bytes_at(uint64_t address, size_t count);

    std::unique_ptr<rt::backend::Queue> queue;
};

/// Memory of the device for one test.
struct Buffer {
    Buffer(rt::backend::Device& device, size_t bytes, rt::backend::MemoryKind kind = rt::backend::MemoryKind::device);
    ~Buffer() { device.release(address, kind); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;
    rt::backend::Device& device;
    rt::backend::MemoryKind kind;
    uint64_t address;
};

inline uint64_t host(const void* pointer) { return reinterpret_cast<uint64_t>(pointer); }

} // namespace seam
