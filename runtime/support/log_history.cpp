#include "support/log_history.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <deque>
#include <map>
#include <mutex>
#include <vector>

#include <sys/syscall.h>
#include <unistd.h>

namespace rt::log_history {
namespace {

constexpr size_t most = 100; ///< messages that are kept, as by an H100's driver
constexpr std::string_view overrun = "Older messages are gone: only the last ones are kept\n",
                           too_many = "Older messages are left out: they do not fit here\n";

struct History {
    std::mutex mutex;
    std::deque<std::string> lines;
    Position end = 0;
    std::map<uint64_t, Listener> listeners;
    uint64_t next_listener = 1;
};

// Never destroyed: static destructors of the application may still fail.
History& history() {
    static History& all = *new History;
    return all;
}

thread_local bool telling = false;

// "[12:34:56.789][thread][CUDA][E] text": programs may know this form of NVIDIA's.
std::string line_of(LogLevel level, std::string_view text) {
    const auto now = std::chrono::system_clock::now();
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    const auto milliseconds =
        std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch()).count() % 1000;
    std::tm local{};
    localtime_r(&seconds, &local);
    std::string line =
        fmt::format("[{:02}:{:02}:{:02}.{:03}][{}][CUDA][{}] {}", local.tm_hour, local.tm_min, local.tm_sec,
                    milliseconds, syscall(SYS_gettid), level == LogLevel::error ? 'E' : 'W', text);
    for (char& c : line)
        if (c == '\n') c = ' ';
    return line + '\n';
}

void tell(LogLevel level, const std::string& message) {
    if (telling) return;
    std::vector<Listener> listeners;
    {
        History& all = history();
        std::lock_guard lock(all.mutex);
        for (const auto& [number, listener] : all.listeners) listeners.push_back(listener);
    }
    telling = true;
    for (const Listener& listener : listeners) listener(level, message);
    telling = false;
}

} // namespace

void add(LogLevel level, std::string_view text) noexcept {
    try {
        {
            History& all = history();
            std::lock_guard lock(all.mutex);
            all.lines.push_back(line_of(level, text));
            if (all.lines.size() > most) all.lines.pop_front();
            all.end++;
        }
        tell(level, std::string(text));
    } catch (...) {
        telling = false;
    }
}

Position end() {
    History& all = history();
    std::lock_guard lock(all.mutex);
    return all.end;
}

std::optional<std::string> text(std::optional<Position> start, size_t limit, Position& next) {
    History& all = history();
    std::lock_guard lock(all.mutex);
    next = all.end;
    const auto kept = Position(all.lines.size());
    const Position wanted = start ? all.end - *start : all.end;
    if (start && wanted > (Position(1) << 31)) return std::nullopt;
    size_t first = kept - std::min(wanted, kept);
    std::string_view missing = wanted > kept ? overrun : "";
    size_t bytes = missing.size();
    for (size_t i = first; i < kept; i++) bytes += all.lines[i].size();
    if (bytes > limit) {
        missing = too_many;
        bytes = missing.size();
        for (first = kept; first > 0 && bytes + all.lines[first - 1].size() <= limit; first--)
            bytes += all.lines[first - 1].size();
        if (first == kept) return std::string();
    }
    std::string result(missing);
    for (size_t i = first; i < kept; i++) result += all.lines[i];
    return result;
}

uint64_t listen(Listener listener) {
    History& all = history();
    std::lock_guard lock(all.mutex);
    all.listeners.emplace(all.next_listener, std::move(listener));
    return all.next_listener++;
}

bool forget(uint64_t listener) {
    History& all = history();
    std::lock_guard lock(all.mutex);
    return all.listeners.erase(listener) != 0;
}

} // namespace rt::log_history
