#pragma once

#include "backend/backend.h"

namespace rt::code {

/// In the code cache (code_cache.h); nullptr where there is none.
backend::BinaryStore* shared_binary_store();

} // namespace rt::code
