#pragma once

#include "api/types.h"
#include "rt/access_window.h"

namespace shim {

inline rt::AccessWindow access_window(const CUaccessPolicyWindow& given) {
    return {reinterpret_cast<uint64_t>(given.base_ptr), given.num_bytes, given.hitRatio, given.hitProp, given.missProp};
}

inline CUaccessPolicyWindow access_window(const rt::AccessWindow& kept) {
    return {reinterpret_cast<void*>(kept.base), kept.bytes, kept.hit_ratio, kept.hit_property, kept.miss_property};
}

} // namespace shim
