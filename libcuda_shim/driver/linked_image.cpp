#include "driver/linked_image.h"

#include "rt/error.h"

#include <cstdint>
#include <cstring>

namespace shim {
namespace {

// Starts with a byte that no PTX text, ELF file or fat binary starts with.
struct Header {
    char magic[8] = {'\x7f', 'C', 'T', 'L', 'I', 'N', 'K', '1'};
    uint64_t total_bytes = 0;
    uint64_t texts = 0;
};

[[noreturn]] void damaged() { throw rt::Error(rt::Status::invalid_image, "damaged image from cuLinkComplete"); }

} // namespace

std::vector<char> make_linked_image(std::span<const std::string> texts) {
    Header header;
    header.texts = texts.size();
    header.total_bytes = sizeof header;
    for (const std::string& text : texts) header.total_bytes += sizeof(uint64_t) + text.size();
    std::vector<char> image;
    image.reserve(header.total_bytes);
    const auto append = [&](const void* data, size_t size) {
        image.insert(image.end(), static_cast<const char*>(data), static_cast<const char*>(data) + size);
    };
    append(&header, sizeof header);
    for (const std::string& text : texts) {
        const uint64_t size = text.size();
        append(&size, sizeof size);
        append(text.data(), text.size());
    }
    return image;
}

bool is_linked_image(const void* image) {
    // Byte by byte: what is behind a short text must not be read.
    const Header expected;
    const auto* bytes = static_cast<const char*>(image);
    for (size_t i = 0; i < sizeof expected.magic; ++i) {
        if (bytes[i] != expected.magic[i]) return false;
    }
    return true;
}

std::vector<std::string> read_linked_image(const void* image) {
    Header header;
    std::memcpy(&header, image, sizeof header);
    const auto* bytes = static_cast<const char*>(image);
    std::vector<std::string> texts;
    uint64_t at = sizeof header;
    for (uint64_t i = 0; i < header.texts; ++i) {
        uint64_t size = 0;
        if (at + sizeof size > header.total_bytes) damaged();
        std::memcpy(&size, bytes + at, sizeof size);
        at += sizeof size;
        if (size > header.total_bytes - at) damaged();
        texts.emplace_back(bytes + at, size);
        at += size;
    }
    return texts;
}

} // namespace shim
