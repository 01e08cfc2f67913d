#include "generated_document.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <span>
#include <string>
#include <string_view>

// docs/runtime_api_coverage.md, made from the table. `runtime_api_coverage FILE` compares, `runtime_api_coverage
// --write FILE` rewrites.
namespace {

struct Function {
    std::string_view name, twin;
    bool has_body;
};

#define RT_FN(symbol, twin, needs, parameters, arguments) {#symbol, #twin, true},
#define RT_AS(symbol, name, twin, needs, parameters, arguments) {#symbol, #twin, true},
#define RT_RAW(symbol, result, parameters, arguments) {#symbol, "none", true},
#define RT_STUB(symbol, twin) {#symbol, #twin, false},
#define CUTTLE_CUDART_VERSION 11080
constexpr Function functions_11[] = {
#include "runtime_api/runtime_api.def"
};
#undef CUTTLE_CUDART_VERSION
#define CUTTLE_CUDART_VERSION 12090
constexpr Function functions_12[] = {
#include "runtime_api/runtime_api.def"
};
#undef CUTTLE_CUDART_VERSION
#define CUTTLE_CUDART_VERSION 13000
constexpr Function functions_13[] = {
#include "runtime_api/runtime_api.def"
};

struct Library {
    std::string_view name;
    std::span<const Function> functions;
};

constexpr Library libraries[] = {
    {"libcudart.so.11.0", functions_11}, {"libcudart.so.12", functions_12}, {"libcudart.so.13", functions_13}};

/// A name, and what each of the libraries has of it.
struct Row {
    std::string_view twin;
    std::array<std::string_view, std::size(libraries)> bodies;
};

std::string report() {
    std::map<std::string_view, Row> rows;
    std::string counts;
    for (size_t i = 0; i < std::size(libraries); ++i) {
        const auto& [library, functions] = libraries[i];
        size_t symbols = 0, with_body = 0;
        for (const Function& f : functions) {
            rows[f.name].twin = f.twin;
            rows[f.name].bodies[i] = f.has_body ? "yes" : "-";
            const size_t count = f.twin == "none" ? 1 : 2;
            symbols += count;
            with_body += f.has_body ? count : 0;
        }
        const auto covered = std::ranges::count_if(functions, [](const Function& f) { return f.has_body; });
        counts += fmt::format("| {} | {} | {} | {} | {} |\n", library, functions.size(), covered, symbols, with_body);
    }
    std::string out = "# Runtime API coverage\n\n"
                      "Made by `runtime_api_coverage --write docs/runtime_api_coverage.md` from "
                      "`libcuda_shim/runtime_api/runtime_api.def`; a test keeps the two equal. It says what Cuttle's "
                      "own libcudart has; a program that brings NVIDIA's has all of the runtime API that the "
                      "[driver API](api_coverage.md) carries.\n\n"
                      "| library | functions | with a body | exported symbols | with a body |\n"
                      "| --- | --- | --- | --- | --- |\n" +
                      counts +
                      "\nIn the list, \"-\" answers `cudaErrorNotSupported` and says so once in the log; an empty "
                      "field is a name that this version of CUDA does not have. What has no body is of OpenGL, EGL, "
                      "VDPAU and NvSci, which no device of ours has anything to do with, or begins with two "
                      "underscores and is in no program that we know.\n\n"
                      "| function | per-thread twin | 11 | 12 | 13 |\n| --- | --- | --- | --- | --- |\n";
    for (const auto& [name, row] : rows) {
        const std::string twin = row.twin == "none" ? "-" : fmt::format("`{}_{}`", name, row.twin);
        out += fmt::format("| {} | {} | {} |\n", name, twin, fmt::join(row.bodies, " | "));
    }
    return out;
}

} // namespace

int main(int argc, char** argv) { return keep_document(argc, argv, "runtime_api_coverage", report); }
