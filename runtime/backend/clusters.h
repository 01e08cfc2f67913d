#pragma once

#include "backend/backend.h"

namespace rt::backend {

/// A Device that also is this runs clusters otherwise than as blocks that are resident together.
class ClusterLimits {
  public:
    virtual ~ClusterLimits() = default;
    /// How many clusters of this shape, of which `launch` is one, can be resident on the device at once; 0 where it does
    /// not fit.
    virtual uint64_t resident_clusters(const Launch& launch) const = 0;
};

} // namespace rt::backend
