#pragma once

#include "backend/cpu/cta.h"

#include <memory>
#include <vector>

namespace rt::backend::cpu {

/// The CTAs of one cluster, all on the thread of the first one, which owns this. PTX ISA 2.2.2.
/// Their shared memory lies in windows of 1 << shared_window_bits bytes, one behind the other, so that a .shared
/// address means the same in each of them. Being on one thread, they need no locks among themselves.
class Cluster {
  public:
    explicit Cluster(Runner& runner);
    ~Cluster();
    Cluster(const Cluster&) = delete;
    Cluster& operator=(const Cluster&) = delete;

    /// Makes the CTAs of the cluster numbered `number`, `leader` the first. False when there is no memory for them.
    bool start(GridRun& run, uint64_t number, Cta& leader);
    /// Runs each CTA until all are done or none gets any further.
    Outcome resume();

    uint8_t* base() const { return windows_; }
    uint32_t size() const { return uint32_t(members_.size()); }
    /// The CTA that was run last.
    const Cta& current() const { return *members_[current_]; }
    /// Something that a CTA may wait for has changed.
    void note_progress() { progress_ = true; }

    // The cluster's barrier. A phase ends when every thread that has not exited has arrived.
    uint64_t phase() const { return phase_; }
    void arrive(LaneFiber& lane);
    void thread_gone(LaneFiber& lane);

  private:
    bool reserve_windows(size_t bytes);
    void complete_if_all_arrived();

    Runner& runner_;
    std::vector<Cta*> members_;
    std::vector<bool> done_;
    std::vector<std::unique_ptr<Cta>> others_; ///< all but the leader, kept for the next cluster
    size_t current_ = 0;
    bool progress_ = false;
    uint64_t phase_ = 1;
    uint32_t live_ = 0, arrived_ = 0;

    uint8_t* windows_ = nullptr;
    size_t accessible_ = 0; ///< bytes at the start of each window of `open_windows_`
    uint32_t open_windows_ = 0;
};

} // namespace rt::backend::cpu
