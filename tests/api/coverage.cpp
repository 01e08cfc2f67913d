#include "generated_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <string_view>

// docs/api_coverage.md, made from the table. `api_coverage FILE` compares, `api_coverage --write FILE` rewrites.
namespace {

struct Symbol {
    const char *symbol, *name;
    int since;
    bool has_body;
};

#define CU_ROW_none(symbol, name, since, body) {#symbol, #name, since, body},
#define CU_ROW_ptsz(symbol, name, since, body)                                                                         \
    CU_ROW_none(symbol, name, since, body){#symbol "_ptsz", #name, since, body},
#define CU_ROW_ptds(symbol, name, since, body)                                                                         \
    CU_ROW_none(symbol, name, since, body){#symbol "_ptds", #name, since, body},
constexpr Symbol all_symbols[] = {
#define CU_FN(symbol, name, since, twin, needs, parameters, arguments) CU_ROW_##twin(symbol, name, since, true)
#define CU_AS(symbol, name, since, twin, needs, parameters, arguments, body) CU_ROW_##twin(symbol, name, since, true)
#define CU_STUB(symbol, name, since, twin, parameters, arguments) CU_ROW_##twin(symbol, name, since, false)
#include "api/driver_api.def"
};

std::string version(int since) { return fmt::format("{}.{}", since / 1000, since % 1000 / 10); }

struct Row {
    int since = 0;
    std::set<std::string_view> with_body, without_body;
};

std::string list(const std::set<std::string_view>& names) {
    std::string out;
    for (std::string_view name : names) out += fmt::format("{}`{}`", out.empty() ? "" : " ", name);
    return out.empty() ? "-" : out;
}

std::string report() {
    std::map<std::string_view, Row> rows;
    size_t bodies = 0;
    for (const Symbol& s : all_symbols) {
        Row& row = rows[s.name];
        if (!row.since || s.since < row.since) row.since = s.since;
        (s.has_body ? row.with_body : row.without_body).insert(s.symbol);
        bodies += s.has_body;
    }
    const auto covered = std::ranges::count_if(rows, [](const auto& r) { return !r.second.with_body.empty(); });
    std::string out = "# Driver API coverage\n\n"
                      "Made by `api_coverage --write docs/api_coverage.md` from `libcuda_shim/api/driver_api.def`; a "
                      "test keeps the two equal.\n\n";
    out += fmt::format("{} functions, {} of them with a body; {} exported symbols, {} of them with a body. A symbol "
                       "without one answers `CUDA_ERROR_NOT_SUPPORTED` and says so once in the log.\n\n",
                       rows.size(), covered, std::size(all_symbols), bodies);
    out += "| function | since | symbols with a body | symbols without |\n| --- | --- | --- | --- |\n";
    for (const auto& [name, row] : rows) {
        out += fmt::format("| {} | {} | {} | {} |\n", name, version(row.since), list(row.with_body),
                           list(row.without_body));
    }
    return out;
}

} // namespace

int main(int argc, char** argv) { return keep_document(argc, argv, "api_coverage", report); }
