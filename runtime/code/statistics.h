#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace rt::code {

/// What was done since the process started.
struct Statistics {
    std::atomic<uint64_t> kernels{0}; ///< asked for, by any route
    std::atomic<uint64_t> cache_hits{0};
    std::atomic<uint64_t> cache_misses{0};         ///< jobs done by the translator
    std::atomic<int64_t> translate_nanoseconds{0}; ///< summed over threads
};
Statistics& statistics();

/// "cuttle: summary: CPU; kernels: 3; translation: 120.5 ms; cache: 4 hits, 2 misses".
std::string summary_line(const std::string& device);
/// Sees to it that the summary is printed on stderr when the process exits, if the option `summary` asks for it.
void arrange_summary();

} // namespace rt::code
