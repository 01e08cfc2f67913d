#pragma once

#include "backend/backend.h"
#include "backend/hip/loader.h"

#include <map>
#include <mutex>

namespace rt::backend::hip {

class HipCode;
class HipDevice;

class HipKernel : public Kernel {
  public:
    HipKernel(HipCode& code, hipFunction_t handle, const ptx::KernelInfo& info, bool launches)
        : code_(code), handle_(handle), info_(info), launches_(launches) {}

    const ptx::KernelInfo& info() const override { return info_; }
    hipFunction_t handle() const { return handle_; }
    HipCode& code() const { return code_; }
    bool launches() const { return launches_; } ///< other kernels, perhaps

  private:
    HipCode& code_;
    const hipFunction_t handle_;
    const ptx::KernelInfo& info_;
    const bool launches_;
};

/// A loaded code object.
class HipCode : public Code {
  public:
    /// On the current device. Throws Error{invalid_image} for code that the runtime does not take.
    HipCode(const HipDevice& device, std::shared_ptr<const ptx::Image> image);
    ~HipCode() override;

    Kernel* kernel(const std::string& name) override;
    uint64_t function_address(const std::string& name) override;
    /// Tells the code where its module's variables are (docs/neutral_ir.md, "AMDGPU"). Before a launch.
    void set_globals(uint64_t address);

  private:
    hipDeviceptr_t variable(const char* name) const; ///< null when the code has none of that name

    const HipDevice& device_;
    const std::shared_ptr<const ptx::Image> image_;
    hipModule_t module_ = nullptr;
    std::map<std::string, std::unique_ptr<HipKernel>> kernels_;
    std::mutex mutex_;
    hipDeviceptr_t globals_variable_ = nullptr; ///< null: the code has no use for it
    uint64_t globals_ = 0;
};

} // namespace rt::backend::hip
