#pragma once

#include <string>

namespace rt::code {

/// Tells processors apart for which the translator would make different code: vendor, model and features. Part of the
/// cache's keys where the target is "the CPU found", since a home directory may be shared between machines.
const std::string& cpu_identity();

} // namespace rt::code
