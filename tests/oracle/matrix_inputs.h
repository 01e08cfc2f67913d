#pragma once

#include <cstdint>
#include <string>
#include <vector>

/// The cases of matrix/cases.tsv and their inputs, which a hash of the name makes: nothing but results is stored.
namespace oracle::matrix {

struct Operand {
    std::string format; ///< an element type; "bytes": a matrix in memory; "meta24" and "meta12": sparsity metadata
    unsigned words = 0; ///< 32-bit registers of a lane; of "bytes": bytes
};

struct Case {
    std::string name;
    Operand a, b, c, metadata, d;
    std::string instruction, immediate;

    bool is_load() const { return a.format == "bytes"; }
    bool is_store() const { return d.format == "bytes"; }
    bool is_transfer() const { return is_load() || is_store(); }
    bool is_floating() const;
};

std::vector<Case> read_cases(const std::string& folder);
/// Kernel NAME(.u64 in, .u64 out): each warp of the grid takes one set of registers or one matrix.
std::string kernel_text(const Case&);

/// One warp for each: raw bits, the whole range, near one, one exponent, small integers, subnormal, sparse, specials,
/// outliers, largest. Integers have the first four, which are raw, two of extreme values, and small accumulators.
constexpr unsigned distributions = 10, integer_distributions = 4;
/// The fourth gives sparse forms any metadata, also what the manual leaves undefined.
constexpr unsigned any_metadata = 3;
std::vector<unsigned> distributions_of(const Case&);
/// Registers [word][lane] of a, b, c and metadata.
std::vector<uint32_t> registers(const Case&, unsigned distribution);

/// Transfers: image i of what is read holds, for each bit, bit i of its number. So the images say where each bit went.
constexpr unsigned images = 14;
std::vector<uint8_t> numbered_bits(size_t bytes);

} // namespace oracle::matrix
