#include "code/statistics.h"

#include "rt/platform.h"
#include "support/options.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdlib>

namespace rt::code {
namespace {

pid_t summary_process;

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
