#include "sweep_file.h"

#include <fstream>
#include <stdexcept>

namespace sweep {
namespace {

void put(std::ostream& file, uint32_t value) { file.write(reinterpret_cast<const char*>(&value), 4); }

uint32_t get(std::istream& file) {
    uint32_t value = 0;
    file.read(reinterpret_cast<char*>(&value), 4);
    return value;
}

} // namespace

void write(const Recording& recording, const std::string& path) {
    std::ofstream file(path, std::ios::binary);
    for (const auto& [name, result] : recording) {
        put(file, uint32_t(name.size()));
        file.write(name.data(), std::streamsize(name.size()));
        put(file, uint32_t(result.status));
        put(file, uint32_t(result.words.size()));
        file.write(reinterpret_cast<const char*>(result.words.data()), std::streamsize(result.words.size() * 4));
    }
    if (!file) throw std::runtime_error("cannot write " + path);
}

Recording read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    Recording recording;
    while (file.peek() != std::ifstream::traits_type::eof()) {
        std::string name(get(file), '\0');
        file.read(name.data(), std::streamsize(name.size()));
        Result result;
        result.status = int32_t(get(file));
        result.words.resize(get(file));
        file.read(reinterpret_cast<char*>(result.words.data()), std::streamsize(result.words.size() * 4));
        if (!file) throw std::runtime_error("damaged: " + path);
        recording.emplace(std::move(name), std::move(result));
    }
    if (recording.empty()) throw std::runtime_error("cannot read " + path);
    return recording;
}

} // namespace sweep
