#pragma once

#include "wave.h"

namespace amdgpu {

/// Whether [address, address + bytes) is memory that the device may reach.
inline bool reachable(const Wave& wave, uint64_t address, uint64_t bytes) {
    Range& recent = wave.recent;
    if (address >= recent.begin && address + bytes <= recent.end) return true;
    for (const Range& range : wave.group.memory) {
        if (address < range.begin || address + bytes > range.end) continue;
        recent = range;
        return true;
    }
    return false;
}

/// Stops the wave unless the access is allowed and aligned to `alignment`.
void check_access(const Wave& wave, const Instruction& in, uint64_t address, uint64_t bytes);

} // namespace amdgpu
