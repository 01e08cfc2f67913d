// PTX ISA 11.4: .reqnctapercluster, .explicitcluster, .maxclusterrank. The errors are those of an H100's driver.
#include "rt/context.h"
#include "rt/module.h"
#include "support/log.h"

#include <algorithm>

namespace rt {
namespace {

using backend::Dim3;

constexpr uint64_t portable_size = 8, largest_size = 16;
constexpr int cluster_launch_attribute = 120, non_portable_attribute = 14, required_width_attribute = 11;

bool given_at_all(Dim3 d) { return d.x || d.y || d.z; }
bool equal(Dim3 a, Dim3 b) { return a.x == b.x && a.y == b.y && a.z == b.z; }

Dim3 required_of(Function& function) {
    uint32_t d[3];
    for (int axis = 0; axis < 3; axis++) d[axis] = uint32_t(function.attribute(required_width_attribute + axis));
    if (!d[0] && !d[1] && !d[2]) return {0, 0, 0};
    return {std::max(d[0], 1u), std::max(d[1], 1u), std::max(d[2], 1u)};
}

[[noreturn]] void refuse(Function& function, Dim3 d, const std::string& why) {
    throw Error(Status::invalid_cluster_size,
                fmt::format("{}: a cluster of ({}, {}, {}): {}", function.name(), d.x, d.y, d.z, why));
}

} // namespace

Dim3 Function::cluster_for(Dim3 grid, Dim3 given) {
    Function& function = *this;
    const Dim3 required = required_of(function);
    if (given_at_all(given) && given_at_all(required) && !equal(given, required))
        refuse(function, given, fmt::format("the kernel is made for ({}, {}, {})", required.x, required.y, required.z));
    const Dim3 size = given_at_all(given) ? given : required;
    if (!given_at_all(size)) {
        if (function.info().explicit_cluster) refuse(function, size, "the launch must give one");
        return {1, 1, 1};
    }
    if (!size.count()) refuse(function, size, "of no blocks");
    const auto& device = function.module().context().device();
    if (size.count() > 1 && !device.attribute(cluster_launch_attribute).value_or(0))
        throw Error(Status::not_supported,
                    function.name() + ": thread block clusters need a device of compute capability 9.0 or above");
    if (const uint32_t most = function.info().max_cluster_rank; most && size.count() > most)
        refuse(function, size, fmt::format("the kernel allows {} blocks", most));
    const uint64_t most = function.attribute(non_portable_attribute) ? largest_size : portable_size;
    if (size.count() > most) refuse(function, size, fmt::format("{} blocks are allowed", most));
    if (grid.x % size.x || grid.y % size.y || grid.z % size.z)
        refuse(function, size, fmt::format("the grid of ({}, {}, {}) is no multiple of it", grid.x, grid.y, grid.z));
    return size;
}

} // namespace rt
