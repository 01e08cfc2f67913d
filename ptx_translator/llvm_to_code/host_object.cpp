#include "llvm_to_code/host_object.h"

#include "llvm_to_code/embedded.h"
#include "llvm_to_code/link_elf.h"
#include "llvm_to_code/machine.h"

#include <llvm/ADT/STLExtras.h>
#include <llvm/ADT/StringSwitch.h>
#include <llvm/Object/ELFObjectFile.h>
#include <llvm/Support/DataExtractor.h>

#include <map>

namespace ptx::code {
namespace {

enum class Library { unknown, libc, libm, builtins, matrix };

Library library_of(llvm::StringRef symbol) {
    return llvm::StringSwitch<Library>(symbol)
#define HOST_IMPORT(name, library) .Case(#name, Library::library)
#include "llvm_to_code/host_imports.def"
        .Default(Library::unknown);
}

template <class T> T take(llvm::Expected<T> value, const char* what) {
    if (value) return std::move(*value);
    fail(std::string("object file: ") + what + ": " + llvm::toString(value.takeError()));
}

std::unique_ptr<llvm::object::ObjectFile> open(llvm::StringRef object) {
    return take(llvm::object::ObjectFile::createELFObjectFile(llvm::MemoryBufferRef(object, "code")), "open");
}

struct Imports {
    std::vector<std::string> libc, libm;
    bool builtins = false, matrix = false;
};

Imports imports_of(const llvm::object::ObjectFile& file) {
    Imports imports;
    std::string unknown;
    for (const llvm::object::SymbolRef& symbol : file.symbols()) {
        if (!(take(symbol.getFlags(), "symbol flags") & llvm::object::SymbolRef::SF_Undefined)) continue;
        const llvm::StringRef name = take(symbol.getName(), "symbol name");
        if (name.empty()) continue;
        switch (library_of(name)) {
        case Library::libc:
            imports.libc.push_back(name.str());
            break;
        case Library::libm:
            imports.libm.push_back(name.str());
            break;
        case Library::builtins:
            imports.builtins = true;
            break;
        case Library::matrix:
            imports.matrix = true;
            break;
        case Library::unknown:
            unknown += " " + name.str();
            break;
        }
    }
    if (!unknown.empty()) fail("the host target has no library function for:" + unknown);
    return imports;
}

} // namespace

llvm::StringMap<uint64_t> frame_sizes(llvm::StringRef object) {
    const auto file = open(object);
    // Where a function starts: by section and address.
    std::map<std::pair<uint64_t, uint64_t>, llvm::StringRef> functions;
    for (const llvm::object::SymbolRef& symbol : file->symbols()) {
        if (take(symbol.getType(), "symbol type") != llvm::object::SymbolRef::ST_Function) continue;
        const auto section = take(symbol.getSection(), "section");
        if (section == file->section_end()) continue;
        functions[{section->getIndex(), take(symbol.getAddress(), "address")}] = take(symbol.getName(), "name");
    }
    llvm::StringMap<uint64_t> sizes;
    for (const llvm::object::SectionRef& section : file->sections()) {
        if (take(section.getName(), "section name") != ".rela.stack_sizes") continue;
        const auto target = take(section.getRelocatedSection(), "relocated section");
        const llvm::DataExtractor data(take(target->getContents(), "contents"), true, 8);
        for (const llvm::object::RelocationRef& relocation : section.relocations()) {
            const auto symbol = relocation.getSymbol();
            const auto home = take(symbol->getSection(), "section");
            const int64_t addend = take(llvm::object::ELFRelocationRef(relocation).getAddend(), "addend");
            const auto found = functions.find({home->getIndex(), take(symbol->getAddress(), "address") + addend});
            // An entry is the function's address, which the relocation fills in, and a LEB128 size.
            uint64_t offset = relocation.getOffset() + 8;
            if (found != functions.end()) sizes[found->second] = data.getULEB128(&offset);
        }
    }
    return sizes;
}

std::vector<uint8_t> link_host(llvm::StringRef object, bool debug) {
    Imports imports = imports_of(*open(object));
    LinkJob job;
    std::vector<std::string> arguments{"-shared",
                                       "--no-undefined",
                                       "-Bsymbolic",
                                       "--hash-style=gnu",
                                       "-z",
                                       "noseparate-code",
                                       "-z",
                                       "norelro",
                                       "--build-id=none",
                                       "--threads=1",
                                       "--as-needed",
                                       "--gc-sections",
                                       "--no-rosegment",
                                       "--eh-frame-hdr",
                                       "-soname",
                                       "cuttle-image.so"};
    if (!debug) arguments.push_back("--strip-debug");
    arguments.push_back(job.file("code.o", object));
    if (imports.builtins) arguments.push_back(job.file("builtins.o", device_library::host_builtins()));
    if (imports.matrix) {
        arguments.push_back(job.file("matrix.o", device_library::host_matrix()));
        // What that object asks for: copies and fills of its own arrays.
        for (const char* name : {"memcpy", "memset"})
            if (!llvm::is_contained(imports.libc, name)) imports.libc.push_back(name);
    }
    if (!imports.libm.empty()) arguments.push_back(job.stub_library("libm.so.6", imports.libm));
    if (!imports.libc.empty()) arguments.push_back(job.stub_library("libc.so.6", imports.libc));
    return job.link(std::move(arguments));
}

} // namespace ptx::code
