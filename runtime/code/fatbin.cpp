#include "code/fatbin.h"

#include "code/decompress.h"
#include "rt/error.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <set>

namespace rt::code {
namespace {

struct Header {
    uint32_t magic;
    uint16_t version;
    uint16_t header_size;
    uint64_t entries_size;
};
static_assert(sizeof(Header) == 16);

struct EntryHeader {
    uint16_t kind;
    uint16_t unknown_02;
    uint32_t header_size;
    uint64_t payload_size;    ///< padded to 8
    uint32_t compressed_size; ///< exact; 0 = not compressed
    uint32_t options_offset;
    uint16_t minor, major;
    uint32_t arch;
    uint32_t name_offset, name_length;
    uint64_t flags;
    uint64_t unknown_30;
    uint64_t uncompressed_size;
};
static_assert(sizeof(EntryHeader) == 64 && offsetof(EntryHeader, flags) == 0x28);

template <class... A> [[noreturn]] void refuse(fmt::format_string<A...> format, A&&... arguments) {
    throw Error(Status::invalid_image, "fat binary: " + fmt::format(format, std::forward<A>(arguments)...));
}

/// Takes `size` bytes off the front of `bytes`, which hold them.
Bytes take(Bytes& bytes, uint64_t size) {
    const Bytes front = bytes.first(size);
    bytes = bytes.subspan(size);
    return front;
}

FatbinEntry read_entry(Bytes& rest, size_t number) {
    EntryHeader header;
    if (rest.size() < sizeof header) refuse("truncated: {} bytes left for the header of entry {}", rest.size(), number);
    std::memcpy(&header, rest.data(), sizeof header);
    if (header.header_size < sizeof header || header.header_size > rest.size())
        refuse("entry {} says that its header has {} bytes; {} are left", number, header.header_size, rest.size());
    take(rest, header.header_size);
    if (header.payload_size > rest.size())
        refuse("entry {} says that it has {} bytes; {} are left", number, header.payload_size, rest.size());
    if (header.compressed_size > header.payload_size)
        refuse("entry {} says that {} of its {} bytes are compressed", number, header.compressed_size,
               header.payload_size);
    FatbinEntry entry;
    entry.kind = FatbinEntry::Kind(header.kind);
    entry.arch = header.arch;
    entry.ptx_version = header.major * 10u + header.minor;
    entry.flags = header.flags;
    entry.uncompressed_size = header.uncompressed_size;
    entry.payload = take(rest, header.payload_size);
    if (header.compressed_size != 0) entry.payload = entry.payload.first(header.compressed_size);
    return entry;
}

bool fits(const FatbinEntry& entry, uint32_t compute_capability) {
    if (entry.flags & FatbinEntry::arch_specific) return entry.arch == compute_capability;
    return entry.arch / 10 == compute_capability / 10 && entry.arch <= compute_capability;
}

/// Whether `a` is to be preferred to `b`.
bool better(const FatbinEntry& a, const FatbinEntry& b, uint32_t compute_capability) {
    const bool a_runs = a.arch <= compute_capability, b_runs = b.arch <= compute_capability;
    if (a_runs != b_runs) return a_runs;
    if (a.arch != b.arch) return a_runs ? a.arch > b.arch : a.arch < b.arch;
    return a.ptx_version > b.ptx_version;
}

} // namespace

std::string FatbinEntry::arch_name() const {
    return std::to_string(arch) + (flags & arch_specific ? "a" : flags & family_specific ? "f" : "");
}

std::string FatbinEntry::text() const {
    std::string text;
    if (flags & lz4)
        text = decompress_lz4(payload, uncompressed_size);
    else if (flags & zstd)
        text = decompress_zstd(payload, uncompressed_size);
    else
        text.assign(reinterpret_cast<const char*>(payload.data()), payload.size());
    text.resize(std::min(text.size(), text.find('\0')));
    return text;
}

std::vector<FatbinEntry> read_fatbin(const void* data, uint64_t limit) {
    Header header;
    if (limit < sizeof header) refuse("truncated: {} bytes", limit);
    std::memcpy(&header, data, sizeof header);
    if (header.magic == ancient_fatbin_magic) refuse("made by CUDA 4 or before; rebuild with CUDA 5 or later");
    if (header.magic != fatbin_magic) refuse("wrong magic number {:#x}", header.magic);
    if (header.version != 1) refuse("unknown version {}", header.version);
    if (header.header_size < sizeof header || header.header_size > limit)
        refuse("its header says that it has {} bytes itself", header.header_size);
    if (header.entries_size > limit - header.header_size)
        refuse("truncated: its header says {} bytes; {} are there", header.entries_size, limit - header.header_size);
    if (header.entries_size > PTRDIFF_MAX - reinterpret_cast<uintptr_t>(data))
        refuse("its header says {} bytes", header.entries_size);
    Bytes rest(static_cast<const uint8_t*>(data) + header.header_size, header.entries_size);
    std::vector<FatbinEntry> entries;
    while (!rest.empty()) entries.push_back(read_entry(rest, entries.size()));
    return entries;
}

const FatbinEntry* choose_ptx(std::span<const FatbinEntry> entries, uint32_t compute_capability) {
    const FatbinEntry* best = nullptr;
    const auto consider = [&](bool generic) {
        for (const FatbinEntry& entry : entries) {
            if (entry.kind != FatbinEntry::Kind::ptx || entry.is_generic() != generic) continue;
            if (!generic && !fits(entry, compute_capability)) continue;
            if (best == nullptr || better(entry, *best, compute_capability)) best = &entry;
        }
    };
    consider(true);
    if (best == nullptr) consider(false);
    return best;
}

std::string describe(std::span<const FatbinEntry> entries) {
    const auto list = [&](FatbinEntry::Kind kind, std::string_view prefix, std::vector<std::string>& out,
                          std::string_view what) {
        std::set<std::pair<uint32_t, std::string>> archs;
        for (const FatbinEntry& entry : entries)
            if (entry.kind == kind) archs.emplace(entry.arch, fmt::format("{}{}", prefix, entry.arch_name()));
        std::vector<std::string> names;
        for (const auto& [number, name] : archs) names.push_back(name);
        if (!names.empty()) out.push_back(fmt::format("{} for {}", what, fmt::join(names, ", ")));
    };
    std::vector<std::string> parts;
    list(FatbinEntry::Kind::elf, "sm_", parts, "machine code");
    list(FatbinEntry::Kind::ptx, "compute_", parts, "PTX");
    list(FatbinEntry::Kind::lto_ir, "lto_", parts, "link-time IR");
    return parts.empty() ? "nothing that we know" : fmt::format("{}", fmt::join(parts, "; "));
}

} // namespace rt::code
