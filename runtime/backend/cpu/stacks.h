#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace rt::backend::cpu {

/// Fiber stacks of one size, mapped on demand and kept. Each has a guard page below it. One thread at a time.
class Stacks {
  public:
    explicit Stacks(size_t bytes);
    ~Stacks();
    Stacks(const Stacks&) = delete;
    Stacks& operator=(const Stacks&) = delete;

    size_t bytes() const { return bytes_; }
    size_t usable() const { return bytes_ - largest_colour; }
    /// End of stack number `index`, mapping it if need be; nullptr when the address space is exhausted.
    char* top(size_t index) { return index < tops_.size() || grow(index) ? tops_[index] : nullptr; }
    /// Does the address lie in a guard page of one of these stacks?
    bool in_guard(uintptr_t address) const;

    static constexpr size_t page = 4096;

  private:
    static constexpr size_t colour_step = 448, colours = 8, largest_colour = colour_step * (colours - 1);
    struct Slab {
        char* begin;
        size_t size;
    };
    bool grow(size_t index);
    void map_slab(size_t count);

    const size_t bytes_; ///< of one stack, without its guard page
    std::vector<Slab> slabs_;
    std::vector<char*> tops_;
};

} // namespace rt::backend::cpu
