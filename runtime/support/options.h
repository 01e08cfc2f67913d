#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rt {

/// All settings, read once per process from the environment. Rows of support/options.def.
struct Options {
    using string = std::string;
    using integer = int64_t;
    using bytes = uint64_t; ///< "512M", "4G" or plain bytes
    using boolean = bool;   ///< 0, 1, on, off, true, false, yes, no
#define RT_OPTION(name, type, default_value, variable, help) type name = default_value;
#include "support/options.def"
};

/// What the environment says now; a bad value adds a line to `complaints` and leaves the default.
Options read_options(std::vector<std::string>& complaints);

/// Read once. A bad value is reported once on the log and the default stays.
const Options& options();

/// A variable of CUDA's own (CUDA_VISIBLE_DEVICES, CUDA_LAUNCH_BLOCKING); nullopt when unset, which is not the same as
/// empty. Read anew at each call.
std::optional<std::string> cuda_variable(const char* name);

/// "A=1\nB=2\n": the variables whose names begin with one of `prefixes`, in order; for what configures somebody else's
/// library. Read anew at each call.
std::string variables_of(std::span<const std::string_view> prefixes);

/// For `cuttle info --options`.
struct OptionRow {
    const char* name;
    const char* type;
    const char* default_value;
    const char* variable;
    const char* help;
};
std::span<const OptionRow> option_rows();
/// The value in force, as text.
std::string option_value(std::string_view name);

} // namespace rt
