#pragma once

#include <fmt/format.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace rt {

enum class LogLevel : uint8_t { off, error, warning, info, debug, trace };
enum class LogChannel : uint8_t { api, translate, launch, memory };

/// The highest level that each channel says. Made from the option `log`: "info", "warning,api=trace,launch=off".
struct LogLevels {
    std::array<LogLevel, 4> of_channel{LogLevel::warning, LogLevel::warning, LogLevel::warning, LogLevel::warning};
    /// A word that means nothing leaves the levels as they were and adds a line to `complaint`.
    static LogLevels parse(std::string_view text, std::string& complaint);
    bool operator==(const LogLevels&) const = default;
};

bool log_enabled(LogLevel, LogChannel);
/// One line: "cuttle: error: api: text", if that is enabled; errors and warnings are kept in any case (log_history.h).
/// Safe from any thread; never throws.
void log_line(LogLevel, LogChannel, std::string_view text) noexcept;

template <class... A>
void log(LogLevel level, LogChannel channel, fmt::format_string<A...> format, A&&... arguments) noexcept {
    if (level > LogLevel::warning && !log_enabled(level, channel)) return;
    try {
        log_line(level, channel, fmt::format(format, std::forward<A>(arguments)...));
    } catch (...) {
    }
}

/// True the first time a given text is seen in this process: for messages that are worth saying once.
bool first_time(std::string_view text) noexcept;

} // namespace rt
