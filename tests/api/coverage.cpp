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

/// Why a symbol has no body: the last column of CU_STUB.
namespace reasons {
constexpr const char* checkpoint = "a CPU device's memory is the process's own, which tools for processes save";
constexpr const char* graphics = "no device of ours shows pictures: nothing to share with OpenGL, EGL or VDPAU";
constexpr const char* nvsci = "NvSci is of NVIDIA's embedded systems";
constexpr const char* sparse = "arrays have all of their memory: the attribute SPARSE_CUDA_ARRAY_SUPPORTED is 0";
constexpr const char* unknown_answers = "newer than the GPU's driver that tells us what is right";
} // namespace reasons

struct Symbol {
    const char *symbol, *name;
    int since;
    const char* missing; ///< null for one with a body
};

#define CU_ROW_none(symbol, name, since, missing) {#symbol, #name, since, missing},
#define CU_ROW_ptsz(symbol, name, since, missing)                                                                      \
    CU_ROW_none(symbol, name, since, missing){#symbol "_ptsz", #name, since, missing},
#define CU_ROW_ptds(symbol, name, since, missing)                                                                      \
    CU_ROW_none(symbol, name, since, missing){#symbol "_ptds", #name, since, missing},
constexpr Symbol all_symbols[] = {
#define CU_FN(symbol, name, since, twin, needs, parameters, arguments) CU_ROW_##twin(symbol, name, since, nullptr)
#define CU_AS(symbol, name, since, twin, needs, parameters, arguments, body) CU_ROW_##twin(symbol, name, since, nullptr)
#define CU_STUB(symbol, name, since, twin, parameters, arguments, reason)                                              \
    CU_ROW_##twin(symbol, name, since, reasons::reason)
#include "api/driver_api.def"
};

std::string version(int since) { return fmt::format("{}.{}", since / 1000, since % 1000 / 10); }

struct Row {
    int since = 0;
    std::set<std::string_view> with_body, without_body;
    std::string_view missing = "-";
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
        (s.missing ? row.without_body : row.with_body).insert(s.symbol);
        if (s.missing)
            row.missing = s.missing;
        else
            ++bodies;
    }
    const auto covered = std::ranges::count_if(rows, [](const auto& r) { return !r.second.with_body.empty(); });
    std::string out = "# Driver API coverage\n\n"
                      "Made by `api_coverage --write docs/api_coverage.md` from `libcuda_shim/api/driver_api.def`; a "
                      "test keeps the two equal.\n\n";
    out += fmt::format("{} functions, {} of them with a body; {} exported symbols, {} of them with a body. A symbol "
                       "without one answers `CUDA_ERROR_NOT_SUPPORTED` and says so once in the log.\n\n",
                       rows.size(), covered, std::size(all_symbols), bodies);
    out += "| function | since | symbols with a body | symbols without | why not |\n| --- | --- | --- | --- | --- |\n";
    for (const auto& [name, row] : rows) {
        out += fmt::format("| {} | {} | {} | {} | {} |\n", name, version(row.since), list(row.with_body),
                           list(row.without_body), row.missing);
    }
    return out;
}

} // namespace

int main(int argc, char** argv) { return keep_document(argc, argv, "api_coverage", report); }
