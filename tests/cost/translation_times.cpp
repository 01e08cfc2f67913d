// translation_times FILE.ptx ...: how long each kernel's translation takes, for this machine's processor and for AMD
// GPUs, in milliseconds of processor time, the least of several. No test: times are the machine's.
#include "ptx/translate.h"

#include <algorithm>
#include <cmath>
#include <ctime>
#include <exception>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

constexpr int repetitions = 3;

struct Way {
    const char* name;
    const char* target;
    uint8_t warp; ///< the host's CUTTLE_CPU_MODE, as in ptx::Options
};
constexpr Way ways[] = {{"phases", "host", 0},
                        {"warp", "host", 1},
                        {"auto", "host", 2},
                        {"gfx1100", "amdgcn:gfx1100", 0},
                        {"gfx942", "amdgcn:gfx942", 0}};

/// NaN when it is refused.
double time_of(std::string_view source, const std::string& kernel, const Way& way) {
    double least = std::nan("");
    for (int i = 0; i < repetitions; ++i) {
        ptx::Request request;
        request.sources = {&source, 1};
        request.kernels = {kernel};
        request.target = ptx::Target::parse(way.target);
        request.options.phases = request.target.arch == ptx::Arch::host;
        request.options.warp = way.warp;
        if (way.warp) request.target.divide(32, 1);
        const std::clock_t start = std::clock();
        try {
            const ptx::Image image = ptx::translate(request);
            if (image.code.empty()) return std::nan("");
        } catch (const std::exception&) {
            return std::nan("");
        }
        const double time = double(std::clock() - start) / CLOCKS_PER_SEC * 1e3;
        if (!(least <= time)) least = time;
    }
    return least;
}

/// Times as multiples of the first way's.
struct Ratios {
    double logarithms = 0, greatest = 0;
    size_t greater = 0; ///< than 1
    std::string of_greatest;

    void add(double ratio, const std::string& kernel) {
        logarithms += std::log(ratio);
        if (ratio > 1) greater++;
        if (ratio <= greatest) return;
        greatest = ratio;
        of_greatest = kernel;
    }
};

} // namespace

int main(int argc, char** argv) {
    Ratios ratios[std::size(ways)];
    size_t kernels = 0;
    fmt::print("{:<28}", "kernel");
    for (const Way& way : ways) fmt::print("{:>10}", way.name);
    fmt::print("\n");
    for (int i = 1; i < argc; ++i) {
        std::ifstream file(argv[i], std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        const std::string_view source = text;
        for (const ptx::KernelInfo& kernel : ptx::index({&source, 1}).kernels) {
            double times[std::size(ways)];
            for (size_t way = 0; way < std::size(ways); ++way) times[way] = time_of(source, kernel.name, ways[way]);
            fmt::print("{:<28}", kernel.name);
            for (double time : times) fmt::print("{:>10.1f}", time);
            fmt::print("\n");
            if (std::any_of(std::begin(times), std::end(times), [](double time) { return std::isnan(time); })) continue;
            ++kernels;
            for (size_t way = 0; way < std::size(ways); ++way) ratios[way].add(times[way] / times[0], kernel.name);
        }
    }
    if (!kernels) return 1;
    fmt::print("{:<28}", fmt::format("of the first ({})", kernels));
    for (const Ratios& each : ratios) fmt::print("{:>10.2f}", std::exp(each.logarithms / double(kernels)));
    fmt::print("\n{:<28}", "more than the first");
    for (const Ratios& each : ratios) fmt::print("{:>10}", each.greater);
    fmt::print("\n");
    for (size_t way = 1; way < std::size(ways); ++way)
        fmt::print("{}: at most {:.2f}, {}\n", ways[way].name, ratios[way].greatest, ratios[way].of_greatest);
}
