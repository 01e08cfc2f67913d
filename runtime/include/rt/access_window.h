#pragma once

#include <cstdint>

namespace rt {

/// CUaccessPolicyWindow, of streams and of kernel nodes: kept, and given back.
struct AccessWindow {
    uint64_t base = 0, bytes = 0;
    float hit_ratio = 0;
    int hit_property = 0, miss_property = 0; ///< CUaccessProperty
};

} // namespace rt
