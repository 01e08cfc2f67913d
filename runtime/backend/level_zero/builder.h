#pragma once

#include "backend/backend.h"
#include "backend/level_zero/loader.h"

#include <memory>
#include <string>

namespace rt::backend::level_zero {

/// Makes modules of images for one device: the driver compiles their SPIR-V, which takes it long, or takes what it
/// compiled in an earlier process. The caller destroys the modules. Thread safe.
class Builder {
  public:
    Builder(std::shared_ptr<Context> context, ze_device_handle_t device);
    /// Where binaries are kept. Without, nothing is. Before the first module.
    void keep_in(BinaryStore& store) { store_ = &store; }

    /// From SPIR-V. Throws Error{invalid_image} with the driver's build log.
    ze_module_handle_t build(const ptx::Image& image) const;
    /// From the binary that was kept; null when there is none. Throws when the driver refuses it.
    ze_module_handle_t find(const ptx::Image& image) const;
    void keep(ze_module_handle_t module, const ptx::Image& image) const;
    /// The binary that was kept is of no use, for a reason that is logged.
    void forget(const ptx::Image& image, const std::string& reason) const;

  private:
    const std::shared_ptr<Context> context_;
    const ze_device_handle_t device_;
    const std::string compiler_; ///< all that the driver's code depends on, but for the SPIR-V
    BinaryStore* store_ = nullptr;
};

} // namespace rt::backend::level_zero
