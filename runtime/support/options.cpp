#include "support/options.h"

#include "support/log.h"

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstdlib>
#include <limits>

#include <unistd.h>

namespace rt {
namespace {

std::optional<std::string> parse(std::string_view text, const std::string*) { return std::string(text); }

std::optional<bool> parse(std::string_view text, const bool*) {
    std::string word(text);
    std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
    for (auto yes : {"1", "on", "true", "yes"})
        if (word == yes) return true;
    for (auto no : {"0", "off", "false", "no"})
        if (word == no) return false;
    return std::nullopt;
}

std::optional<uint64_t> digits(std::string_view text) {
    if (text.empty()) return std::nullopt;
    uint64_t value = 0;
    for (char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        if (__builtin_mul_overflow(value, uint64_t{10}, &value)) return std::nullopt;
        if (__builtin_add_overflow(value, uint64_t(c - '0'), &value)) return std::nullopt;
    }
    return value;
}

std::optional<int64_t> parse(std::string_view text, const int64_t*) {
    bool negative = text.starts_with('-');
    auto value = digits(negative ? text.substr(1) : text);
    if (!value || *value > uint64_t(std::numeric_limits<int64_t>::max())) return std::nullopt;
    return negative ? -int64_t(*value) : int64_t(*value);
}

std::optional<uint64_t> parse(std::string_view text, const uint64_t*) {
    if (text.ends_with('B') || text.ends_with('b')) text.remove_suffix(1);
    if (text.ends_with('i')) text.remove_suffix(1);
    if (text.empty()) return std::nullopt;
    static constexpr std::string_view units = "KMGT";
    auto unit = units.find(char(std::toupper((unsigned char)text.back())));
    if (unit != units.npos) text.remove_suffix(1);
    auto value = digits(text);
    if (!value) return std::nullopt;
    unsigned shift = unit == units.npos ? 0 : 10 * (unsigned(unit) + 1);
    if (shift && *value >> (64 - shift)) return std::nullopt;
    return *value << shift;
}

// Defaults are C++ in the table; people should see the text of a string, not its literal.
constexpr const char* default_text(const char* value, const char*) { return value; }
template <class T> constexpr const char* default_text(T, const char* written) { return written; }

template <class T> void read(T& option, const char* variable, const char* type, const char* standard,
                             std::vector<std::string>& complaints) {
    const char* text = std::getenv(variable);
    if (!text || !*text) return;
    if (auto value = parse(text, &option)) {
        option = *value;
        return;
    }
    complaints.push_back(fmt::format("{}: \"{}\" is no value of type {}; using the default, {}", variable, text, type,
                                     *standard ? standard : "empty"));
}

} // namespace

Options read_options(std::vector<std::string>& complaints) {
    Options result;
#define RT_OPTION(name, type, default_value, variable, help)                                                           \
    read(result.name, #variable, #type, default_text(default_value, #default_value), complaints);
#include "support/options.def"
    return result;
}

const Options& options() {
    static auto& complaints = *new std::vector<std::string>;
    static const Options& all = *new Options(read_options(complaints));
    // The log asks for options in turn, so it may speak only once they are there.
    static std::atomic<bool> told = false;
    if (!told.load(std::memory_order_relaxed) && !told.exchange(true))
        for (auto& line : complaints) log(LogLevel::warning, LogChannel::api, "{}", line);
    return all;
}

std::optional<std::string> cuda_variable(const char* name) {
    const char* text = std::getenv(name);
    return text ? std::optional<std::string>(text) : std::nullopt;
}

std::string variables_of(std::span<const std::string_view> prefixes) {
    std::vector<std::string_view> found;
    for (char** next = environ; next && *next; ++next) {
        const std::string_view line = *next;
        const auto is_prefix = [&](std::string_view prefix) { return line.starts_with(prefix); };
        if (std::any_of(prefixes.begin(), prefixes.end(), is_prefix)) found.push_back(line);
    }
    std::sort(found.begin(), found.end());
    std::string text;
    for (std::string_view line : found) (text += line) += '\n';
    return text;
}

std::span<const OptionRow> option_rows() {
    static const OptionRow rows[] = {
#define RT_OPTION(name, type, default_value, variable, help)                                                           \
    {#name, #type, default_text(default_value, #default_value), #variable, help},
#include "support/options.def"
    };
    return rows;
}

namespace {
std::string as_text(const std::string& value) { return value; }
std::string as_text(bool value) { return value ? "on" : "off"; }
std::string as_text(int64_t value) { return std::to_string(value); }
std::string as_text(uint64_t value) { return std::to_string(value); }
} // namespace

std::string option_value(std::string_view wanted) {
#define RT_OPTION(name, type, default_value, variable, help)                                                           \
    if (wanted == #name) return as_text(options().name);
#include "support/options.def"
    return {};
}

} // namespace rt
