#pragma once

#include "backend/backend.h"

#include <memory>
#include <string>

/// What each kernel costs, for `cuttle run --profile`: a table on stderr when the process exits.
namespace rt::profile {

/// Whether the option `profile` asks for it.
bool wanted();

/// Does the launch on the queue, between two markers with timing, and notes it.
void launch(backend::Queue& queue, const backend::Launch& launch, ptx::Arch arch);

/// The table of what was launched so far, by time. Launches that have not ended are counted, not timed.
std::string table();

} // namespace rt::profile
