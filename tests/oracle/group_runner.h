#pragma once

#include "cases.h"

#include "backend/backend.h"
#include "ptx/image.h"

#include <memory>

namespace oracle {

/// The kernels of a group, translated for a device and loaded there.
class GroupRunner {
  public:
    /// `warp`: in vectors of threads (CUTTLE_CPU_MODE=warp), else one thread after another.
    GroupRunner(rt::backend::Device&, const std::string& group, bool warp);
    ~GroupRunner();
    GroupRunner(const GroupRunner&) = delete;
    GroupRunner& operator=(const GroupRunner&) = delete;

    /// The output of every thread: threads * output_slots slots. Throws std::runtime_error saying why the kernel could
    /// not be translated or run.
    std::vector<uint64_t> run(const Case&);

  private:
    struct Loaded {
        std::shared_ptr<const ptx::Image> image;
        std::unique_ptr<rt::backend::Code> code;
    };
    Loaded load(const std::vector<std::string>& kernels);

    rt::backend::Device& device_;
    const std::string group_;
    const bool warp_;
    Loaded all_; ///< without code where the target makes none of the group as a whole: then each kernel is made alone
    uint64_t in_ = 0, out_ = 0;
};

} // namespace oracle
