// CUDA driver API, CUfunction_attribute.
#include "core/launch_limits.h"
#include "rt/context.h"
#include "support/log.h"

#include <cctype>
#include <cstdlib>

namespace rt {
namespace {

// "sm_90a" -> 90.
int architecture_of(const std::string& target) {
    size_t digit = target.find_first_of("0123456789");
    return digit == target.npos ? 0 : std::atoi(target.c_str() + digit);
}

uint64_t constant_bytes(const ptx::ModuleInfo& info) {
    uint64_t bytes = 0;
    for (auto& global : info.globals)
        if (global.constant) bytes += global.size;
    return bytes;
}

enum Number : int {
    max_threads_per_block,
    shared_size_bytes,
    const_size_bytes,
    local_size_bytes,
    num_regs,
    ptx_version,
    binary_version,
    cache_mode_ca,
    max_dynamic_shared_size_bytes,
    preferred_shared_memory_carveout,
    cluster_size_must_be_set,
    required_cluster_width,
    required_cluster_height,
    required_cluster_depth,
    non_portable_cluster_size_allowed,
    cluster_scheduling_policy_preference,
};

} // namespace

int Function::attribute(int attribute) {
    const auto& device = module_.context().device();
    switch (attribute) {
    case max_threads_per_block:
        return int(max_threads_of(*this));
    case shared_size_bytes:
        return int(resolve().info().static_shared_bytes);
    case const_size_bytes:
        return int(constant_bytes(module_.info()));
    case local_size_bytes:
        return int(resolve().info().local_bytes);
    case num_regs:
        return int(resolve().info().registers);
    case ptx_version:
        return architecture_of(module_.info().target);
    case binary_version:
        return device.compute_capability();
    case cache_mode_ca:
        return 0;
    case max_dynamic_shared_size_bytes: {
        const int set = max_dynamic_shared_.load(std::memory_order_relaxed);
        if (set >= 0) return set;
        const int left = int(device.facts().shared_bytes_per_block) - int(resolve().info().static_shared_bytes);
        return left > 0 ? left : 0;
    }
    case preferred_shared_memory_carveout:
        return carveout_;
    case cluster_size_must_be_set:
        return info_.explicit_cluster;
    case required_cluster_width:
    case required_cluster_height:
    case required_cluster_depth: {
        const int axis = attribute - required_cluster_width;
        return info_.cluster[0] ? int(info_.cluster[size_t(axis)]) : cluster_[axis].load();
    }
    case non_portable_cluster_size_allowed:
        return non_portable_cluster_;
    case cluster_scheduling_policy_preference:
        return cluster_policy_;
    }
    throw Error(Status::invalid_value, fmt::format("function attribute {} is not known", attribute));
}

void Function::set_attribute(int attribute, int value) {
    switch (attribute) {
    case max_dynamic_shared_size_bytes: {
        const auto& facts = module_.context().device().facts();
        const int64_t most = int64_t(facts.shared_bytes_per_block_optin) - resolve().info().static_shared_bytes;
        if (value < 0 || value > most)
            throw Error(Status::invalid_value,
                        fmt::format("{}: {} bytes of dynamic shared memory, the device has {}", name(), value, most));
        max_dynamic_shared_ = value;
        return;
    }
    case preferred_shared_memory_carveout:
        if (value < -1 || value > 100) throw Error(Status::invalid_value, "a carve-out is -1 or a percentage");
        carveout_ = value; // a hint, and no device of ours divides a cache
        return;
    case required_cluster_width:
    case required_cluster_height:
    case required_cluster_depth: {
        const int axis = attribute - required_cluster_width;
        if (value < 0 || (info_.cluster[0] && value != int(info_.cluster[size_t(axis)])))
            throw Error(Status::invalid_value, fmt::format("{}: a cluster of {} along axis {}", name(), value, axis));
        cluster_[axis] = value;
        return;
    }
    case non_portable_cluster_size_allowed:
        non_portable_cluster_ = value != 0;
        return;
    case cluster_scheduling_policy_preference:
        if (value < 0 || value > 2) throw Error(Status::invalid_value, "no such policy of scheduling clusters");
        cluster_policy_ = value; // a hint: a cluster's blocks run on one thread
        return;
    }
    throw Error(Status::invalid_value, fmt::format("function attribute {} cannot be set", attribute));
}

} // namespace rt
