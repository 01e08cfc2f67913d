#pragma once

#include "backend/cpu/code.h"
#include "backend/cpu/fiber.h"
#include "backend/cpu/grid_run.h"
#include "backend/cpu/job.h"
#include "backend/cpu/phase_run.h"
#include "backend/cpu/stacks.h"
#include "ptx/host_abi.h"

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace rt::backend::cpu {

/// What lanes of a warp do together; lanes meet when kind and member mask are the same.
enum class Meet : uint8_t { sync, shuffle, vote, match_any, match_all, reduce, exchange, collective };

enum class LaneState : uint8_t {
    ready,
    barrier,
    meeting,
    active_mask,
    spinning,
    grid_barrier,
    cluster_barrier,
    exited
};

/// A CUDA thread on a fiber. Begins with what generated code sees, so that a Lane* is also a LaneFiber*.
struct LaneFiber {
    ptx::host::Lane lane{};
    Context context;
    LaneFiber* next = nullptr; ///< in the one list that it is on
    char* stack_top = nullptr;
    uint64_t value = 0; ///< argument and result of the service it waits in
    uint64_t result = 0;
    const void* compute = nullptr; ///< of a collective
    uint32_t operation = 0, detail = 0, clamp = 0;
    int32_t patience = 0;       ///< calls of spin() before it gives way
    uint64_t error_owner = 0;   ///< the thread that `error` is of: a fiber may run one after another
    uint32_t error = 0;         ///< cudaGetLastError()
    const void* site = nullptr; ///< where active_mask was called from
    uint64_t cluster_phase = 0; ///< of the cluster's barrier, at which it arrived last
    uint16_t index = 0;
    LaneState state = LaneState::ready;
    Meet meet = Meet::sync;

    uint32_t bit() const { return 1u << (index % 32); }
};

/// A queue of lanes, linked through themselves.
struct LaneList {
    LaneFiber *head = nullptr, *tail = nullptr;
    bool empty() const { return !head; }
    void push(LaneFiber& lane) {
        lane.next = nullptr;
        (tail ? tail->next : head) = &lane;
        tail = &lane;
    }
    LaneFiber* pop() {
        LaneFiber* lane = head;
        if (lane && !(head = lane->next)) tail = nullptr;
        return lane;
    }
    void append(LaneList& other) {
        if (!other.head) return;
        (tail ? tail->next : head) = other.head;
        tail = other.tail;
        other = {};
    }
};

/// Why a CTA gave the thread back.
enum class Outcome : uint8_t {
    finished,
    waiting, ///< for memory that another CTA, or the host, writes, or for the grid's barrier
    stuck,   ///< its lanes wait for each other and nothing can help: a GPU would hang
    stopped, ///< a lane trapped, or the run was cancelled
    faulted, ///< see Guard::trouble
};

class Cluster;

/// A CTA's place in its cluster, if it has to do with one.
struct Membership {
    Cluster* cluster = nullptr;
    uint32_t rank = 0;
};

/// A CTA in flight on one thread, or its place, which is used again for the next one.
/// A kernel that does not synchronise runs whole CTAs on one fiber, the others have a fiber for each CUDA thread.
class Cta {
  public:
    explicit Cta(Runner& runner);
    ~Cta();
    Cta(const Cta&) = delete;
    Cta& operator=(const Cta&) = delete;

    /// All return false when there is no memory for it.
    bool start_lanes(GridRun& run, Dim3 block, Membership membership = {});
    bool start_blocks(GridRun& run, Chunk& chunk);     ///< takes CTAs from the chunk as long as none has to wait
    bool start_cluster(GridRun& run, uint64_t number); ///< this one and the others of its cluster
    Outcome resume();
    /// This CTA alone, of a cluster.
    Outcome resume_lanes();
    /// Blocks completed since asked last.
    uint64_t take_done() { return std::exchange(done_, 0); }
    /// Forgets what was under way.
    void abandon();

    GridRun& run() { return *run_; }
    Runner& runner() { return runner_; }
    const LaneFiber* current() const { return current_; }
    /// The CTA of the cluster that ran last, this one without a cluster.
    const Cta& running() const;
    LaneFiber& current_lane() { return *current_; } ///< for services
    bool in_stack_guard(uintptr_t address) const;
    std::string describe_stuck() const;

    // For services, on the fiber of `self`.
    static Cta& of(ptx::host::Lane* lane) { return *static_cast<Cta*>(lane->runtime); }
    bool whole_blocks() const { return whole_blocks_; }
    void barrier(LaneFiber& self, uint32_t id, uint32_t count, bool wait);
    uint32_t barrier_reduce(LaneFiber& self, uint32_t id, uint32_t count, uint32_t operation, bool predicate);
    /// Returns when all of `mask` came. Arguments lie in, and results come back in, the lanes' fields.
    void meet(LaneFiber& self, Meet kind, uint32_t mask);
    uint32_t active_mask(LaneFiber& self, const void* site);
    void spin(LaneFiber& self, bool at_once);
    void grid_barrier(LaneFiber& self);
    void cluster_arrive(LaneFiber& self);
    void cluster_wait(LaneFiber& self);
    void release_cluster_barrier();
    /// The generic address in the CTA numbered `rank` of what `address` is in this one.
    uint64_t in_cluster(uint64_t address, uint32_t rank) const;
    /// Lets others run once; the lane then looks again at what it waits for.
    void pause(LaneFiber& self);
    /// Something has happened that lanes of this cluster may pause for.
    void note_progress();
    [[noreturn]] void exit(LaneFiber& self);
    [[noreturn]] void stop(Outcome outcome);

  private:
    static constexpr unsigned max_warps = 32, barriers = 16;
    struct Meeting {
        uint32_t mask = 0, arrived = 0;
        Meet kind = Meet::sync;
        LaneList waiting;
    };
    struct Warp {
        uint32_t live = 0;     ///< lanes that exist and have not exited
        uint32_t meetings = 0; ///< entries of `meeting` in use
        LaneList parked;       ///< in active_mask
        std::array<Meeting, 32> meeting;
    };
    struct Barrier {
        uint32_t arrived = 0, expected = 0;
        bool simple = true; ///< all threads, none of them by arrive: counting is enough
        bool reducing = false;
        uint32_t popc = 0;
        bool all = true, any = false;
        LaneList waiting;
        std::array<uint32_t, max_warps> warps; ///< who arrived; only when not simple
    };

    static void lane_main(void* lane);
    static void block_main(void* cta);
    void run_blocks();
    bool next_block();
    void keep_run_blocks();
    LaneFiber* begin_lane(char* stack_top);
    LaneFiber* pick();
    void suspend(LaneFiber& self);
    void go_home(Context& from, Outcome outcome, bool last = false);
    LaneFiber* retire(LaneFiber& lane);
    void lane_gone(LaneFiber& lane);
    void release_parked();
    void complete_meeting(Warp& warp, uint32_t index);
    Barrier& barrier_at(LaneFiber& self, uint32_t id);
    void barrier_enter(Barrier& barrier, LaneFiber& self, uint32_t count, bool wait);
    bool barrier_complete(const Barrier& barrier) const;
    void barrier_release(Barrier& barrier, LaneFiber* last);
    void barrier_count_exactly(Barrier& barrier);
    bool reserve_lanes(uint32_t lanes);
    bool reserve_shared(size_t bytes);
    bool reserve_stacks(std::unique_ptr<Stacks>& stacks, size_t bytes, uint32_t count);
    void fill_lane(LaneFiber& lane, Dim3 block);
    LaneFiber* warp_lanes(uint32_t warp) { return lanes_.get() + warp * 32; }

    Runner& runner_;
    GridRun* run_ = nullptr;
    LaneFiber* current_ = nullptr;
    LaneList ready_;
    uint32_t threads_ = 0, started_ = 0, live_ = 0, parked_ = 0, spinning_ = 0;
    uint32_t active_barriers_ = 0; ///< bit set
    bool progress_ = false, whole_blocks_ = false, detached_ = false;
    Outcome outcome_ = Outcome::finished;
    LaneList spinners_;
    LaneList at_grid_barrier_;
    LaneList at_cluster_barrier_;
    uint32_t grid_arrived_ = 0;
    uint64_t grid_generation_ = 0;
    uint64_t done_ = 0, blocks_ = 1; ///< completed; of the chunk, in one call of S.block
    Chunk* chunk_ = nullptr;
    uint32_t next_thread_[3] = {};
    Dim3 block_;
    unsigned rounds_at_home_ = 0;

    std::unique_ptr<LaneFiber[]> lanes_;
    uint32_t capacity_ = 0;
    std::unique_ptr<Warp[]> warps_;
    std::array<Barrier, barriers> barrier_;
    std::unique_ptr<Stacks> stacks_, block_stack_;
    size_t stacks_used_ = 0;
    std::vector<char*> spare_stacks_;
    PhaseRun phases_;
    bool block_fiber_alive_ = false; ///< block_context_ waits for the next CTA
    Context block_context_;
    Context nowhere_; ///< what an exited lane leaves behind

    Membership membership_;
    std::unique_ptr<Cluster> cluster_; ///< when this is the first CTA of one, and kept for the next

    uint8_t* shared_ = nullptr;
    size_t shared_capacity_ = 0, shared_mapping_ = 0;
};

} // namespace rt::backend::cpu
