#include "zebin.h"

#include <cstring>
#include <elf.h>
#include <sstream>
#include <stdexcept>

namespace cost {

namespace {

template <class T> T at(std::span<const uint8_t> bytes, uint64_t offset) {
    if (offset > bytes.size() || sizeof(T) > bytes.size() - offset) throw std::runtime_error("a zebin that ends early");
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

std::string text_at(std::span<const uint8_t> bytes, uint64_t offset, uint64_t size) {
    if (offset > bytes.size() || size > bytes.size() - offset) throw std::runtime_error("a zebin that ends early");
    return {reinterpret_cast<const char*>(bytes.data()) + offset, size};
}

/// "- key: value", a line of the YAML in section .ze_info: its key and its value.
std::pair<std::string, std::string> key_and_value(const std::string& line) {
    const size_t begin = line.find_first_not_of(" -"), colon = line.find(':');
    if (begin == line.npos || colon == line.npos || colon < begin) return {};
    const size_t value = line.find_first_not_of(" '", colon + 1);
    if (value == line.npos) return {line.substr(begin, colon - begin), ""};
    return {line.substr(begin, colon - begin), line.substr(value, line.find_last_not_of(" '") + 1 - value)};
}

void read_info(const std::string& text, std::map<std::string, ZebinKernel>& kernels) {
    std::istringstream lines(text);
    ZebinKernel* kernel = nullptr;
    bool spills = false;
    for (std::string line; std::getline(lines, line);) {
        const auto [key, value] = key_and_value(line);
        if (key == "name") {
            const auto found = kernels.find(value);
            kernel = found == kernels.end() ? nullptr : &found->second;
        }
        if (!kernel) continue;
        if (key == "simd_size") kernel->simd = uint32_t(std::stoul(value));
        // Of a buffer: its type, then its usage, then its size.
        if (key == "type") spills = false;
        if (key == "usage") spills = value == "spill_fill_space";
        if (key == "size" && spills) kernel->spill_bytes += std::stoull(value);
    }
}

} // namespace

std::map<std::string, ZebinKernel> read_zebin(std::span<const uint8_t> bytes) {
    const auto header = at<Elf64_Ehdr>(bytes, 0);
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) throw std::runtime_error("no ELF file");
    const auto section = [&](unsigned i) {
        return at<Elf64_Shdr>(bytes, header.e_shoff + uint64_t{i} * sizeof(Elf64_Shdr));
    };
    const Elf64_Shdr names = section(header.e_shstrndx);
    const std::string all_names = text_at(bytes, names.sh_offset, names.sh_size);
    std::map<std::string, ZebinKernel> kernels;
    std::string info;
    for (unsigned i = 0; i < header.e_shnum; ++i) {
        const Elf64_Shdr each = section(i);
        if (each.sh_name >= all_names.size()) throw std::runtime_error("a section without a name");
        const std::string name = all_names.c_str() + each.sh_name;
        if (name.starts_with(".text.Intel_")) continue; // the compiler's own
        if (name.starts_with(".text.")) kernels[name.substr(6)].code_bytes = each.sh_size;
        if (name == ".ze_info") info = text_at(bytes, each.sh_offset, each.sh_size);
    }
    read_info(info, kernels);
    return kernels;
}

} // namespace cost
