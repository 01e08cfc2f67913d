#pragma once

#include "sweep_case.h"

#include <map>

namespace sweep {

/// Results by the name of their case. In a file: for each case the length of its name (u32), the name, the status
/// (i32), the number of words (u32) and the words, all little-endian.
using Recording = std::map<std::string, Result>;

void write(const Recording&, const std::string& path); ///< throws std::runtime_error
Recording read(const std::string& path);               ///< throws std::runtime_error

} // namespace sweep
