#pragma once

#include "cases.h"

namespace oracle {

/// What is wrong with a case's output (threads * output_slots slots, as cases.h lays them out): one line for every
/// wrong thread, at most a few, and their number. Empty if nothing is.
std::string wrong_threads(const Case&, const std::vector<uint64_t>& outputs);

} // namespace oracle
