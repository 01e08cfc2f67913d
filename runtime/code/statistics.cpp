#include "code/statistics.h"

#include "rt/platform.h"
#include "support/options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <mutex>

namespace rt::code {
namespace {

pid_t summary_process;

struct Times {
    std::mutex mutex;
    std::map<std::string, std::chrono::nanoseconds> of_kernel;
};

/// Asked at the exit, after static destructors have begun.
Times& times() {
    static Times& all = *new Times;
    return all;
}

/// The platform is older than the registration of this, so it still stands.
void print_summary() {
    if (getpid() != summary_process) return; // a forked child has done nothing of its own yet
    try {
        const bool known = Platform::initialized() && Platform::get().device_count() > 0;
        const std::string line = summary_line(known ? Platform::get().device(0).facts().name : "no device") + "\n";
        if (write(STDERR_FILENO, line.data(), line.size()) < 0) return;
    } catch (...) {
    }
}

} // namespace

Statistics& statistics() {
    static Statistics all;
    return all;
}

void count_translation(const std::vector<std::string>& kernels, std::chrono::nanoseconds time) {
    ++statistics().cache_misses;
    statistics().translate_nanoseconds += time.count();
    if (kernels.size() != 1) return;
    std::lock_guard lock(times().mutex);
    times().of_kernel[kernels.front()] += time;
}

std::chrono::nanoseconds translation_time(const std::string& kernel) {
    std::lock_guard lock(times().mutex);
    const auto found = times().of_kernel.find(kernel);
    return found == times().of_kernel.end() ? std::chrono::nanoseconds(0) : found->second;
}

std::string summary_line(const std::string& device) {
    const Statistics& all = statistics();
    return fmt::format("cuttle: summary: {}; kernels: {}; translation: {:.1f} ms; cache: {} hits, {} misses", device,
                       all.kernels.load(), double(all.translate_nanoseconds.load()) / 1e6, all.cache_hits.load(),
                       all.cache_misses.load());
}

void arrange_summary() {
    if (!options().summary) return;
    static const int registered = [] {
        summary_process = getpid();
        return std::atexit(print_summary);
    }();
    (void)registered;
}

} // namespace rt::code
