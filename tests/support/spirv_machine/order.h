#pragma once

#include <cstdint>
#include <vector>

namespace spirv_machine {

struct Place {
    uint32_t block;
    bool latch; ///< where lanes that go back to `block`, the head of a loop, wait for those that are still in the loop
};

/// The blocks of a function in an order such that a warp that always runs the lanes at the first place next brings them
/// together where their ways meet: predecessors first, but for edges back to a loop's head, and all of a loop before
/// what follows it. A loop ends with its latch, through which its edges back to the head must be led. `successors` of
/// each block; block 0 is the entry. What cannot be reached is left out.
std::vector<Place> meeting_order(const std::vector<std::vector<uint32_t>>& successors);

} // namespace spirv_machine
