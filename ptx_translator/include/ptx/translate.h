#pragma once

#include "ptx/image.h"

#include <functional>
#include <span>
#include <string>
#include <string_view>

/// The translator's doors. Pure functions: no environment, no files, no logging. They throw ptx::Error
/// (ast/position.h) with line and column.
namespace ptx {

/// Parses and links `sources` (one for an ordinary module, several for -rdc=true code) and says what they offer.
/// Throws when the text as a whole is no PTX module; a broken function only sets KernelInfo::error of the kernels that
/// reach it.
ModuleInfo index(std::span<const std::string_view> sources);

struct Request {
    std::span<const std::string_view> sources;
    Target target;
    Options options;
    /// Kernels to translate; empty = all that can be. A named kernel that is broken makes translate throw its error.
    std::vector<std::string> kernels;
    /// Also emit these device functions with addressable symbols (ModuleInfo::functions_in_data).
    std::vector<std::string> functions;
    /// Called after each stage with its name ("ast", "llvm", "optimized", "assembly") and a text dump, if set.
    /// Returning false stops the translation there; translate then returns an Image without code.
    std::function<bool(std::string_view stage, const std::string& dump)> after_stage;
};

Image translate(const Request&);

/// Version of the translator's output: part of every cache key. Changes whenever generated code may change.
std::string translator_version();

} // namespace ptx
