#pragma once

#include <level_zero/ze_api.h>

#include <functional>

namespace level_zero_driver {

/// One launch of a kernel with the group size and arguments that it has now: Level Zero takes both when a launch is
/// appended. Call it to run the kernel to its end. `together`: a cooperative one.
std::function<ze_result_t()> prepare_launch(ze_kernel_handle_t kernel, const ze_group_count_t& groups,
                                            bool together = false);

} // namespace level_zero_driver
