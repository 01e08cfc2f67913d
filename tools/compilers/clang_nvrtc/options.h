#pragma once

#include <optional>
#include <string>
#include <vector>

namespace compilers::clang_nvrtc {

/// What the options of nvrtcCompileProgram ask for, in terms of clang.
struct Options {
    std::string architecture; ///< 89, 90a
    std::string standard = "c++17";
    std::vector<std::string> preprocessor; ///< -D, -U, -I and -include, as clang takes them and in their order
    bool source_include = true, relocatable = false, debug = false, optimized_debug = false, line_info = false;
    bool flush_to_zero = false, precise_sqrt = true, precise_division = true, contract = true, fast_math = false;
    bool move_forward = true, initializer_list = true, warnings = true, default_device = false, int128 = false;
    bool brief = false, syntax_only = false;

    /// The values and messages are NVRTC 13.0's. nullopt, with a line in the log, when one is wrong.
    static std::optional<Options> read(int count, const char* const* words, std::string& log);
    /// What clang is given, without files.
    std::vector<std::string> arguments() const;
};

/// Of the last toolkit of the series that this library stands for: 13.0, 12.9, 11.8.
constexpr int toolkit_minor = CUTTLE_MAJOR == 11 ? 8 : CUTTLE_MAJOR == 12 ? 9 : 0;

/// Architectures that NVRTC of this library's version knows, ascending.
const std::vector<int>& supported_architectures();

} // namespace compilers::clang_nvrtc
