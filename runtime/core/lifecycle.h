#pragma once

#include <mutex>

namespace rt {

/// Held while a context comes to life or dies, and while a library goes: those two reach into each other. Recursive,
/// for what a dying context calls back (cudart's storage destructors) may call in again.
std::recursive_mutex& lifecycle();

} // namespace rt
