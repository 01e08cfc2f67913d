#pragma once

#include "rt/access_window.h"

#include <cstdint>

namespace rt {

class Stream;

/// cuStreamSetAttribute's, which say how work shall be done and not what: kept, and given back.
struct StreamAttributes {
    AccessWindow window;
    int sync_policy = 1;            ///< CUsynchronizationPolicy
    uint8_t domain_map[2] = {0, 0}; ///< of the default and the remote CUlaunchMemSyncDomain
    int domain = 0;
};

/// Both are thread safe.
StreamAttributes attributes_of(Stream&);
void set_attributes(Stream&, const StreamAttributes&);

} // namespace rt
