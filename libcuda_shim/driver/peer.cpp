#include "api/bodies.h"
#include "api/constants.h"
#include "driver/handles.h"

#include <mutex>
#include <set>
#include <utility>

namespace shim {
namespace {

/// Pairs of Context::id: the first may use memory of the second.
struct Access {
    std::mutex mutex;
    std::set<std::pair<uint64_t, uint64_t>> pairs;
};

Access& access() {
    static Access& all = *new Access;
    return all;
}

} // namespace

Status driver::cuDeviceCanAccessPeer(int* can, CUdevice dev, CUdevice peer) {
    out(can, "canAccessPeer") = device_of(dev).reaches(device_of(peer));
    return Status::success;
}

Status driver::cuDeviceGetP2PAttribute(int* value, CUdevice_P2PAttribute attribute, CUdevice from, CUdevice to) {
    out(value, "value");
    rt::Device &source = device_of(from), &destination = device_of(to);
    if (&source == &destination) throw Error(Status::invalid_device, "a device is no peer of its own");
    const bool reached = source.reaches(destination);
    switch (attribute) {
    case CU_DEVICE_P2P_ATTRIBUTE_ACCESS_SUPPORTED:
    case CU_DEVICE_P2P_ATTRIBUTE_NATIVE_ATOMIC_SUPPORTED:
        *value = reached;
        break;
    case CU_DEVICE_P2P_ATTRIBUTE_PERFORMANCE_RANK:
    case CU_DEVICE_P2P_ATTRIBUTE_CUDA_ARRAY_ACCESS_SUPPORTED:
    case CU_DEVICE_P2P_ATTRIBUTE_ONLY_PARTIAL_NATIVE_ATOMIC_SUPPORTED:
        *value = 0;
        break;
    default:
        throw Error(Status::invalid_value, "unknown attribute");
    }
    return Status::success;
}

Status driver::cuCtxEnablePeerAccess(CUcontext handle, unsigned int flags) {
    require_value(flags == 0, "unknown flags");
    rt::Context &own = rt::Context::current(), &peer = context_of(handle);
    if (&own == &peer) throw Error(Status::peer_access_unsupported, "a context is no peer of its own");
    if (!own.device().reaches(peer.device())) {
        throw Error(Status::peer_access_unsupported, "no access between these devices");
    }
    Access& all = access();
    std::lock_guard lock(all.mutex);
    const std::pair pair(own.id(), peer.id());
    if (all.pairs.contains(pair)) return Status::peer_access_already_enabled;
    own.device().backend().let_reach(peer.device().backend(), true);
    all.pairs.insert(pair);
    return Status::success;
}

Status driver::cuCtxDisablePeerAccess(CUcontext handle) {
    rt::Context &own = rt::Context::current(), &peer = context_of(handle);
    Access& all = access();
    std::lock_guard lock(all.mutex);
    if (!all.pairs.erase({own.id(), peer.id()})) return Status::peer_access_not_enabled;
    own.device().backend().let_reach(peer.device().backend(), false);
    return Status::success;
}

} // namespace shim
