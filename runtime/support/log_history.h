#pragma once

#include "support/log.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

/// The last errors and warnings of the process, for programs that ask (CUDA driver API, "Error Log Management"),
/// whatever of them the log has said. Thread safe.
namespace rt::log_history {

/// A point between two messages: how many there were before it. Wraps around.
using Position = uint32_t;

/// `level` is error or warning. Never throws. Tells listeners, on the calling thread; what they cause is kept, but told
/// to none.
void add(LogLevel level, std::string_view text) noexcept;
Position end();
/// The messages from `start` on, a line each, or all that are kept; nullopt when `start` is beyond the end. With a limit
/// in bytes only the newest that fit; nothing when none does. A line of its own says when some are missing. `next` gets
/// the position behind the last.
std::optional<std::string> text(std::optional<Position> start, size_t limit, Position& next);

using Listener = std::function<void(LogLevel, const std::string& message)>;
uint64_t listen(Listener); ///< a number for forget()
bool forget(uint64_t listener);

} // namespace rt::log_history
