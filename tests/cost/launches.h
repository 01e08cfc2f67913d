#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace cost {

/// A row of launches.tsv: how a kernel is run to count its instructions. An argument is iN, fX or dX (int, float,
/// double), or a buffer: pf, pd (floats, doubles in [0, 1)), pu (any words), pz (zeros), prN (words below N), psN (0,
/// N, 2N ...).
struct Launch {
    std::string kernel;
    std::array<uint32_t, 3> grid{1, 1, 1}, block{1, 1, 1};
    std::vector<std::string> arguments;
};

std::vector<Launch> read_launches(const std::string& file);

/// The arguments as a kernel finds them, and the buffers that they point to. Made anew for each run: kernels write.
struct Arguments {
    explicit Arguments(const Launch&);
    /// Behind them what our kernels get when they use services (llvm_to_code/amdgpu.cpp): a block in which nobody asks
    /// for anything, and no workspace.
    void append_services();
    std::vector<uint8_t> packed;
    std::vector<std::vector<uint8_t>> values; ///< one by one
    std::vector<std::vector<uint32_t>> buffers;
};

} // namespace cost
