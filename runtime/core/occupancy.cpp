#include "core/occupancy.h"

#include "backend/clusters.h"
#include "rt/context.h"
#include "rt/occupancy.h"

#include <algorithm>

namespace rt {
namespace {

constexpr uint64_t round_up(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

// Registers are handed to warps in units of 256, from four equal banks.
uint64_t blocks_by_registers(const backend::DeviceFacts& facts, uint64_t registers, uint64_t warps) {
    constexpr uint64_t unit = 256, banks = 4;
    uint64_t of_warp = round_up(registers * 32, unit);
    return facts.registers_per_block / banks / of_warp * banks / warps;
}

} // namespace

int blocks_per_multiprocessor(const backend::DeviceFacts& facts, int capability, const ptx::KernelInfo& kernel,
                              int threads, size_t dynamic_shared_bytes) {
    if (threads <= 0 || uint32_t(threads) > facts.max_threads_per_block) return 0;
    const uint64_t warps = (uint64_t(threads) + 31) / 32;
    uint64_t blocks = facts.max_blocks_per_multiprocessor;
    blocks = std::min<uint64_t>(blocks, facts.max_threads_per_multiprocessor / 32 / warps);
    const uint64_t shared = kernel.static_shared_bytes + uint64_t(dynamic_shared_bytes);
    if (shared > facts.shared_bytes_per_block_optin) return 0;
    if (const uint64_t taken = round_up(shared + uint64_t(reserved_shared_bytes(capability)), 128))
        blocks = std::min(blocks, facts.shared_bytes_per_multiprocessor / taken);
    // The host's register count is an estimate, and nothing there runs out of registers.
    if (facts.target.arch != ptx::Arch::host && kernel.registers)
        blocks = std::min(blocks, blocks_by_registers(facts, kernel.registers, warps));
    return int(blocks);
}

uint64_t max_active_clusters(Function& function, backend::Dim3 block, uint32_t dynamic_shared_bytes,
                             backend::Dim3 cluster) {
    auto& device = function.module().context().device();
    const uint64_t blocks = uint64_t(function.max_active_blocks(int(block.count()), dynamic_shared_bytes)) *
                            device.facts().multiprocessors;
    const uint64_t clusters = blocks / cluster.count();
    const auto* limits = dynamic_cast<const backend::ClusterLimits*>(&device.backend());
    if (!limits) return clusters;
    const backend::Launch one{.kernel = &function.resolve(),
                              .grid = cluster,
                              .block = block,
                              .cluster = cluster,
                              .dynamic_shared_bytes = dynamic_shared_bytes,
                              .parameters = {}};
    return std::min(clusters, limits->resident_clusters(one));
}

} // namespace rt
