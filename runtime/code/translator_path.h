#pragma once

#include "rt/programs.h"

#include <filesystem>
#include <string>

namespace rt::code {

/// Where the library (or program) that this code is part of lies. Empty when the loader does not tell.
std::filesystem::path own_directory();

/// The program cuttle-ptxc: what the option `translator` names, else as find_program() finds it.
std::string find_translator();

} // namespace rt::code
