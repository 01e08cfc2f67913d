#pragma once

namespace ptx {

/// The name of a variable, of one byte, that code for GPUs has where a kernel may launch others (device_calls.h).
constexpr const char* launch_mark = "cuttle.launches";

} // namespace ptx
