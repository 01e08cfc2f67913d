// translation_times [--host] [--block X Y] [--rounds N] FILE.ptx ...: how long each kernel's translation takes, for
// this machine's processor and, but with --host, for AMD GPUs, in milliseconds of processor time, the least of several.
// Tiles are made for blocks of that size (32 1). No test: times are the machine's.
#include "ptx/translate.h"

#include <algorithm>
#include <CLI/CLI.hpp>
#include <cmath>
#include <ctime>
#include <exception>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

struct Way {
    const char* name;
    const char* target;
    bool phases; ///< the host's CUTTLE_CPU_MODE, as in ptx::Options
    uint8_t warp;
};
constexpr Way ways[] = {{"lane", "host", false, 0},
                        {"auto", "host", true, 2},
                        {"phases", "host", true, 0},
                        {"warp", "host", true, 1},
                        {"gfx1100", "amdgcn:gfx1100", false, 0},
                        {"gfx942", "amdgcn:gfx942", false, 0}};
/// What the others are compared with: the host with fibers, as users have it, and without vectors.
constexpr size_t compared = 3, of_host = 4;

struct Arguments {
    size_t count = std::size(ways); ///< of the ways
    int rounds = 3;
    std::pair<uint32_t, uint32_t> block = {32, 1};
    std::vector<std::string> files;
};

/// NaN when it is refused.
double time_of(std::string_view source, const std::string& kernel, const Way& way, const Arguments& arguments) {
    ptx::Request request;
    request.sources = {&source, 1};
    request.kernels = {kernel};
    request.target = ptx::Target::parse(way.target);
    request.options.phases = way.phases;
    request.options.warp = way.warp;
    if (way.warp) request.target.divide(arguments.block.first, arguments.block.second);
    const std::clock_t start = std::clock();
    try {
        if (ptx::translate(request).code.empty()) return std::nan("");
    } catch (const std::exception&) {
        return std::nan("");
    }
    return double(std::clock() - start) / CLOCKS_PER_SEC * 1e3;
}

using Times = std::vector<double>;

/// The least of the rounds, in which all ways take turns, as the machine may be busy for a while.
Times times_of(std::string_view source, const std::string& kernel, const Arguments& arguments) {
    Times least(arguments.count, std::nan(""));
    for (int round = 0; round < arguments.rounds; ++round)
        for (size_t way = 0; way < arguments.count; ++way) {
            const double time = time_of(source, kernel, ways[way], arguments);
            if (!(least[way] <= time)) least[way] = time;
        }
    return least;
}

/// Times of all ways as multiples of one's.
struct Ratios {
    double logarithms[std::size(ways)] = {}, greatest[std::size(ways)] = {};
    size_t greater[std::size(ways)] = {}; ///< than 1
    std::string of_greatest[std::size(ways)];

    void add(const Times& times, size_t base, const std::string& kernel) {
        for (size_t way = 0; way < times.size(); ++way) {
            const double ratio = times[way] / times[base];
            logarithms[way] += std::log(ratio);
            if (ratio > 1) greater[way]++;
            if (ratio <= greatest[way]) continue;
            greatest[way] = ratio;
            of_greatest[way] = kernel;
        }
    }
    void print(const char* base, size_t kernels, size_t count) const {
        fmt::print("{:<28}", fmt::format("of {} ({})", base, kernels));
        for (size_t way = 0; way < count; ++way) fmt::print("{:>10.2f}", std::exp(logarithms[way] / double(kernels)));
        fmt::print("\n{:<28}", fmt::format("longer than {}", base));
        for (size_t way = 0; way < count; ++way) fmt::print("{:>10}", greater[way]);
        fmt::print("\n{:<28}", fmt::format("at most, of {}", base));
        for (size_t way = 0; way < count; ++way) fmt::print("{:>10.2f}", greatest[way]);
        fmt::print("\n");
        for (size_t way = 0; way < count; ++way)
            if (greatest[way] > 1) fmt::print("  {}: {}\n", ways[way].name, of_greatest[way]);
    }
};

} // namespace

int main(int argc, char** argv) {
    Arguments arguments;
    bool host = false;
    CLI::App app("How long each kernel's translation takes");
    app.add_flag("--host", host, "for this machine's processor only");
    app.add_option("--block", arguments.block, "the blocks' size by x and y");
    app.add_option("--rounds", arguments.rounds, "of which the least counts")->check(CLI::PositiveNumber);
    app.add_option("files", arguments.files, "PTX")->required()->check(CLI::ExistingFile);
    CLI11_PARSE(app, argc, argv);
    if (host) arguments.count = of_host;
    Ratios ratios[compared];
    size_t kernels = 0;
    fmt::print("{:<28}", "kernel");
    for (size_t way = 0; way < arguments.count; ++way) fmt::print("{:>10}", ways[way].name);
    fmt::print("{:>10}\n", "auto/lane");
    for (const std::string& name : arguments.files) {
        std::ifstream file(name, std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        const std::string_view source = text;
        for (const ptx::KernelInfo& kernel : ptx::index({&source, 1}).kernels) {
            const Times times = times_of(source, kernel.name, arguments);
            fmt::print("{:<28}", kernel.name);
            for (double time : times) fmt::print("{:>10.1f}", time);
            fmt::print("{:>10.2f}\n", times[1] / times[0]);
            if (std::any_of(times.begin(), times.end(), [](double time) { return std::isnan(time); })) continue;
            ++kernels;
            for (size_t base = 0; base < compared; ++base) ratios[base].add(times, base, kernel.name);
        }
    }
    if (!kernels) return 1;
    for (size_t base = 0; base < compared; ++base) ratios[base].print(ways[base].name, kernels, arguments.count);
}
