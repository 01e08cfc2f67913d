#pragma once

#include <cstdint>
#include <vector>

/// Sets of a device's multiprocessors, known by numbers of their own, so that an application can keep one in a structure
/// of fixed size. CUDA driver API, "Green Contexts". Equal sets have one number; none is ever forgotten. Thread safe.
namespace rt::multiprocessors {

using SetId = uint32_t;

SetId first(uint32_t count); ///< the multiprocessors 0 to count - 1
SetId united(SetId, SetId);
uint32_t count(SetId);

struct Split {
    std::vector<SetId> groups; ///< apart from one another
    SetId rest = 0;            ///< perhaps of none
};
/// As many groups of `size` as there are, but not more than `most`.
Split split(SetId, uint32_t size, uint32_t most);

} // namespace rt::multiprocessors
