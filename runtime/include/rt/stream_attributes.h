#pragma once

#include <cstdint>

namespace rt {

class Stream;

/// cuStreamSetAttribute's, which say how work shall be done and not what: kept, and given back.
struct StreamAttributes {
    uint64_t window_base = 0, window_bytes = 0;
    float hit_ratio = 0;
    int hit_property = 0, miss_property = 0; ///< CUaccessProperty
    int sync_policy = 1;                     ///< CUsynchronizationPolicy
    uint8_t domain_map[2] = {0, 0};          ///< of the default and the remote CUlaunchMemSyncDomain
    int domain = 0;
};

/// Both are thread safe.
StreamAttributes attributes_of(Stream&);
void set_attributes(Stream&, const StreamAttributes&);

} // namespace rt
