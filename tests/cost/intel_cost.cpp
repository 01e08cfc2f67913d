// What Intel's compiler, which needs no GPU, makes of the SPIR-V of the files' kernels for some of Intel's chips. Each
// kernel must compile, with sub-groups of 32.
//   intel_cost check|update OCLOC FOLDER SCRATCH FILE.ptx ... [PEER.spv ...]
//                     compares with FOLDER/intel.tsv: code that has grown, or spills more, fails; or writes that table,
//                     with the figures of the peer's code beside ours
//   intel_cost check-programs|update-programs OCLOC FOLDER SCRATCH CHIP FILE.ptx[:FILE.ptx ...] ...
//                     for one chip; FOLDER/CHIP_programs.tsv has only the kernels that spill
#include "table.h"
#include "zebin.h"

#include "ptx/translate.h"

#include <cstdlib>
#include <fmt/format.h>
#include <fstream>
#include <iterator>

namespace cost {
namespace {

constexpr Figure figures[] = {{"code", true}, {"spilled", false}}, figures_of_programs[] = {{"spilled", false}};

/// One of each: Gen12 (Tiger Lake), Xe HPG (Arc A770), Xe HPC (Data Center GPU Max).
constexpr const char* chips[] = {"tgllp", "acm-g10", "pvc"};

/// As runtime/backend/level_zero/code.cpp asks for it; and chips without doubles emulate them.
constexpr const char* command =
    "IGC_EnableDPEmulation=1 OverrideDefaultFP64Settings=1 '{0}' compile -spirv_input -file "
    "'{1}' -device {2} -output '{1}.{2}' -output_no_suffix -options "
    "'-ze-opt-greater-than-4GB-buffer-required -cl-fp32-correctly-rounded-divide-sqrt' "
    "-internal_options '-cl-intel-enable-zebin -cl-intel-allow-zebin' >'{1}.{2}.log' 2>&1";

std::vector<uint8_t> read_file(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    if (!file) throw std::runtime_error(name + ": cannot be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Files that are linked, separated by colons. Kernels that our target refuses are left out.
std::vector<uint8_t> translated(const std::string& files) {
    std::vector<std::string> texts;
    for (size_t begin = 0; begin <= files.size();) {
        const size_t end = std::min(files.find(':', begin), files.size());
        const std::vector<uint8_t> bytes = read_file(files.substr(begin, end - begin));
        texts.emplace_back(bytes.begin(), bytes.end());
        begin = end + 1;
    }
    const std::vector<std::string_view> sources(texts.begin(), texts.end());
    ptx::Request request;
    request.sources = sources;
    request.target = ptx::Target::parse("spirv");
    return ptx::translate(request).code;
}

struct Gate {
    std::string ocloc, scratch;
    unsigned compiled = 0, wrong = 0;

    std::map<std::string, ZebinKernel> compile(const std::string& file, const std::vector<uint8_t>& spirv,
                                               const char* chip) {
        const std::string module = scratch + "/" + file.substr(file.rfind('/') + 1) + ".spv";
        std::ofstream(module, std::ios::binary)
            .write(reinterpret_cast<const char*>(spirv.data()), std::streamsize(spirv.size()));
        const std::string code = module + "." + chip;
        std::remove(code.c_str());
        if (std::system(fmt::format(command, ocloc, module, chip).c_str()) != 0) {
            const std::vector<uint8_t> log = read_file(code + ".log");
            fmt::print("{}: {}: Intel's compiler fails:\n{}\n", file, chip, std::string(log.begin(), log.end()));
            ++wrong;
            return {};
        }
        const auto kernels = read_zebin(read_file(code));
        for (const auto& [name, kernel] : kernels) {
            ++compiled;
            if (kernel.simd == 32) continue;
            fmt::print("{}: {}: {}: sub-groups of {}\n", file, chip, name, kernel.simd);
            ++wrong;
        }
        return kernels;
    }
};

int check_programs(bool update, Gate& gate, const std::string& folder, std::span<char*> chip_and_files) {
    const char* chip = chip_and_files[0];
    const std::string table_file = fmt::format("{}/{}_programs.tsv", folder, chip);
    const Table stored(figures_of_programs, table_file);
    Table now(figures_of_programs);
    for (const std::string file : chip_and_files.subspan(1)) {
        const std::vector<uint8_t> spirv = translated(file);
        if (spirv.empty()) continue; // all of its kernels are refused
        std::string program = file.substr(file.rfind('/') + 1);
        program.resize(program.find('.'));
        for (const auto& [name, kernel] : gate.compile(file, spirv, chip))
            if (kernel.spill_bytes) now[fmt::format("{}:{}", program, name)].ours = {kernel.spill_bytes};
    }
    fmt::print("{} kernels, {} wrong\n", gate.compiled, gate.wrong);
    if (update) now.write(table_file);
    return gate.wrong || gate.compiled == 0 || (!update && stored.compare(now));
}

int check_kernels(bool update, Gate& gate, const std::string& folder, std::span<char*> files) {
    const std::string table_file = folder + "/intel.tsv";
    const Table stored(figures, table_file);
    Table now(figures);
    for (const std::string file : files) {
        const bool is_peer = file.ends_with(".spv");
        const std::vector<uint8_t> spirv = is_peer ? read_file(file) : translated(file);
        if (spirv.empty()) continue; // all of its kernels are refused
        for (const char* chip : chips)
            for (const auto& [name, kernel] : gate.compile(file, spirv, chip)) {
                Table::Row& row = now[fmt::format("{}:{}", chip, name)];
                (is_peer ? row.peer : row.ours) = {kernel.code_bytes, kernel.spill_bytes};
            }
    }
    fmt::print("{} times a kernel for a chip, {} wrong\n", gate.compiled, gate.wrong);
    if (update) {
        now.write(table_file);
        now.print_means("intel");
    }
    if (gate.wrong || gate.compiled == 0) return 1;
    if (update) return 0;
    now.take_peer_from(stored);
    if (stored.compare(now)) return 1;
    now.print_means("intel");
    return 0;
}

} // namespace
} // namespace cost

int main(int argc, char** argv) {
    const std::string mode = argc > 1 ? argv[1] : "";
    const bool update = mode.starts_with("update"), programs = mode.ends_with("-programs");
    if (argc < 6 || (mode != "check" && mode != "update" && mode != "check-programs" && mode != "update-programs")) {
        fmt::print(stderr,
                   "usage: intel_cost check|update OCLOC FOLDER SCRATCH FILE.ptx ... [PEER.spv ...]\n"
                   "       intel_cost check-programs|update-programs OCLOC FOLDER SCRATCH CHIP FILE.ptx ...\n");
        return 2;
    }
    try {
        cost::Gate gate{argv[2], argv[4]};
        const std::span files(argv + 5, static_cast<size_t>(argc - 5));
        return (programs ? cost::check_programs : cost::check_kernels)(update, gate, argv[3], files);
    } catch (const std::exception& error) {
        fmt::print(stderr, "intel_cost: {}\n", error.what());
        return 1;
    }
}
