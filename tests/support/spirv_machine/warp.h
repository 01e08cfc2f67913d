#pragma once

#include "module.h"

#include <bit>

namespace spirv_machine {

/// Ends the launch, with one line that says why.
struct Stop : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// What a group's warps share.
struct Group {
    std::array<uint32_t, 3> id{}, size{}, groups{};
    uint32_t threads = 0, warps = 0;
    std::vector<uint8_t> memory;      ///< of the group
    uint64_t memory_address = 0;      ///< aligned
    const std::vector<Range>* device; ///< memory that kernels may reach
};

class Warp {
  public:
    enum class State : uint8_t { running, at_barrier, ended };

    /// `arguments`: the value of each parameter, or the address of its part of the group's memory.
    Warp(const Module&, const Kernel&, const Group&, uint32_t number, const std::vector<uint64_t>& arguments);

    /// Runs until it ends, comes to a barrier of the group, or has done some work.
    void run();

    const Lanes& at(Row row) const { return row >= 0 ? rows_[size_t(row)] : module.constants()[size_t(~row)]; }
    Lanes& to(Row row) { return rows_[size_t(row)]; }
    /// Of a value's scalar number `i`.
    static Row scalar(Row first, uint32_t i) { return first >= 0 ? first + Row(i) : first - Row(i); }
    const Lanes& operand(const Instruction& in, size_t number, uint32_t i = 0) const {
        return at(scalar(in.operands[number], i));
    }

    /// f(lane) for the lanes that take part now.
    template <class F> void each_lane(F&& f) const {
        if (mask == ~0u)
            for (unsigned lane = 0; lane < lanes; lane++) f(lane);
        else
            for (uint32_t rest = mask; rest; rest &= rest - 1) f(unsigned(std::countr_zero(rest)));
    }

    /// Stops unless a lane may reach [address, address + bytes), which is aligned to `alignment`.
    void check(const Instruction&, uint64_t address, uint64_t bytes, uint64_t alignment);
    /// The storage class of what a generic address points to.
    StorageClass storage_of(uint64_t address) const;
    /// The value of an operand that must be the same in all lanes: scopes.
    uint32_t uniform(const Instruction&, size_t number) const;
    [[noreturn]] void stop(const std::string& why) const;

    const Module& module;
    const Kernel& kernel;
    const Group& group;
    const uint32_t number;
    uint32_t mask = 0; ///< lanes that take part
    State state = State::running;
    uint64_t executed = 0; ///< instructions, each of all lanes that take part

  private:
    void set_built_in(const Variable&);
    void initialise(const Variable&);
    void leave_block(const Block&);
    void go(uint32_t lanes_going, const Edge&);
    void choose_block();

    std::vector<Lanes> rows_;
    std::vector<uint8_t> private_;
    uint64_t private_address_ = 0, private_end_ = 0;
    std::array<uint32_t, lanes> place_{}; ///< the block that a lane runs next
    uint32_t live_ = 0;
    uint32_t block_ = 0;
    size_t next_ = 0; ///< instruction
    Range recent_{1, 0};
    std::vector<uint64_t> moved_;
};

} // namespace spirv_machine
