#pragma once

#include "driver_declarations.h"

#include <string>

/// What the benchmarks need of the driver API. Every failure ends the program with the function's name.
namespace bench {

void must(CUresult status, const char* what);
/// Initialises once and makes the primary context of device 0 current.
void initialize();
/// A module from PTX text.
CUmodule load(const std::string& text);
CUfunction function(CUmodule module, const char* name);
std::string read_file(const std::string& path);

} // namespace bench
