#pragma once

#include "problem.h"

#include <vector>

/// What every way to run a kernel is compared with before it is timed.
namespace bench {

constexpr double scale = 0.25; ///< of the problems' full size

bool is_further(const std::string& kernel); ///< one of further_kernels.cuh
/// OpenMP, by the compiler of the program.
void run_reference(Problem&);
/// The output of the reference; leaves it in the problem's buffer, too.
std::vector<char> reference_result(Problem&);

} // namespace bench
