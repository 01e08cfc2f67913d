#include "rt/linked_image.h"

#include "rt/error.h"

#include <cstring>
#include <elf.h>

namespace rt {
namespace {

/// The start of every image. Its padding, which is zero in other ELF files, tells ours apart.
constexpr unsigned char ident[EI_NIDENT] = {0x7f,       'E',    'L', 'F', ELFCLASS64, ELFDATA2LSB,
                                            EV_CURRENT, 51,     7,   'C', 'U',        'T',
                                            'T',        'L',    'E', '1'};
constexpr uint16_t machine_cuda = 190;
constexpr char names[] = "\0.shstrtab\0.cuttle.ptx";
constexpr uint32_t name_of_names = 1, name_of_text = 11;

[[noreturn]] void damaged() { throw Error(Status::invalid_image, "damaged image of linked PTX"); }

void append(std::vector<char>& image, const void* data, size_t size) {
    image.insert(image.end(), static_cast<const char*>(data), static_cast<const char*>(data) + size);
}

Elf64_Shdr section(uint32_t name, uint32_t type, uint64_t offset, uint64_t size) {
    Elf64_Shdr header{};
    header.sh_name = name;
    header.sh_type = type;
    header.sh_offset = offset;
    header.sh_size = size;
    header.sh_addralign = 1;
    return header;
}

} // namespace

std::vector<char> make_linked_image(std::span<const std::string> texts, unsigned architecture) {
    std::vector<Elf64_Shdr> sections(1);
    std::vector<char> image(sizeof(Elf64_Ehdr));
    sections.push_back(section(name_of_names, SHT_STRTAB, image.size(), sizeof names));
    append(image, names, sizeof names);
    for (const std::string& text : texts) {
        sections.push_back(section(name_of_text, SHT_PROGBITS, image.size(), text.size()));
        append(image, text.c_str(), text.size() + 1); // readable as a C string in the file, too
    }
    image.resize((image.size() + 7) / 8 * 8);

    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ident, sizeof ident);
    header.e_type = ET_EXEC;
    header.e_machine = machine_cuda;
    header.e_version = EV_CURRENT;
    header.e_shoff = image.size();
    header.e_flags = architecture | architecture << 16;
    header.e_ehsize = sizeof header;
    header.e_shentsize = sizeof(Elf64_Shdr);
    header.e_shnum = uint16_t(sections.size());
    header.e_shstrndx = 1;
    std::memcpy(image.data(), &header, sizeof header);
    append(image, sections.data(), sections.size() * sizeof(Elf64_Shdr));
    return image;
}

bool is_linked_image(const void* image) {
    const auto* bytes = static_cast<const unsigned char*>(image);
    for (size_t i = 0; i < sizeof ident; ++i)
        if (bytes[i] != ident[i]) return false;
    return true;
}

std::vector<std::string> read_linked_image(const void* image, uint64_t limit) {
    Elf64_Ehdr header;
    if (limit < sizeof header) damaged();
    std::memcpy(&header, image, sizeof header);
    const auto* bytes = static_cast<const char*>(image);
    // The table is the end of the image: what it describes lies before it.
    const uint64_t end = header.e_shoff, table = uint64_t{header.e_shnum} * sizeof(Elf64_Shdr);
    if (end < sizeof header || end > PTRDIFF_MAX - table || end + table > limit ||
        header.e_shentsize != sizeof(Elf64_Shdr))
        damaged();
    std::vector<std::string> texts;
    for (unsigned i = 0; i < header.e_shnum; ++i) {
        Elf64_Shdr one;
        std::memcpy(&one, bytes + end + i * sizeof one, sizeof one);
        if (one.sh_type != SHT_PROGBITS) continue;
        if (one.sh_offset > end || one.sh_size > end - one.sh_offset) damaged();
        texts.emplace_back(bytes + one.sh_offset, one.sh_size);
    }
    return texts;
}

} // namespace rt
