#pragma once

#include "code/sha256.h"

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

namespace rt::code {

/// Results of translation on disk, found by the digest of everything that they depend on. Many threads and processes
/// may use one directory at once. Entries appear whole or not at all, carry a checksum, and go, the least recently used
/// first, when there are too many. Whatever is wrong with the directory costs a warning and the cache, nothing else.
class CodeCache {
  public:
    /// Makes `directory` if need be. `limit`: how many bytes it may hold.
    CodeCache(std::filesystem::path directory, uint64_t limit);

    /// The one that the options describe; nullptr when they turn it off or no directory can be named.
    static CodeCache* shared();
    /// Where the options put it. Empty when neither they nor the environment name a directory.
    static std::filesystem::path directory_of_options();

    std::optional<std::vector<uint8_t>> find(const Digest& key);
    void store(const Digest& key, std::span<const uint8_t> payload);
    /// For an entry that is whole but of no use.
    void discard(const Digest& key);

    struct Usage {
        uint64_t entries = 0, bytes = 0;
    };
    Usage usage() const;
    void clear();
    const std::filesystem::path& directory() const { return directory_; }

  private:
    bool prepare();
    std::filesystem::path path_of(const Digest& key) const;
    bool write_entry(const std::filesystem::path& path, const Digest& key, std::span<const uint8_t> payload);
    void account(uint64_t bytes);
    uint64_t trim(uint64_t bound) const;

    const std::filesystem::path directory_; ///< ends in the format's version
    const uint64_t limit_;
    std::mutex mutex_;
    std::optional<bool> usable_;
};

} // namespace rt::code
