#pragma once

#include "backend/backend.h"
#include "ptx/host_abi.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>

namespace rt::backend::cpu {

class CpuKernel : public Kernel {
  public:
    using Entry = void (*)(ptx::host::Lane*);

    using Phase = uint32_t (*)(ptx::host::Lane*, uint32_t phase, const ptx::host::PhaseBox*);
    using Chain = uint32_t (*)(ptx::host::Lane*, uint32_t phase);

    CpuKernel(const ptx::KernelInfo& info, Entry thread, Entry block, Phase phase, Chain chain,
              const ptx::host::PhaseCut* cuts, std::shared_ptr<ptx::host::Counts> counts)
        : info_(info), thread_(thread), block_(block), phase_(phase), chain_(chain), cuts_(cuts),
          counts_(std::move(counts)) {}
    const ptx::KernelInfo& info() const override { return info_; }
    /// What the code offers, else nullptr: see host_abi.h. Without block and phase each thread needs a fiber.
    Entry thread() const { return thread_; }
    Entry block() const { return block_; }
    Phase phase() const { return phase_; }
    Chain chain() const { return chain_; }
    const ptx::host::PhaseCut* cuts() const { return cuts_; }
    std::shared_ptr<const ptx::host::Counts> counts() const override { return counts_; }
    /// How many threads of consecutive CTAs S.block had better be given at once.
    uint32_t together() const { return together_; }
    void set_together(uint32_t threads) { together_ = threads; }
    /// All threads of a CTA have met at a barrier.
    void count_barrier() const {
        if (counts_) [[unlikely]]
            std::atomic_ref(counts_->barriers).fetch_add(1, std::memory_order_relaxed);
    }

    /// Learnt while it runs. How long a CTA takes, 0 = not known yet; whether CTAs wait for each other.
    std::atomic<uint32_t> nanoseconds_per_block{0};
    std::atomic<bool> blocks_wait{false};

  private:
    const ptx::KernelInfo& info_;
    Entry thread_, block_;
    Phase phase_;
    Chain chain_;
    const ptx::host::PhaseCut* cuts_;
    std::shared_ptr<ptx::host::Counts> counts_;
    uint32_t together_ = 1;
};

/// A shared object made from an image, loaded privately.
class CpuCode : public Code {
  public:
    /// Throws Error{invalid_image} when the object cannot be loaded or lacks a symbol it promises.
    explicit CpuCode(std::shared_ptr<const ptx::Image> image);
    ~CpuCode() override;

    Kernel* kernel(const std::string& name) override;
    uint64_t function_address(const std::string& name) override;

  private:
    void* symbol(const std::string& name) const; ///< throws when there is none

    std::shared_ptr<const ptx::Image> image_;
    void* handle_ = nullptr;
    std::map<std::string, std::unique_ptr<CpuKernel>> kernels_;
};

} // namespace rt::backend::cpu
