#pragma once

#include "backend/hip/loader.h"

namespace rt::backend::hip {

/// A HIP event.
class Event {
  public:
    explicit Event(bool timing);
    ~Event();
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    hipEvent_t handle() const { return handle_; }

  private:
    hipEvent_t handle_ = nullptr;
};

} // namespace rt::backend::hip
