#pragma once

#include "backend/cpu/cta.h"
#include "backend/cpu/guard.h"

#include <memory>
#include <string>
#include <vector>

namespace rt::backend::cpu {

class Pool;
class Share;
class Timeline;

/// What a thread needs to execute work: a worker has its own, a host thread that waits borrows one.
class Runner {
  public:
    Runner(Pool& pool, unsigned index, bool worker);
    ~Runner();

    Pool& pool() { return pool_; }
    unsigned index() const { return index_; }
    Guard& guard() { return guard_; }
    Context& home() { return home_; }
    std::string& scratch() { return scratch_; }

    /// Takes part in a job until nothing of it is left for this thread, or at all if its share of the pool has no room.
    void work_on(Job& job);
    /// Whether there is room for this thread in it; null is no share, but the whole pool.
    bool may_enter(const Share* share) const;
    /// Moves a queue forward until it waits for something else; runs its jobs along the way.
    /// `until`: leave it to the workers once that command is done.
    void drive(std::shared_ptr<Timeline> timeline, uint64_t until = ~uint64_t{0});
    /// A queue whose job this thread has just finished: may go on here instead of through the pool.
    bool offer(std::shared_ptr<Timeline> timeline);
    std::shared_ptr<Timeline> take_offer() { return std::move(offer_); }

    Cta& take_cta();
    void give_back(Cta& cta);
    void park(Cta& cta);

  private:
    void work_inside(Job& job);
    bool poll(); ///< goes once round the parked CTAs; true when one got out of the way
    bool has_parked(const Job& job) const;
    bool may_start_beside_parked(Job& job, unsigned rounds) const;
    void wait_a_little(Job& job, unsigned rounds);

    Pool& pool_;
    const unsigned index_;
    const bool worker_;
    Guard guard_;
    Context home_;
    std::vector<std::unique_ptr<Cta>> idle_, parked_;
    std::vector<std::unique_ptr<Cta>> running_;
    std::shared_ptr<Timeline> offer_;
    std::vector<const Share*> shares_; ///< that this thread works in, through jobs inside one another
    unsigned depth_ = 0;
    std::string scratch_;
};

} // namespace rt::backend::cpu
