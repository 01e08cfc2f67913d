#include "code_object.h"

#include <cstring>
#include <fmt/format.h>
#include <llvm/BinaryFormat/MsgPackDocument.h>
#include <llvm/Object/ELFObjectFile.h>
#include <stdexcept>
#include <sys/mman.h>

namespace amdgpu {

namespace {

using File = llvm::object::ELFFile<llvm::object::ELF64LE>;

template <class T> T take(llvm::Expected<T> value) {
    if (value) return std::move(*value);
    throw std::runtime_error("code object: " + llvm::toString(value.takeError()));
}

File open(std::span<const uint8_t> bytes) {
    File file = take(File::create({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
    if (file.getHeader().e_machine != llvm::ELF::EM_AMDGPU) throw std::runtime_error("not code for an AMD GPU");
    return file;
}

llvm::StringRef metadata_note(const File& file) {
    for (const auto& header : take(file.program_headers())) {
        if (header.p_type != llvm::ELF::PT_NOTE) continue;
        llvm::Error error = llvm::Error::success();
        for (const auto& note : file.notes(header, error))
            if (note.getName() == "AMDGPU" && note.getType() == llvm::ELF::NT_AMDGPU_METADATA)
                return note.getDescAsStringRef(4);
        if (error) throw std::runtime_error("code object: " + llvm::toString(std::move(error)));
    }
    throw std::runtime_error("code object without metadata");
}

uint32_t number(llvm::msgpack::MapDocNode& map, const char* key) {
    llvm::msgpack::DocNode& node = map[key];
    return node.getKind() == llvm::msgpack::Type::UInt ? uint32_t(node.getUInt()) : 0;
}

/// "amdgcn-amd-amdhsa--gfx942:sramecc+" -> "gfx942".
std::string processor_in(const std::string& target) {
    const size_t dashes = target.rfind("--");
    const std::string name = dashes == target.npos ? target : target.substr(dashes + 2);
    return name.substr(0, name.find(':'));
}

constexpr size_t page = 4096;

} // namespace

CodeObject::CodeObject(std::span<const uint8_t> bytes) {
    place(bytes);
    read_metadata(bytes);
}

CodeObject::~CodeObject() {
    if (memory_) munmap(memory_, bytes_);
}

void CodeObject::place(std::span<const uint8_t> bytes) {
    const File file = open(bytes);
    size_t end = 0;
    for (const auto& header : take(file.program_headers()))
        if (header.p_type == llvm::ELF::PT_LOAD) end = std::max<size_t>(end, header.p_vaddr + header.p_memsz);
    bytes_ = (end + page - 1) / page * page;
    void* memory = mmap(nullptr, bytes_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) throw std::runtime_error("no memory for a code object");
    memory_ = static_cast<uint8_t*>(memory);
    for (const auto& header : take(file.program_headers())) {
        if (header.p_type != llvm::ELF::PT_LOAD) continue;
        if (header.p_offset + header.p_filesz > bytes.size()) throw std::runtime_error("code object: cut short");
        std::memcpy(memory_ + header.p_vaddr, bytes.data() + header.p_offset, header.p_filesz);
    }
    for (const auto& section : take(file.sections())) {
        if (section.sh_type == llvm::ELF::SHT_DYNSYM) {
            const auto strings = take(file.getStringTableForSymtab(section));
            for (const auto& symbol : take(file.symbols(&section)))
                symbols_[take(symbol.getName(strings)).str()] = {begin() + symbol.st_value, symbol.st_size};
        }
    }
    for (const auto& section : take(file.sections())) {
        if (section.sh_type != llvm::ELF::SHT_RELA) continue;
        const auto* table = take(file.getSection(section.sh_link));
        const auto symbols = take(file.symbols(table));
        for (const auto& rela : take(file.relas(section))) {
            uint8_t* where = memory_ + rela.r_offset;
            const auto& symbol = symbols[rela.getSymbol(false)];
            const uint64_t value = begin() + symbol.st_value + uint64_t(rela.r_addend);
            const auto put = [&](auto what) { std::memcpy(where, &what, sizeof what); };
            switch (rela.getType(false)) {
            case llvm::ELF::R_AMDGPU_RELATIVE64:
                put(begin() + uint64_t(rela.r_addend));
                break;
            case llvm::ELF::R_AMDGPU_ABS64:
                put(value);
                break;
            case llvm::ELF::R_AMDGPU_ABS32:
            case llvm::ELF::R_AMDGPU_ABS32_LO:
                put(uint32_t(value));
                break;
            case llvm::ELF::R_AMDGPU_ABS32_HI:
                put(uint32_t(value >> 32));
                break;
            default:
                throw std::runtime_error(fmt::format("code object: relocation {}", rela.getType(false)));
            }
        }
    }
}

void CodeObject::read_metadata(std::span<const uint8_t> bytes) {
    const File file = open(bytes);
    llvm::msgpack::Document document;
    if (!document.readFromBlob(metadata_note(file), false)) throw std::runtime_error("code object: broken metadata");
    llvm::msgpack::MapDocNode& root = document.getRoot().getMap(true);
    processor_ = Processor::of(processor_in(root["amdhsa.target"].toString()));
    for (const auto& section : take(file.sections())) {
        if (!(section.sh_flags & llvm::ELF::SHF_EXECINSTR)) continue;
        if (program_) throw std::runtime_error("code object: two sections of code");
        program_ =
            std::make_unique<Program>(processor_, std::span<const uint8_t>(memory_ + section.sh_addr, section.sh_size),
                                      begin() + section.sh_addr);
    }
    if (!program_) throw std::runtime_error("code object without code");
    for (llvm::msgpack::DocNode& node : root["amdhsa.kernels"].getArray(true)) {
        llvm::msgpack::MapDocNode& map = node.getMap(true);
        Kernel kernel;
        kernel.code = this;
        kernel.name = map[".name"].toString();
        const auto descriptor = symbols_.find(map[".symbol"].toString());
        if (descriptor == symbols_.end()) throw std::runtime_error("code object: no descriptor of " + kernel.name);
        kernel.descriptor_address = descriptor->second.address;
        std::memcpy(&kernel.descriptor, reinterpret_cast<const void*>(kernel.descriptor_address),
                    sizeof kernel.descriptor);
        kernel.entry = kernel.descriptor_address + uint64_t(kernel.descriptor.kernel_code_entry_byte_offset);
        kernel.kernarg_bytes = number(map, ".kernarg_segment_size");
        kernel.max_flat_workgroup_size = number(map, ".max_flat_workgroup_size");
        kernel.vector_registers = number(map, ".vgpr_count");
        llvm::msgpack::DocNode& stack = map[".uses_dynamic_stack"];
        kernel.dynamic_stack = stack.getKind() == llvm::msgpack::Type::Boolean && stack.getBool();
        if (map.find(".args") != map.end()) {
            for (llvm::msgpack::DocNode& one : map[".args"].getArray(true)) {
                llvm::msgpack::MapDocNode& argument = one.getMap(true);
                kernel.arguments.push_back(
                    {argument[".value_kind"].toString(), number(argument, ".offset"), number(argument, ".size")});
            }
        }
        kernels_[kernel.name] = std::move(kernel);
    }
}

const Kernel* CodeObject::kernel(const std::string& name) const {
    auto found = kernels_.find(name);
    return found == kernels_.end() ? nullptr : &found->second;
}

const Symbol* CodeObject::variable(const std::string& name) const {
    auto found = symbols_.find(name);
    return found == symbols_.end() ? nullptr : &found->second;
}

} // namespace amdgpu
