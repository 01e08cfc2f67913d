#include "generated_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <string_view>

// docs/runtime_api_coverage.md, made from the table. `runtime_api_coverage FILE` compares, `runtime_api_coverage
// --write FILE` rewrites.
namespace {

struct Function {
    std::string_view name, twin;
    bool has_body;
};

constexpr Function all_functions[] = {
#define RT_FN(symbol, twin, needs, parameters, arguments) {#symbol, #twin, true},
#define RT_RAW(symbol, result, parameters, arguments) {#symbol, "none", true},
#define RT_STUB(symbol, twin) {#symbol, #twin, false},
#include "runtime_api/runtime_api.def"
};

std::string report() {
    std::map<std::string_view, const Function*> rows;
    size_t symbols = 0, with_body = 0;
    for (const Function& f : all_functions) {
        rows[f.name] = &f;
        const size_t count = f.twin == "none" ? 1 : 2;
        symbols += count;
        with_body += f.has_body ? count : 0;
    }
    const auto covered = std::ranges::count_if(all_functions, [](const Function& f) { return f.has_body; });
    std::string out =
        "# Runtime API coverage\n\n"
        "Made by `runtime_api_coverage --write docs/runtime_api_coverage.md` from "
        "`libcuda_shim/runtime_api/runtime_api.def`; a test keeps the two equal. It says what Cuttle's own "
        "`libcudart.so.13` has; a program that brings NVIDIA's has all of the runtime API that the "
        "[driver API](api_coverage.md) carries.\n\n";
    out += fmt::format("{} functions, {} of them with a body; {} exported symbols, {} of them with a body. A symbol "
                       "without one answers `cudaErrorNotSupported` and says so once in the log.\n\n",
                       std::size(all_functions), covered, symbols, with_body);
    out += "| function | per-thread twin | body |\n| --- | --- | --- |\n";
    for (const auto& [name, function] : rows) {
        const std::string twin = function->twin == "none" ? "-" : fmt::format("`{}_{}`", name, function->twin);
        out += fmt::format("| {} | {} | {} |\n", name, twin, function->has_body ? "yes" : "-");
    }
    return out;
}

} // namespace

int main(int argc, char** argv) { return keep_document(argc, argv, "runtime_api_coverage", report); }
