#include "code/fatbin.h"
#include "code/object_file.h"
#include "rt/linked_image.h"
#include "rt/module.h"
#include "support/log.h"

#include <elf.h>
#include <fmt/format.h>

#include <cstring>
#include <optional>

namespace rt {
namespace {

using namespace code;

constexpr uint16_t elf_machine_cuda = 190;

/// An image whose size may be unknown (0): then only what its own headers vouch for is read.
struct Raw {
    const uint8_t* data;
    uint64_t limit;

    /// Looks at one byte after another, so that a short text is never read past its end.
    bool starts_with(std::string_view magic) const {
        if (magic.size() > limit) return false;
        for (size_t i = 0; i < magic.size(); ++i)
            if (data[i] != uint8_t(magic[i])) return false;
        return true;
    }
    bool starts_with(uint32_t magic) const {
        return starts_with({reinterpret_cast<const char*>(&magic), sizeof magic});
    }
};

std::string rebuild_advice(uint32_t arch) {
    return fmt::format("rebuild with -gencode arch=compute_{0},code=compute_{0} to add PTX", arch);
}

[[noreturn]] void refuse_without_ptx(std::span<const FatbinEntry> entries, int compute_capability) {
    uint32_t arch = uint32_t(compute_capability);
    for (const FatbinEntry& entry : entries) arch = entry.arch < arch ? entry.arch : arch;
    throw Error(Status::no_binary_for_gpu,
                fmt::format("the fat binary holds {}, but no PTX that fits compute capability {}.{}; {}",
                            describe(entries), compute_capability / 10, compute_capability % 10, rebuild_advice(arch)));
}

std::string ptx_of(const void* fatbin, uint64_t limit, int compute_capability) {
    const std::vector<FatbinEntry> entries = read_fatbin(fatbin, limit);
    const FatbinEntry* entry = choose_ptx(entries, uint32_t(compute_capability));
    if (entry == nullptr) refuse_without_ptx(entries, compute_capability);
    return entry->text();
}

/// nvcc -rdc=true: PTX of each fat binary that was linked. A program whose device link had nothing to do has none.
std::vector<std::string> linked_texts(const FatbinWrapper& wrapper, int compute_capability) {
    std::vector<std::string> texts;
    std::optional<Error> missing;
    if (wrapper.data != nullptr && (wrapper.linked == nullptr || *wrapper.linked == nullptr)) {
        const std::vector<FatbinEntry> entries = read_fatbin(wrapper.data, UINT64_MAX);
        if (const FatbinEntry* entry = choose_ptx(entries, uint32_t(compute_capability))) return {entry->text()};
    }
    for (const void* const* next = wrapper.linked; next != nullptr && *next != nullptr; ++next) {
        try {
            texts.push_back(ptx_of(*next, UINT64_MAX, compute_capability));
        } catch (const Error& error) {
            if (error.status() != Status::no_binary_for_gpu) throw;
            missing = error;
        }
    }
    if (!missing) return texts;
    if (texts.empty()) throw *missing;
    // Its functions are missing from the link; whoever calls them says so. It may be a library that nobody needs.
    log(LogLevel::info, LogChannel::translate, "one of the linked modules is left out: {}", missing->what());
    return texts;
}

std::vector<std::string> from_wrapper(const Raw& raw, int compute_capability) {
    FatbinWrapper wrapper;
    if (raw.limit < sizeof wrapper) throw Error(Status::invalid_image, "fat binary wrapper: truncated");
    std::memcpy(&wrapper, raw.data, sizeof wrapper);
    if (wrapper.version != 1 && wrapper.version != 2)
        throw Error(Status::invalid_image, fmt::format("fat binary wrapper: unknown version {}", wrapper.version));
    if (wrapper.version == 2) return linked_texts(wrapper, compute_capability);
    if (wrapper.data == nullptr) throw Error(Status::invalid_image, "fat binary wrapper: no data");
    return {ptx_of(wrapper.data, UINT64_MAX, compute_capability)};
}

[[noreturn]] void refuse_elf(const Raw& raw) {
    Elf64_Ehdr header;
    if (raw.limit < sizeof header) throw Error(Status::invalid_image, "ELF file: truncated");
    std::memcpy(&header, raw.data, sizeof header);
    if (header.e_machine != elf_machine_cuda)
        throw Error(Status::invalid_image,
                    fmt::format("an ELF file for machine {}, which is no device code", header.e_machine));
    // Since ABI version 8 the architecture is the second byte of the flags.
    const bool new_abi = header.e_ident[EI_ABIVERSION] >= 8;
    const uint32_t arch = new_abi ? header.e_flags >> 8 & 0xff : header.e_flags & 0xff;
    throw Error(Status::no_binary_for_gpu, fmt::format("a cubin: machine code for sm_{}, which runs on NVIDIA's "
                                                       "hardware only; {}",
                                                       arch, rebuild_advice(arch)));
}

/// Takes leading white space and comments off.
void skip_blank(std::string_view& text) {
    while (!text.empty()) {
        if (std::strchr(" \t\r\n\v\f", text.front()) != nullptr) {
            text.remove_prefix(1);
            continue;
        }
        const bool line = text.starts_with("//");
        if (!line && !text.starts_with("/*")) return;
        const size_t end = line ? text.find('\n') : text.find("*/", 2);
        text.remove_prefix(end == text.npos ? text.size() : end + (line ? 1 : 2));
    }
}

std::string from_text(const Raw& raw, bool size_known) {
    const auto* first = reinterpret_cast<const char*>(raw.data);
    std::string_view text(first, size_known ? ::strnlen(first, raw.limit) : std::strlen(first));
    if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
    std::string_view start = text;
    skip_blank(start);
    // Every PTX module opens with .version (PTX ISA 5.1); any directive will do to call it PTX, and be told what is
    // wrong.
    if (start.size() < 2 || start[0] != '.' || start[1] < 'a' || start[1] > 'z')
        throw Error(Status::invalid_image, "neither PTX text nor a fat binary nor a cubin");
    return std::string(text);
}

} // namespace

ModuleSource ModuleSource::from_image(const void* image, size_t size, int compute_capability) {
    if (image == nullptr) throw Error(Status::invalid_value, "no image");
    const Raw raw{static_cast<const uint8_t*>(image), size == 0 ? UINT64_MAX : size};
    if (raw.starts_with(wrapper_magic)) return {from_wrapper(raw, compute_capability)};
    if (raw.starts_with(fatbin_magic) || raw.starts_with(ancient_fatbin_magic))
        return {{ptx_of(image, raw.limit, compute_capability)}};
    if (raw.starts_with(ELFMAG)) {
        if (raw.limit >= sizeof(Elf64_Ehdr) && is_linked_image(image)) return {read_linked_image(image, raw.limit)};
        refuse_elf(raw);
    }
    if (raw.starts_with("BC\xc0\xde")) throw Error(Status::invalid_image, "LLVM bitcode (NVVM IR), which is not PTX");
    if (raw.starts_with("!<arch>\n")) throw Error(Status::invalid_image, "a library archive, which is no module");
    return {{from_text(raw, size != 0)}};
}

ModuleSource ModuleSource::from_object(const void* image, size_t size, bool library, int compute_capability) {
    const Bytes bytes(static_cast<const uint8_t*>(image), size);
    const Raw raw{bytes.data(), bytes.size()};
    if (!library && !raw.starts_with(ELFMAG)) return from_image(image, size, compute_capability);
    ModuleSource source;
    size_t fatbins = 0;
    for (const Bytes object : library ? members_of_archive(bytes) : std::vector<Bytes>{bytes}) {
        // Members without device code, and other files that a library may hold, are nothing to us.
        if (library && !Raw{object.data(), object.size()}.starts_with(ELFMAG)) continue;
        for (const Bytes fatbin : fatbins_of_object(object)) {
            fatbins++;
            try {
                source.ptx.push_back(ptx_of(fatbin.data(), fatbin.size(), compute_capability));
            } catch (const Error& error) {
                // It may be a member that nobody needs; if not, what is unresolved will be named.
                if (!library || error.status() != Status::no_binary_for_gpu) throw;
                log(LogLevel::info, LogChannel::translate, "one of a library's members is left out: {}", error.what());
            }
        }
    }
    if (fatbins != 0) return source;
    if (!library) refuse_elf(raw);
    throw Error(Status::invalid_source, "a library without device code");
}

} // namespace rt
