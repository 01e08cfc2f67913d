#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

/// The data of the oracle: see README.md.
namespace oracle {

constexpr unsigned threads = 512, block_threads = 128;
constexpr unsigned input_slots = 4, output_slots = 2;
constexpr uint8_t untouched = 0xaa;

struct Case {
    std::string group, kernel;
    std::vector<std::string> inputs, outputs; ///< types
    std::string tolerance;
};

/// Where cases.tsv, GROUP.ptx, inputs/ and expected/ are: data/ beside the sources unless set.
const std::string& data_folder();
void set_data_folder(const std::string& path);
/// Where expected_failures*.tsv and data/ are: the sources unless set.
void set_folder(const std::string& path);

std::vector<Case> read_cases();
/// Kernel to reason. The device "hip" has some of its own beside those of "cpu".
std::map<std::string, std::string> read_expected_failures(const std::string& device);

std::string read_ptx(const std::string& group);
/// threads * input_slots slots.
std::vector<uint64_t> read_inputs(const Case&);
/// threads * outputs.size() values.
std::vector<uint64_t> read_expected(const Case&);

/// Bytes of a value of this type; throws std::runtime_error for an unknown one.
unsigned size_of(const std::string& type);
/// The low bytes of a slot that belong to the type.
uint64_t truncate(uint64_t slot, const std::string& type);

} // namespace oracle
