#pragma once

#include "nvml/types.h"

#include <string>

namespace nvml {

/// nvmlInit and nvmlShutdown count; every answer but texts of errors needs one more of the first.
Return start(unsigned flags);
Return stop();
bool started();

/// Devices after start(): as many as libcuda has.
int device_count();
Device handle_of(int ordinal);
/// The ordinal; -1 for what is no handle of ours.
int ordinal_of(Device);

/// Copies with the final zero. insufficient_size when it does not fit, and nothing is written.
Return copy_text(char* to, unsigned length, const std::string& text);

} // namespace nvml
