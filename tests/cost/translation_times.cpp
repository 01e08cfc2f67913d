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
constexpr Way ways[] = {{"auto", "host", 2},
                        {"phases", "host", 0},
                        {"warp", "host", 1},
                        {"gfx1100", "amdgcn:gfx1100", 0},
                        {"gfx942", "amdgcn:gfx942", 0}};
/// What the others are compared with: the host as users have it, and the least that it does.
constexpr size_t compared = 2;

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

/// Times of all ways as multiples of one's.
struct Ratios {
    double logarithms[std::size(ways)] = {}, greatest[std::size(ways)] = {};
    size_t greater[std::size(ways)] = {}; ///< than 1
    std::string of_greatest[std::size(ways)];

    void add(const double (&times)[std::size(ways)], size_t base, const std::string& kernel) {
        for (size_t way = 0; way < std::size(ways); ++way) {
            const double ratio = times[way] / times[base];
            logarithms[way] += std::log(ratio);
            if (ratio > 1) greater[way]++;
            if (ratio <= greatest[way]) continue;
            greatest[way] = ratio;
            of_greatest[way] = kernel;
        }
    }
    void print(const char* base, size_t kernels) const {
        fmt::print("{:<28}", fmt::format("of {} ({})", base, kernels));
        for (double sum : logarithms) fmt::print("{:>10.2f}", std::exp(sum / double(kernels)));
        fmt::print("\n{:<28}", fmt::format("longer than {}", base));
        for (size_t count : greater) fmt::print("{:>10}", count);
        fmt::print("\n{:<28}", fmt::format("at most, of {}", base));
        for (double ratio : greatest) fmt::print("{:>10.2f}", ratio);
        fmt::print("\n");
        for (size_t way = 0; way < std::size(ways); ++way)
            if (greatest[way] > 1) fmt::print("  {}: {}\n", ways[way].name, of_greatest[way]);
    }
};

} // namespace

int main(int argc, char** argv) {
    Ratios ratios[compared];
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
            for (size_t base = 0; base < compared; ++base) ratios[base].add(times, base, kernel.name);
        }
    }
    if (!kernels) return 1;
    for (size_t base = 0; base < compared; ++base) ratios[base].print(ways[base].name, kernels);
}
