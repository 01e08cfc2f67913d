#pragma once

#include "rt/device.h"

#include <memory>
#include <vector>

namespace rt {

/// The process-wide root: chosen back ends and their devices. CUDA driver API, cuInit.
class Platform {
  public:
    /// Starts the back ends named by the option `devices`. Idempotent, thread safe. Throws no_device when there is
    /// none.
    static void initialize();
    static bool initialized();
    /// Throws Error{not_initialized} before initialize() (or in a forked child of an initialised process).
    static Platform& get();

    int device_count() const { return int(devices_.size()); }
    /// Throws Error{invalid_device}.
    Device& device(int ordinal);

    /// cuDriverGetVersion: 13000 and up (CUTTLE_DRIVER_VERSION). Callable before initialize().
    static int driver_version();

    ~Platform();

  private:
    Platform();
    std::vector<std::unique_ptr<backend::Backend>> backends_;
    std::vector<std::unique_ptr<Device>> devices_;
};

} // namespace rt
