#pragma once

#include <cstdint>

namespace rt::backend {

/// Streams that device code knows by number. CUDA C++ Programming Guide, "CUDA Dynamic Parallelism".
enum DeviceStream : uint64_t {
    null_stream = 0,
    legacy_stream = 1,
    per_thread_stream = 2,
    tail_launch = 3,
    fire_and_forget = 4,
};
/// Streams and events that it makes are numbered from here on.
constexpr uint64_t first_stream_handle = 16;

/// A thread of a grid, numbered: its block, and its place in it.
struct ThreadNumber {
    uint64_t block = 0, thread = 0;
};

} // namespace rt::backend
