#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

namespace rt::code {

/// What was done since the process started.
struct Statistics {
    std::atomic<uint64_t> kernels{0}; ///< asked for, by any route
    std::atomic<uint64_t> cache_hits{0};
    std::atomic<uint64_t> cache_misses{0};         ///< jobs done by the translator
    std::atomic<int64_t> translate_nanoseconds{0}; ///< summed over threads
};
Statistics& statistics();

/// Adds to the sum, and to each kernel's own time if there is one kernel only.
void count_translation(const std::vector<std::string>& kernels, std::chrono::nanoseconds time);
/// How long the translator was at work for the kernel in this process; 0 for what came from the cache.
std::chrono::nanoseconds translation_time(const std::string& kernel);

/// "cuttle: summary: CPU; kernels: 3; translation: 120.5 ms; cache: 4 hits, 2 misses".
std::string summary_line(const std::string& device);
/// Sees to it that the summary is printed on stderr when the process exits, if the option `summary` asks for it.
void arrange_summary();

} // namespace rt::code
