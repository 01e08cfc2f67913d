#include "support/log.h"

#include "support/log_history.h"
#include "support/options.h"

#include <cstdio>
#include <mutex>
#include <optional>
#include <set>

#include <fcntl.h>
#include <unistd.h>

namespace rt {
namespace {

constexpr std::string_view level_names[] = {"off", "error", "warning", "info", "debug", "trace"};
constexpr std::string_view channel_names[] = {"api", "translate", "launch", "memory"};

template <size_t N> std::optional<size_t> index_of(const std::string_view (&names)[N], std::string_view name) {
    for (size_t i = 0; i < N; i++)
        if (names[i] == name) return i;
    return std::nullopt;
}

struct Log {
    LogLevels levels;
    int file = STDERR_FILENO;
    std::mutex mutex;
    std::set<std::string, std::less<>> seen;

    Log() {
        std::string complaint;
        levels = LogLevels::parse(options().log, complaint);
        open_file();
        if (!complaint.empty()) write(LogLevel::warning, LogChannel::api, complaint);
    }

    void open_file() {
        std::string path = options().log_file;
        if (path.empty()) return;
        if (auto at = path.find("%p"); at != path.npos) path.replace(at, 2, std::to_string(getpid()));
        int opened = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
        if (opened >= 0)
            file = opened;
        else
            write(LogLevel::warning, LogChannel::api, fmt::format("CUTTLE_LOG_FILE: cannot open {}", path));
    }

    void write(LogLevel level, LogChannel channel, std::string_view text) {
        auto line =
            fmt::format("cuttle: {}: {}: {}\n", level_names[size_t(level)], channel_names[size_t(channel)], text);
        // One write per line, so that lines of several threads and processes do not mix.
        [[maybe_unused]] auto written = ::write(file, line.data(), line.size());
    }
};

// Never destroyed: static destructors of the application may still log.
Log& the_log() {
    options(); // complains about bad settings in the log, so it must not come first from the log's own making
    static Log& log = *new Log;
    return log;
}

} // namespace

LogLevels LogLevels::parse(std::string_view text, std::string& complaint) {
    LogLevels result;
    while (!text.empty()) {
        auto comma = text.find(',');
        auto word = text.substr(0, comma);
        text = comma == text.npos ? std::string_view() : text.substr(comma + 1);
        if (word.empty()) continue;
        auto equals = word.find('=');
        auto level = index_of(level_names, equals == word.npos ? word : word.substr(equals + 1));
        if (level && equals == word.npos) {
            result.of_channel.fill(LogLevel(*level));
            continue;
        }
        auto channel = index_of(channel_names, word.substr(0, equals));
        if (level && channel) {
            result.of_channel[*channel] = LogLevel(*level);
            continue;
        }
        complaint += fmt::format("{}CUTTLE_LOG: \"{}\" is neither a level nor channel=level",
                                 complaint.empty() ? "" : "; ", word);
    }
    return result;
}

bool log_enabled(LogLevel level, LogChannel channel) { return level <= the_log().levels.of_channel[size_t(channel)]; }

void log_line(LogLevel level, LogChannel channel, std::string_view text) noexcept {
    try {
        if (log_enabled(level, channel)) the_log().write(level, channel, text);
        if (level <= LogLevel::warning) log_history::add(level, text);
    } catch (...) {
    }
}

bool first_time(std::string_view text) noexcept {
    try {
        Log& log = the_log();
        std::lock_guard lock(log.mutex);
        return log.seen.emplace(text).second;
    } catch (...) {
        return false;
    }
}

} // namespace rt
