// PTX ISA 2.2.2 and 9.7.13.3: clusters, their barrier, and the shared memory of their CTAs.
#include "backend/cpu/cluster.h"

#include "backend/cpu/runner.h"

#include <algorithm>
#include <sys/mman.h>

namespace rt::backend::cpu {

namespace {

constexpr size_t window = size_t{1} << ptx::host::shared_window_bits;
/// Before the first window too nothing may be touched.
constexpr size_t mapping = window * ptx::host::max_cluster_blocks + Stacks::page;

Dim3 place_of(uint64_t number, Dim3 extent) {
    return {uint32_t(number % extent.x), uint32_t(number / extent.x % extent.y),
            uint32_t(number / extent.x / extent.y)};
}

} // namespace

Cluster::Cluster(Runner& runner) : runner_(runner) {}

Cluster::~Cluster() {
    if (windows_) munmap(windows_ - Stacks::page, mapping);
}

bool Cluster::reserve_windows(size_t bytes) {
    if (!windows_) {
        void* memory = mmap(nullptr, mapping, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) return false;
        windows_ = static_cast<uint8_t*>(memory) + Stacks::page;
    }
    bytes = (std::max<size_t>(bytes, 1) + Stacks::page - 1) / Stacks::page * Stacks::page;
    if (bytes == accessible_ && size() == open_windows_) return true;
    for (uint32_t rank = 0; rank < ptx::host::max_cluster_blocks; rank++) {
        uint8_t* begin = windows_ + rank * window;
        const size_t open = rank < size() ? bytes : 0;
        if (open && mprotect(begin, open, PROT_READ | PROT_WRITE)) return false;
        if (rank < open_windows_ && accessible_ > open && mprotect(begin + open, accessible_ - open, PROT_NONE))
            return false;
    }
    accessible_ = bytes;
    open_windows_ = size();
    return true;
}

bool Cluster::start(GridRun& run, uint64_t number, Cta& leader) {
    const Dim3 extent = run.launch().cluster, grid = run.launch().grid;
    const Dim3 clusters{grid.x / extent.x, grid.y / extent.y, grid.z / extent.z};
    const Dim3 place = place_of(number, clusters);
    const size_t count = extent.count();
    while (others_.size() + 1 < count) others_.push_back(std::make_unique<Cta>(runner_));
    members_.assign(1, &leader);
    for (size_t i = 1; i < count; i++) members_.push_back(others_[i - 1].get());
    done_.assign(count, false);
    progress_ = true;
    phase_++;
    arrived_ = 0;
    live_ = run.threads() * uint32_t(count);
    if (!reserve_windows(run.shared_bytes())) return false;
    for (uint32_t rank = 0; rank < count; rank++) {
        const Dim3 inside = place_of(rank, extent);
        const Dim3 block{place.x * extent.x + inside.x, place.y * extent.y + inside.y, place.z * extent.z + inside.z};
        if (!members_[rank]->start_lanes(run, block, {this, rank})) return false;
    }
    return true;
}

Outcome Cluster::resume() {
    bool waits = false;
    progress_ = true;
    while (progress_) {
        progress_ = waits = false;
        bool all_done = true;
        for (current_ = 0; current_ < members_.size(); current_++) {
            if (done_[current_]) continue;
            const Outcome outcome = members_[current_]->resume_lanes();
            if (outcome == Outcome::stopped || outcome == Outcome::faulted) return outcome;
            if (outcome == Outcome::finished) {
                done_[current_] = progress_ = true;
                // Others of the cluster may wait at the grid's barrier, which counts CTAs.
                GridRun& run = members_[current_]->run();
                if (run.cooperative()) run.grid_leave(1);
            } else {
                all_done = false;
            }
            waits |= outcome == Outcome::waiting;
        }
        current_ = 0;
        if (all_done) return Outcome::finished;
    }
    return waits ? Outcome::waiting : Outcome::stuck;
}

void Cluster::arrive(LaneFiber& lane) {
    if (lane.cluster_phase == phase_) return; // twice without a wait is undefined: once is enough
    lane.cluster_phase = phase_;
    arrived_++;
    complete_if_all_arrived();
}

void Cluster::thread_gone(LaneFiber& lane) {
    live_--;
    if (lane.cluster_phase == phase_) arrived_--;
    complete_if_all_arrived();
}

void Cluster::complete_if_all_arrived() {
    if (!live_ || arrived_ != live_) return;
    phase_++;
    arrived_ = 0;
    progress_ = true;
    for (Cta* cta : members_) cta->release_cluster_barrier();
}

} // namespace rt::backend::cpu
