#include "core/profile.h"

#include "code/statistics.h"
#include "ptx/host_abi.h"
#include "rt/error.h"
#include "support/options.h"

#include <cxxabi.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <vector>

namespace rt::profile {
namespace {

using Nanoseconds = std::chrono::nanoseconds;

struct Row {
    uint64_t launches = 0, timed = 0, threads = 0; ///< threads of the newest launch
    uint64_t blocks = 0;
    std::set<std::shared_ptr<const ptx::host::Counts>> counts; ///< of all code that was made of it
    Nanoseconds total{0}, longest{0};
    std::string way;
};

/// A launch between two points of its queue.
struct Span {
    std::string kernel;
    std::shared_ptr<backend::Marker> before, after;
};

struct Profile {
    std::mutex mutex;
    std::map<std::string, Row> rows;
    std::deque<Span> pending;
    const pid_t process = getpid();
};

/// Never destroyed: kernels may end after static destructors have begun.
Profile& profile() {
    static Profile& all = *new Profile;
    return all;
}

std::string way_of(const ptx::KernelInfo& info, ptx::Arch arch) {
    if (arch != ptx::Arch::host) return "GPU code";
    if (info.phases) return fmt::format("{} phases", info.phases);
    return info.uses_barrier ? "fibers" : "loop";
}

/// Takes the times of what has ended from the front of the list, up to the first that has not.
void settle(Profile& all) {
    for (; !all.pending.empty() && all.pending.front().after->reached(); all.pending.pop_front()) {
        const Span& span = all.pending.front();
        Row& row = all.rows[span.kernel];
        try {
            const Nanoseconds time = span.after->time() - span.before->time();
            row.total += time;
            row.longest = std::max(row.longest, time);
            row.timed++;
        } catch (const Error&) {
            // A fault: how long the launch took is not known.
        }
    }
}

std::string readable(const std::string& name) {
    int status = 0;
    const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status),
                                                           std::free);
    return status == 0 && text ? text.get() : name;
}

/// What a kernel has done, as text; "-" where nothing is known.
struct Columns {
    std::string lanes = "-", scattered = "-", barriers = "-";
};

Columns columns_of(const Row& row) {
    const auto sum = [&](const uint64_t ptx::host::Counts::* field) {
        uint64_t result = 0;
        // atomic_ref of constants comes with C++26.
        for (const auto& counts : row.counts)
            result += std::atomic_ref(const_cast<uint64_t&>((*counts).*field)).load(std::memory_order_relaxed);
        return double(result);
    };
    using ptx::host::Counts;
    Columns result;
    constexpr double warp = 32;
    if (const double room = sum(&Counts::room)) result.lanes = fmt::format("{:.1f}", warp * sum(&Counts::lanes) / room);
    if (const double accesses = sum(&Counts::accesses))
        result.scattered = fmt::format("{:.1f}%", 100 * sum(&Counts::scattered) / accesses);
    if (!row.counts.empty()) result.barriers = fmt::format("{:.1f}", sum(&Counts::barriers) / double(row.blocks));
    return result;
}

double milliseconds(Nanoseconds time) { return double(time.count()) / 1e6; }

void print_table() {
    if (getpid() != profile().process) return;
    try {
        const std::string text = table();
        if (write(STDERR_FILENO, text.data(), text.size()) < 0) return;
    } catch (...) {
    }
}

} // namespace

bool wanted() {
    static const bool is = options().profile;
    return is;
}

void launch(backend::Queue& queue, const backend::Launch& launch, ptx::Arch arch) {
    static const int registered = std::atexit(print_table);
    (void)registered;
    const ptx::KernelInfo& info = launch.kernel->info();
    Span span{info.name, queue.mark(true), nullptr};
    queue.launch(launch);
    span.after = queue.mark(true);
    Profile& all = profile();
    std::lock_guard lock(all.mutex);
    Row& row = all.rows[info.name];
    row.launches++;
    row.threads = launch.grid.count() * launch.block.count();
    row.blocks += launch.grid.count();
    if (auto counts = launch.kernel->counts()) row.counts.insert(std::move(counts));
    row.way = way_of(info, arch);
    constexpr size_t enough = 256;
    all.pending.push_back(std::move(span));
    if (all.pending.size() % enough == 0) settle(all);
}

std::string table() {
    Profile& all = profile();
    std::lock_guard lock(all.mutex);
    // One stream's launch that never ends must not hide another's.
    std::deque<Span> rest;
    while (settle(all), !all.pending.empty()) {
        rest.push_back(std::move(all.pending.front()));
        all.pending.pop_front();
    }
    all.pending = std::move(rest);
    std::vector<std::pair<std::string, Row>> rows(all.rows.begin(), all.rows.end());
    std::stable_sort(rows.begin(), rows.end(), [](auto& a, auto& b) { return a.second.total > b.second.total; });
    Nanoseconds total{0};
    for (const auto& [name, row] : rows) total += row.total;
    std::string text = fmt::format("cuttle: profile: {} kernels, {:.3f} ms; times in ms, threads of the last launch, lanes of 32, barriers of a block\n"
                                   "{:>10} {:>6} {:>8} {:>10} {:>10} {:>10} {:>10} {:>6} {:>9} {:>8}  {:<10} {}\n",
                                   rows.size(), milliseconds(total), "total", "share", "launches", "mean", "longest",
                                   "threads", "translated", "lanes", "scattered", "barriers", "runs as", "kernel");
    for (const auto& [name, row] : rows) {
        const double sum = milliseconds(row.total);
        const Columns columns = columns_of(row);
        text += fmt::format("{:>10.3f} {:>5.1f}% {:>8} {:>10.4f} {:>10.4f} {:>10} {:>10.1f} {:>6} {:>9} {:>8}  {:<10} {}{}\n", sum,
                            total.count() ? 100 * sum / milliseconds(total) : 0, row.launches,
                            row.timed ? sum / double(row.timed) : 0, milliseconds(row.longest), row.threads,
                            milliseconds(code::translation_time(name)), columns.lanes, columns.scattered,
                            columns.barriers, row.way, readable(name),
                            row.timed == row.launches ? "" : fmt::format(" ({} not timed)", row.launches - row.timed));
    }
    return text;
}

} // namespace rt::profile
