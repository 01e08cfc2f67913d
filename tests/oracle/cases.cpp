#include "cases.h"

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace oracle {
namespace {

std::string folder = ORACLE_FOLDER, data = folder + "/data";

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw std::runtime_error("cannot read " + path);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::vector<std::string> split(const std::string& text, char separator) {
    std::vector<std::string> parts;
    std::istringstream stream(text);
    for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
    return parts;
}

/// The rows of a table with a head line.
std::vector<std::vector<std::string>> read_table(const std::string& path, size_t columns) {
    std::vector<std::vector<std::string>> rows;
    for (const std::string& line : split(read_file(path), '\n')) {
        rows.push_back(split(line, '\t'));
        if (rows.back().size() != columns) throw std::runtime_error(path + ": bad row: " + line);
    }
    rows.erase(rows.begin());
    return rows;
}

// clang-format off
const std::map<std::string, unsigned> sizes = {
    {"u16x2", 4},  {"s16x2", 4},  {"cf16", 2}, {"cbf16", 2}, {"cf32", 4}, {"cf64", 8}, {"u8", 1},
    {"s8", 1},     {"b8", 1},     {"u16", 2},  {"s16", 2},   {"b16", 2},  {"f16", 2},  {"bf16", 2},
    {"e4m3x2", 2}, {"e5m2x2", 2}, {"u32", 4},  {"s32", 4},   {"b32", 4},  {"f32", 4},  {"tf32", 4},
    {"f16x2", 4},  {"bf16x2", 4}, {"pred", 4}, {"sh", 4},    {"trig", 4}, {"ex2", 4},  {"u64", 8},
    {"s64", 8},    {"b64", 8},    {"f64", 8},  {"fd", 8},    {"h4", 8},
    {"tiny_f16", 2}, {"tiny_f32", 4}, {"tiny_f64", 8},
};
// clang-format on

} // namespace

const std::string& data_folder() { return data; }

void set_data_folder(const std::string& path) { data = path; }

void set_folder(const std::string& path) {
    folder = path;
    data = path + "/data";
}

std::vector<Case> read_cases() {
    std::vector<Case> cases;
    for (const auto& row : read_table(data + "/cases.tsv", 5))
        cases.push_back({row[0], row[1], split(row[2], ','), split(row[3], ','), row[4]});
    return cases;
}

std::map<std::string, std::string> read_expected_failures(const std::string& device) {
    std::map<std::string, std::string> reasons;
    for (const auto& row : read_table(folder + "/expected_failures.tsv", 2)) reasons[row[0]] = row[1];
    if (device == "cpu") return reasons;
    for (const auto& row : read_table(folder + "/expected_failures." + device + ".tsv", 2)) reasons[row[0]] = row[1];
    return reasons;
}

std::string read_ptx(const std::string& group) { return read_file(data + "/" + group + ".ptx"); }

std::vector<uint64_t> read_inputs(const Case& test) {
    std::string name;
    for (const std::string& type : test.inputs) name += (name.empty() ? "" : "_") + type;
    // A family of groups (`scalar_...`) may have inputs of its own.
    const std::string own = data + "/inputs/" + test.group.substr(0, test.group.find('_')) + "/" + name + ".bin";
    const std::string bytes = read_file(std::filesystem::exists(own) ? own : data + "/inputs/" + name + ".bin");
    std::vector<uint64_t> slots(threads * input_slots);
    if (bytes.size() != slots.size() * sizeof(uint64_t)) throw std::runtime_error(name + ".bin has the wrong size");
    std::memcpy(slots.data(), bytes.data(), bytes.size());
    return slots;
}

std::vector<uint64_t> read_expected(const Case& test) {
    const std::string bytes = read_file(data + "/expected/" + test.kernel + ".bin");
    std::vector<uint64_t> values;
    size_t at = 0;
    for (unsigned thread = 0; thread < threads; ++thread) {
        for (const std::string& type : test.outputs) {
            const unsigned size = size_of(type);
            if (at + size > bytes.size()) throw std::runtime_error(test.kernel + ".bin is too short");
            uint64_t value = 0;
            std::memcpy(&value, bytes.data() + at, size);
            values.push_back(value);
            at += size;
        }
    }
    if (at != bytes.size()) throw std::runtime_error(test.kernel + ".bin is too long");
    return values;
}

unsigned size_of(const std::string& type) {
    const auto found = sizes.find(type);
    if (found == sizes.end()) throw std::runtime_error("unknown type " + type);
    return found->second;
}

uint64_t truncate(uint64_t slot, const std::string& type) {
    const unsigned bits = 8 * size_of(type);
    return bits == 64 ? slot : slot & ((uint64_t{1} << bits) - 1);
}

} // namespace oracle
