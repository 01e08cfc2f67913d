#pragma once

#include "ptx/image.h"
#include "rt/context.h"

namespace rt {

/// The initial bytes of a program's globals in a block at `block`, addresses filled in. `functions` may be null when
/// there are no functions in the data. Throws invalid_image for a symbol that is not there.
std::vector<uint8_t> relocated_data(const ptx::ModuleInfo&, uint64_t block, backend::Code* functions);

/// Writes them to the device and clears what has no initial value.
void initialize_globals(Context&, const ptx::ModuleInfo&, uint64_t block, backend::Code* functions);

} // namespace rt
