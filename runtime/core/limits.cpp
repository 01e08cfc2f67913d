// CUDA driver API, cuCtxSetLimit.
#include "core/context_state.h"

namespace rt {
namespace {

constexpr size_t largest_stack = 512 << 10;

struct LimitRow {
    Limit limit;
    size_t value; ///< CUDA's default
    bool supported;
};

// Set-aside L2 is not there, nor, as on an H100, is the sync depth: it belonged to cudaDeviceSynchronize() in kernels,
// which ended with CUDA 12.
constexpr LimitRow rows[] = {
    {Limit::stack_size, 1024, true},
    {Limit::printf_fifo_size, 1 << 20, true},
    {Limit::malloc_heap_size, 8 << 20, true},
    {Limit::dev_runtime_sync_depth, 0, false},
    {Limit::dev_runtime_pending_launch_count, 2048, true},
    {Limit::max_l2_fetch_granularity, 128, true},
    {Limit::persisting_l2_cache_size, 0, true},
};

size_t index_of(Limit limit) {
    const auto index = size_t(limit);
    if (index >= std::size(rows)) throw Error(Status::invalid_value, "no such limit");
    if (!rows[index].supported) throw Error(Status::unsupported_limit, "limit of launches by kernels");
    return index;
}

// What CUDA makes of a wish: some are rounded, some are hints, some cannot be.
size_t granted(Limit limit, size_t value) {
    if (limit == Limit::stack_size) {
        if (value > largest_stack) throw Error(Status::invalid_value, "a thread's stack is at most 512 KiB");
        return (value + 15) / 16 * 16;
    }
    if (limit == Limit::max_l2_fetch_granularity) return value > 64 ? 128 : value > 32 ? 64 : 32;
    if (limit == Limit::persisting_l2_cache_size && value)
        throw Error(Status::unsupported_limit, "no part of the L2 cache can be set aside");
    return value;
}

} // namespace

size_t Context::limit(Limit limit) const { return state_->limits[index_of(limit)]; }

void Context::set_limit(Limit limit, size_t value) {
    const size_t index = index_of(limit);
    state_->limits[index] = granted(limit, value);
    apply_limits();
}

void Context::set_default_limits() {
    for (auto& row : rows) state_->limits[size_t(row.limit)] = row.value;
    apply_limits();
}

void Context::apply_limits() {
    auto& limits = state_->limits;
    device_.backend().set_limits(limits[size_t(Limit::malloc_heap_size)], limits[size_t(Limit::printf_fifo_size)],
                                 limits[size_t(Limit::stack_size)]);
}

} // namespace rt
