#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// NVIDIA's container of device code, as nvcc and fatbinary write it: a 16-byte header and packed entries, each PTX or
/// machine code for one architecture. Everything here throws rt::Error{invalid_image} on bytes that lie.
namespace rt::code {

using Bytes = std::span<const uint8_t>;

constexpr uint32_t fatbin_magic = 0xba55ed50;
constexpr uint32_t ancient_fatbin_magic = 0x1ee55a01; ///< CUDA 4 and before
constexpr uint32_t wrapper_magic = 0x466243b1;

/// What registration functions and cuLibraryLoadData are given: a pointer to the container.
struct FatbinWrapper {
    uint32_t magic;
    uint32_t version;          ///< 1; 2 = the result of a device link (nvcc -rdc=true)
    const void* data;          ///< a fat binary; in version 2 the linked machine code
    const void* const* linked; ///< version 2: NULL-terminated list of the fat binaries that were linked
};

struct FatbinEntry {
    enum class Kind : uint16_t { ptx = 1, elf = 2, lto_ir = 8 }; ///< others occur and are left alone
    enum Flags : uint64_t {
        lz4 = 0x2000,
        zstd = 0x8000,
        arch_specific = 0x100000,   ///< sm_90a: runs on that architecture only
        family_specific = 0x200000, ///< sm_100f: runs on that architecture's family only
    };

    Kind kind{};
    uint32_t arch = 0;        ///< 80 for sm_80
    uint32_t ptx_version = 0; ///< 10 * major + minor
    uint64_t flags = 0;
    uint64_t uncompressed_size = 0;
    Bytes payload; ///< as stored, without padding where the exact size is known

    bool is_generic() const { return (flags & (arch_specific | family_specific)) == 0; }
    std::string arch_name() const; ///< "80", "90a", "100f"
    /// The payload uncompressed; PTX ends before the first NUL.
    std::string text() const;
};

/// `limit` is how many bytes may be read at `data`; the fat binary's own header says how many of them are its.
std::vector<FatbinEntry> read_fatbin(const void* data, uint64_t limit);

/// The entry to translate for a device that reports `compute_capability`: the newest PTX not above it, else the lowest;
/// architecture- or family-specific PTX only where nothing generic is there and it fits. nullptr when there is none.
const FatbinEntry* choose_ptx(std::span<const FatbinEntry>, uint32_t compute_capability);

/// "machine code for sm_80, sm_90; PTX for compute_90a": for messages.
std::string describe(std::span<const FatbinEntry>);

} // namespace rt::code
