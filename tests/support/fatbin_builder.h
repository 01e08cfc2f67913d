#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

/// Makes fat binaries byte by byte, right or wrong as a test likes.
struct EntryBytes {
    uint16_t kind = 1;
    uint32_t arch = 80;
    uint16_t major = 9, minor = 0;
    uint64_t flags = 0x11;
    std::string payload;
    bool compressed = false;
    uint64_t uncompressed_size = 0;
    std::string options;
};

inline void put(std::vector<uint8_t>& bytes, const void* data, size_t size) {
    const auto* first = static_cast<const uint8_t*>(data);
    bytes.insert(bytes.end(), first, first + size);
}
template <class T> void put(std::vector<uint8_t>& bytes, T value) { put(bytes, &value, sizeof value); }

inline std::vector<uint8_t> make_fatbin(const std::vector<EntryBytes>& entries) {
    std::vector<uint8_t> body;
    for (const EntryBytes& entry : entries) {
        const size_t padded = (entry.payload.size() + 7) / 8 * 8, options = (entry.options.size() + 7) / 8 * 8;
        put(body, entry.kind);
        put(body, uint16_t{0x101});
        put(body, uint32_t(64 + options));
        put(body, uint64_t{padded});
        put(body, uint32_t(entry.compressed ? entry.payload.size() : 0));
        put(body, uint32_t{options ? 64u : 0u});
        put(body, entry.minor);
        put(body, entry.major);
        put(body, entry.arch);
        put(body, uint64_t{0});
        put(body, entry.flags);
        put(body, uint64_t{0});
        put(body, entry.uncompressed_size);
        put(body, entry.options.data(), entry.options.size());
        body.resize(body.size() + options - entry.options.size());
        put(body, entry.payload.data(), entry.payload.size());
        body.resize(body.size() + padded - entry.payload.size());
    }
    std::vector<uint8_t> bytes;
    put(bytes, uint32_t{0xba55ed50});
    put(bytes, uint16_t{1});
    put(bytes, uint16_t{16});
    put(bytes, uint64_t{body.size()});
    put(bytes, body.data(), body.size());
    return bytes;
}
