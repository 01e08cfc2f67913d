#pragma once

#include "backend/backend.h"
#include "backend/gpu/group.h"
#include "backend/level_zero/builder.h"
#include "backend/level_zero/events.h"
#include "backend/level_zero/loader.h"

#include <map>
#include <mutex>

namespace rt::backend::level_zero {

/// Lanes of a sub-group.
constexpr uint32_t warp_size = 32;

/// Addresses that a kernel gets: of its packed parameters, 0 when there are none; with KernelInfo::uses_services those
/// of ptx/gpu_services.h; with KernelInfo::uses_cluster that of a ptx::gpu::ClusterLaunch.
struct Addresses {
    uint64_t parameters = 0, services = 0, workspace = 0, cluster = 0;
};

/// A kernel of a module. Its arguments are state of Level Zero's kernel, so setting them and launching is one step.
class ZeKernel : public Kernel {
  public:
    /// Throws when the driver lacks the kernel, or compiled it for warps of another width than 32.
    ZeKernel(std::shared_ptr<Context> context, std::shared_ptr<const Events> events, ze_module_handle_t module,
             const ptx::KernelInfo& info, bool launches);
    ~ZeKernel() override;

    const ptx::KernelInfo& info() const override { return info_; }
    bool launches() const { return launches_; } ///< other kernels, perhaps
    /// Hands the kernel to `append` with its arguments set (docs/neutral_ir.md, "SPIR-V").
    template <class F>
    void with_arguments(const Launch& launch, const gpu::Group& group, const Addresses& addresses, F&& append) {
        std::lock_guard lock(mutex_);
        set_arguments(launch, group, addresses);
        append(handle_);
    }

    /// How many groups of so many threads the driver keeps on the whole device at a time, if launched as cooperative.
    uint32_t most_groups_at_once(uint32_t threads, uint32_t dynamic_shared_bytes);

  private:
    void set_shared(uint32_t dynamic_bytes);
    void set_arguments(const Launch& launch, const gpu::Group& group, const Addresses& addresses);

    const std::shared_ptr<Context> context_;
    const std::shared_ptr<const Events> events_;
    const ptx::KernelInfo& info_;
    const bool launches_;
    const std::vector<ptx::ParameterInfo> passed_; ///< by value
    std::mutex mutex_;
    ze_kernel_handle_t handle_ = nullptr;
};

/// A module made from an image of SPIR-V.
class ZeCode : public Code {
  public:
    /// Throws Error{invalid_image} with the driver's build log.
    ZeCode(std::shared_ptr<Context> context, std::shared_ptr<const Events> events, const Builder& builder,
           std::shared_ptr<const ptx::Image> image);
    ~ZeCode() override; ///< does nothing on a lost device, whose kernels may still run

    Kernel* kernel(const std::string& name) override;
    /// A function's number, by which kernels choose (docs/neutral_ir.md, "SPIR-V").
    uint64_t function_address(const std::string& name) override;

  private:
    bool take_kept(const Builder& builder); ///< false: there is none that works
    void make_kernels();                    ///< destroys the module when it fails

    const std::shared_ptr<Context> context_;
    const std::shared_ptr<const Events> events_;
    const std::shared_ptr<const ptx::Image> image_;
    ze_module_handle_t module_ = nullptr;
    std::map<std::string, std::unique_ptr<ZeKernel>> kernels_;
};

} // namespace rt::backend::level_zero
