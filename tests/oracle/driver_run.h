#pragma once

#include "cases.h"
#include "driver_declarations.h"

#include <cstdint>
#include <string>
#include <vector>

/// Cases on the libcuda that the loader finds.
namespace oracle {

/// Throws std::runtime_error for what is not success.
void check(CUresult result, const std::string& what);

/// Launches the case's kernel of a loaded group in the current context; gives all output slots.
std::vector<uint64_t> run(CUmodule module, const Case& test);

} // namespace oracle
