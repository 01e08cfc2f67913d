#pragma once

#include "nvml/inventory.h"
#include "nvml/types.h"

#include <string>

namespace nvml {

/// nvmlInit and nvmlShutdown count; every answer but texts of errors needs one more of the first.
Return start(unsigned flags);
Return stop();
bool started();

/// What start() found, until the last stop().
const Inventory& inventory();
Device handle_of(int index);
/// The index; -1 for what is no handle of ours.
int index_of(Device);

/// Copies with the final zero. insufficient_size when it does not fit, and nothing is written.
Return copy_text(char* to, unsigned length, const std::string& text);

} // namespace nvml
