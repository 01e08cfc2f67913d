#include "backend/cpu/runner.h"

#include "backend/cpu/pool.h"
#include "backend/cpu/share.h"
#include "backend/cpu/timeline.h"

#include <algorithm>
#include <sched.h>

namespace rt::backend::cpu {

namespace {

constexpr size_t kept_idle = 4; ///< places for CTAs that stay allocated
constexpr unsigned deepest = 8; ///< jobs under way at once on one thread

// While every CTA of this thread waits for memory. In rounds over them:
constexpr unsigned before_next_block = 8, between_services = 16, before_other_jobs = 64, before_yield = 64;

} // namespace

Runner::Runner(Pool& pool, unsigned index, bool worker) : pool_(pool), index_(index), worker_(worker) {}

Runner::~Runner() = default;

Cta& Runner::take_cta() {
    if (idle_.empty()) idle_.push_back(std::make_unique<Cta>(*this));
    running_.push_back(std::move(idle_.back()));
    idle_.pop_back();
    return *running_.back();
}

void Runner::give_back(Cta& cta) {
    for (auto* list : {&running_, &parked_}) {
        auto found = std::find_if(list->rbegin(), list->rend(), [&](const auto& each) { return each.get() == &cta; });
        if (found == list->rend()) continue;
        if (idle_.size() < kept_idle) idle_.push_back(std::move(*found));
        list->erase(std::next(found).base());
        return;
    }
}

void Runner::park(Cta& cta) {
    auto found = std::find_if(running_.begin(), running_.end(), [&](const auto& each) { return each.get() == &cta; });
    parked_.push_back(std::move(*found));
    running_.erase(found);
}

bool Runner::poll() {
    bool gone = false;
    for (size_t i = 0; i < parked_.size();) {
        Cta& cta = *parked_[i];
        if (cta.run().poll(*this, cta))
            gone = true; // its place in the list is free: the next one moved here
        else
            i++;
    }
    return gone;
}

bool Runner::has_parked(const Job& job) const {
    return std::any_of(parked_.begin(), parked_.end(), [&](const auto& cta) { return &cta->run() == &job; });
}

bool Runner::may_start_beside_parked(Job& job, unsigned rounds) const {
    if (parked_.empty()) return true;
    auto* grid = dynamic_cast<GridRun*>(&job);
    if (!grid) return true;
    if (!grid->cooperative() && rounds < before_next_block) return false;
    // As many as the device promises to hold at once could all have to be here.
    const auto threads_of = [](const GridRun& run) { return uint64_t{run.threads()} * run.blocks_of_unit(); };
    uint64_t threads = threads_of(*grid);
    for (const auto& cta : parked_) threads += threads_of(cta->run());
    return threads <= pool_.resident_threads() || !has_parked(job);
}

void Runner::wait_a_little(Job& job, unsigned rounds) {
    if (pool_.stopping()) {
        for (const auto& cta : parked_) cta->run().cancel(*this);
        return job.cancel(*this);
    }
    if (rounds == before_next_block) {
        job.keep_order();
        pool_.publish(job.owner().shared_from_this(), 1);
        for (const auto& cta : parked_)
            if (!cta->run().cooperative()) cta->run().kernel().blocks_wait.store(true, std::memory_order_relaxed);
    }
    if (rounds < before_yield)
        __builtin_ia32_pause();
    else if (rounds % 4 == 0)
        sched_yield();
    // What these CTAs wait for may be behind them: another queue's copy, or its kernel.
    if (!worker_ || depth_ >= deepest || rounds % between_services != 0) return;
    if (auto timeline = pool_.take_ready()) return drive(std::move(timeline));
    if (rounds < before_other_jobs) return;
    if (auto timeline = pool_.find_job(*this, &job))
        if (Job* other = timeline->job()) work_on(*other);
}

bool Runner::may_enter(const Share* share) const {
    return !share || share->has_room() || std::find(shares_.begin(), shares_.end(), share) != shares_.end();
}

void Runner::work_on(Job& job) {
    const std::shared_ptr<Share> share = job.owner().share();
    if (!share) return work_inside(job);
    const bool inside = std::find(shares_.begin(), shares_.end(), share.get()) != shares_.end();
    if (!inside && !share->enter()) return pool_.publish(job.owner().shared_from_this(), 1);
    shares_.push_back(share.get());
    work_inside(job);
    shares_.pop_back();
    if (!inside && share->leave()) pool_.room_made();
}

void Runner::work_inside(Job& job) {
    depth_++;
    Chunk chunk;
    for (unsigned rounds = 0;; rounds++) {
        if (!parked_.empty() && poll()) rounds = 0;
        if (may_start_beside_parked(job, rounds)) {
            if (chunk.empty()) job.claim(index_, chunk);
            if (!chunk.empty()) {
                job.run(*this, chunk);
                rounds = 0;
                if (!worker_ || depth_ != 1 || !parked_.empty() || !chunk.empty() || !pool_.wants_attention()) continue;
                if (job.claimable()) pool_.publish(job.owner().shared_from_this(), 0);
                break;
            }
        }
        if (chunk.empty() && !has_parked(job) && !job.claimable()) break;
        wait_a_little(job, rounds);
    }
    depth_--;
}

bool Runner::offer(std::shared_ptr<Timeline> timeline) {
    if (depth_ > 1 || offer_) return false;
    offer_ = std::move(timeline);
    return true;
}

void Runner::drive(std::shared_ptr<Timeline> timeline, uint64_t until) {
    while (timeline) {
        if (!timeline->try_start()) return;
        Job* job = timeline->pump(*this, until);
        if (!job) return;
        work_on(*job);
        if (depth_ > 0) return;
        timeline = take_offer();
    }
}

} // namespace rt::backend::cpu
