#include "code/object_file.h"

#include "rt/error.h"

#include <charconv>
#include <cstring>
#include <elf.h>
#include <fmt/format.h>

namespace rt::code {
namespace {

constexpr std::string_view archive_magic = "!<arch>\n";

struct ArchiveHeader {
    char name[16], date[12], owner[6], group[6], mode[8], size[10], end[2];
};
static_assert(sizeof(ArchiveHeader) == 60);

[[noreturn]] void refuse(const char* what) { throw Error(Status::invalid_image, what); }

template <class T> T read(Bytes bytes, uint64_t offset, const char* what) {
    if (offset > bytes.size() || bytes.size() - offset < sizeof(T)) refuse(what);
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

/// nvcc aligns fat binaries to 8 bytes and lays several into one section.
void add_fatbins(Bytes section, std::vector<Bytes>& out) {
    constexpr uint64_t header_bytes = 16, alignment = 8;
    while (section.size() >= header_bytes) {
        if (read<uint32_t>(section, 0, "") != fatbin_magic) {
            section = section.subspan(alignment);
            continue;
        }
        const uint64_t body = read<uint64_t>(section, 8, "");
        if (body > section.size() - header_bytes) refuse("object file: a fat binary is longer than its section");
        const uint64_t size = header_bytes + body;
        out.push_back(section.first(size));
        section = section.subspan(std::min<uint64_t>((size + alignment - 1) / alignment * alignment, section.size()));
    }
}

} // namespace

bool is_archive(Bytes bytes) {
    return bytes.size() >= archive_magic.size() &&
           std::memcmp(bytes.data(), archive_magic.data(), archive_magic.size()) == 0;
}

std::vector<Bytes> members_of_archive(Bytes archive) {
    if (!is_archive(archive)) refuse("library: no archive");
    std::vector<Bytes> members;
    Bytes rest = archive.subspan(archive_magic.size());
    while (!rest.empty()) {
        const auto header = read<ArchiveHeader>(rest, 0, "library: truncated");
        uint64_t size = 0;
        if (std::from_chars(header.size, header.size + sizeof header.size, size).ec != std::errc{} ||
            size > rest.size() - sizeof header)
            refuse("library: a member has a wrong size");
        // "/" and "//" are the tables of symbols and of long names.
        const bool table = header.name[0] == '/' && (header.name[1] == ' ' || header.name[1] == '/');
        if (!table) members.push_back(rest.subspan(sizeof header, size));
        rest = rest.subspan(std::min<uint64_t>(sizeof header + size + size % 2, rest.size()));
    }
    return members;
}

std::vector<Bytes> fatbins_of_object(Bytes object) {
    const auto header = read<Elf64_Ehdr>(object, 0, "object file: truncated");
    if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0) refuse("object file: no ELF file");
    const auto section = [&](unsigned i) {
        constexpr const char* what = "object file: its sections lie outside of it";
        if (header.e_shoff > object.size()) refuse(what);
        return read<Elf64_Shdr>(object, header.e_shoff + uint64_t{i} * sizeof(Elf64_Shdr), what);
    };
    const auto content = [&](const Elf64_Shdr& of) {
        if (of.sh_type == SHT_NOBITS) return Bytes();
        if (of.sh_offset > object.size() || of.sh_size > object.size() - of.sh_offset)
            refuse("object file: a section lies outside of it");
        return object.subspan(of.sh_offset, of.sh_size);
    };
    std::vector<Bytes> found;
    if (header.e_shnum == 0) return found;
    const Bytes names = content(section(header.e_shstrndx));
    for (unsigned i = 0; i < header.e_shnum; i++) {
        const Elf64_Shdr one = section(i);
        if (one.sh_name >= names.size()) continue;
        const auto* text = reinterpret_cast<const char*>(names.data()) + one.sh_name;
        const std::string_view name(text, strnlen(text, names.size() - one.sh_name));
        if (name == "__nv_relfatbin" || name == ".nv_fatbin") add_fatbins(content(one), found);
    }
    return found;
}

} // namespace rt::code
