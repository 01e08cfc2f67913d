#pragma once

#include "backend/backend.h"

#include <atomic>
#include <mutex>
#include <string>

namespace rt::backend::gpu {

/// The first fault of a queue, which its markers learn of, too. Thread safe.
class Faults {
  public:
    /// Keeps the first one, and logs it.
    void set(Fault fault, const std::string& message);
    Fault get(std::string* message) const;

  private:
    std::atomic<Fault> fault_{Fault::none};
    mutable std::mutex mutex_;
    std::string message_;
};

} // namespace rt::backend::gpu
