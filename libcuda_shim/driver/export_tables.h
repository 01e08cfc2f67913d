#pragma once

#include "api/types.h"

namespace shim {

/// The table of functions behind a uuid, or nullptr. Static cudart cannot start without these.
const void* const* find_export_table(const CUuuid&);

} // namespace shim
