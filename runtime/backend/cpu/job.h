#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

namespace rt::backend::cpu {

class Runner;
class Timeline;

/// Units of a job that one thread has taken: [first, last).
struct Chunk {
    uint64_t first = 0, last = 0;
    bool empty() const { return first >= last; }
    uint64_t size() const { return last - first; }
};

/// Work in numbered units that several threads share: the CTAs of a grid, the pieces of a large copy.
/// The units are split into one contiguous range per thread; who runs dry takes from the others' ranges.
/// A job object is used again for the next work of its queue, possibly while a thread that came late is still trying to
/// claim: counters of a finished job stand beyond every end, and the next work waits for who has begun to claim.
class Job {
  public:
    /// `owner`: the queue whose work it is.
    Job(Timeline& owner, unsigned slots);
    virtual ~Job() = default;

    /// Takes units for the thread numbered `participant`.
    bool claim(unsigned participant, Chunk& chunk);
    bool claimable() const;
    /// From now on units are handed out in order of their numbers, whoever asks.
    void keep_order() { ordered_.store(true, std::memory_order_relaxed); }
    bool ordered() const { return ordered_.load(std::memory_order_relaxed); }
    bool cancelled() const { return cancelled_.load(std::memory_order_relaxed); }
    /// A byte that is not 0 once it is cancelled, for generated code.
    const uint8_t* cancelled_byte() const {
        static_assert(sizeof cancelled_ == 1);
        return reinterpret_cast<const uint8_t*>(&cancelled_);
    }
    uint64_t units() const { return units_; }
    Timeline& owner() { return owner_; }

    /// Takes units out of the chunk and runs them, all of them or until one has to be parked.
    virtual void run(Runner& runner, Chunk& chunk) = 0;
    /// Says that `units` are done or dropped. After the last ones the queue goes on, and the job may be a new one.
    void finish(uint64_t units, Runner& runner);
    /// Hands out no more units.
    void cancel(Runner& runner);

  protected:
    /// Chunks begin at multiples of `together`, and end there or with the units.
    void open(uint64_t units, unsigned slots, uint64_t chunk_limit, bool ordered, uint64_t together = 1);
    void limit_chunks(uint64_t limit) { chunk_limit_.store(limit, std::memory_order_relaxed); }

  private:
    static constexpr uint64_t closed = uint64_t{1} << 63;
    struct alignas(64) Slot {
        std::atomic<uint64_t> next{closed};
        std::atomic<uint64_t> end{0};
    };
    bool claim_from(Slot& slot, Chunk& chunk);

    Timeline& owner_;
    const unsigned capacity_;
    std::unique_ptr<Slot[]> slots_;
    std::atomic<unsigned> used_{0};
    std::atomic<unsigned> claiming_{0}; ///< threads in claim()
    std::atomic<uint64_t> remaining_{0};
    std::atomic<uint64_t> chunk_limit_{1}, together_{1};
    std::atomic<bool> cancelled_{false}, ordered_{false};
    uint64_t units_ = 0;
};

} // namespace rt::backend::cpu
