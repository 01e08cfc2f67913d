#include "launches.h"

#include <bit>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace cost {

namespace {

constexpr size_t buffer_words = 64 << 10;

uint32_t hash(uint32_t i) {
    i = (i ^ i >> 16) * 0x7feb352du;
    i = (i ^ i >> 15) * 0x846ca68bu;
    return i ^ i >> 16;
}

std::array<uint32_t, 3> size_of(const std::string& text) {
    std::array<uint32_t, 3> size{1, 1, 1};
    std::istringstream in(text);
    for (unsigned axis = 0; axis < 3 && in >> size[axis]; ++axis) in.ignore(1);
    return size;
}

std::vector<uint32_t> filled(const std::string& what) {
    std::vector<uint32_t> words(buffer_words);
    const uint32_t n = what.size() > 2 ? uint32_t(std::stoul(what.substr(2))) : 0;
    for (uint32_t i = 0; i < words.size(); ++i) {
        const uint32_t random = hash(i + 1);
        switch (what.at(1)) {
        case 'f':
            words[i] = std::bit_cast<uint32_t>(float(random >> 8) * 0x1p-24f);
            break;
        case 'd':
            if (i % 2) continue;
            {
                const double value = double(random) * 0x1p-32;
                std::memcpy(&words[i], &value, sizeof value);
            }
            break;
        case 'u':
            words[i] = random;
            break;
        case 'r':
            words[i] = random % n;
            break;
        case 's':
            words[i] = i * n;
            break;
        case 'z':
            break;
        default:
            throw std::runtime_error("no such buffer: " + what);
        }
    }
    return words;
}

template <class T> void append(std::vector<uint8_t>& bytes, T value) {
    bytes.resize((bytes.size() + sizeof value - 1) / sizeof value * sizeof value + sizeof value);
    std::memcpy(bytes.data() + bytes.size() - sizeof value, &value, sizeof value);
}

template <class T> std::vector<uint8_t> bytes_of(T value) {
    std::vector<uint8_t> bytes;
    append(bytes, value);
    return bytes;
}

} // namespace

std::vector<Launch> read_launches(const std::string& file) {
    std::ifstream in(file);
    if (!in) throw std::runtime_error(file + ": cannot be read");
    std::vector<Launch> launches;
    std::string line;
    for (std::getline(in, line); std::getline(in, line);) {
        std::istringstream columns(line);
        Launch launch;
        std::string grid, block, argument;
        columns >> launch.kernel >> grid >> block;
        launch.grid = size_of(grid);
        launch.block = size_of(block);
        while (columns >> argument) launch.arguments.push_back(argument);
        launches.push_back(std::move(launch));
    }
    return launches;
}

Arguments::Arguments(const Launch& launch) {
    for (const std::string& text : launch.arguments) {
        const std::string value = text.substr(1);
        const auto add = [&](auto argument) {
            append(packed, argument);
            values.push_back(bytes_of(argument));
        };
        if (text[0] == 'i')
            add(int32_t(std::stol(value)));
        else if (text[0] == 'f')
            add(std::stof(value));
        else if (text[0] == 'd')
            add(std::stod(value));
        else
            add(reinterpret_cast<uint64_t>(buffers.emplace_back(filled(text)).data()));
    }
}

void Arguments::append_services() {
    append(packed, reinterpret_cast<uint64_t>(buffers.emplace_back(buffer_words).data()));
    append(packed, uint64_t{0});
}

} // namespace cost
