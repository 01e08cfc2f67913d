#include "code/translator_path.h"

#include "rt/error.h"
#include "support/options.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <system_error>

extern char** environ;

namespace rt::code {
namespace {

namespace fs = std::filesystem;

bool executable(const fs::path& path) {
    std::error_code ignored;
    return fs::is_regular_file(path, ignored) && access(path.c_str(), X_OK) == 0;
}

std::vector<std::string> split(std::string_view list) {
    std::vector<std::string> parts;
    while (true) {
        const size_t colon = list.find(':');
        parts.emplace_back(list.substr(0, colon));
        if (colon == list.npos) return parts;
        list.remove_prefix(colon + 1);
    }
}

std::string_view variable(const char* name) {
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        const size_t equals = text.find('=');
        if (text.substr(0, equals) == name) return text.substr(equals + 1);
    }
    return {};
}

std::vector<fs::path> candidates(const std::string& program) {
    std::vector<fs::path> all;
    if (const fs::path own = own_directory(); !own.empty()) {
        all.push_back(own / program);
        for (const char* up : {"..", "../.."}) { // lib/ and lib/x86_64-linux-gnu/
            all.push_back((own / up / "bin" / program).lexically_normal());
            all.push_back((own / up / "libexec/cuttle" / program).lexically_normal());
        }
    }
    for (const std::string& directory : split(variable("PATH")))
        if (!directory.empty()) all.push_back(fs::path(directory) / program);
    return all;
}

/// LD_LIBRARY_PATH without our own directory.
std::string without_own_directory(std::string_view list) {
    const fs::path own = own_directory();
    std::vector<std::string> kept;
    for (std::string& directory : split(list)) {
        std::error_code ignored;
        if (own.empty() || !fs::equivalent(directory.empty() ? "." : directory, own, ignored))
            kept.push_back(std::move(directory));
    }
    return fmt::format("{}", fmt::join(kept, ":"));
}

} // namespace

fs::path own_directory() {
    static const int anchor = 0;
    Dl_info info;
    std::error_code ignored;
    if (dladdr(&anchor, &info) == 0 || info.dli_fname == nullptr) return {};
    const fs::path file = info.dli_fname;
    // For the main program the loader gives what the shell typed.
    const fs::path real = fs::canonical(file.has_parent_path() ? file : fs::path("/proc/self/exe"), ignored);
    return real.parent_path();
}

std::string find_program(const std::string& program) {
    const std::vector<fs::path> all = candidates(program);
    for (const fs::path& path : all)
        if (executable(path)) return path.string();
    std::vector<std::string> names;
    for (const fs::path& path : all) names.push_back(path.string());
    throw Error(Status::jit_compiler_not_found,
                fmt::format("the program {} was not found; looked for {}", program, fmt::join(names, ", ")));
}

std::string find_translator() {
    const std::string& named = options().translator;
    if (named.empty()) return find_program("cuttle-ptxc");
    if (executable(named)) return named;
    throw Error(Status::jit_compiler_not_found,
                fmt::format("the option translator names '{}', which is no executable file", named));
}

std::vector<std::string> translator_environment() {
    std::vector<std::string> kept;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text = *entry;
        if (text.starts_with("LD_PRELOAD=") || text.starts_with("LD_AUDIT=")) continue;
        constexpr std::string_view path = "LD_LIBRARY_PATH=";
        if (!text.starts_with(path)) {
            kept.emplace_back(text);
            continue;
        }
        const std::string directories = without_own_directory(text.substr(path.size()));
        if (!directories.empty()) kept.push_back(std::string(path) + directories);
    }
    return kept;
}

} // namespace rt::code
