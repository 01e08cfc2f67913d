#include "llvm_to_code/amdgpu_object.h"

#include "llvm_to_code/machine.h"

#include <llvm/BinaryFormat/MsgPackDocument.h>
#include <llvm/Object/ELFObjectFile.h>

#include <algorithm>

namespace ptx::code {
namespace {

using File = llvm::object::ELFFile<llvm::object::ELF64LE>;

/// The bytes of the note, empty without one.
llvm::StringRef metadata_note(const File& file) {
    auto headers = file.program_headers();
    if (!headers) fail("code object: " + llvm::toString(headers.takeError()));
    for (const auto& header : *headers) {
        if (header.p_type != llvm::ELF::PT_NOTE) continue;
        llvm::Error error = llvm::Error::success();
        for (const auto& note : file.notes(header, error))
            if (note.getName() == "AMDGPU" && note.getType() == llvm::ELF::NT_AMDGPU_METADATA)
                return note.getDescAsStringRef(4);
        if (error) fail("code object: " + llvm::toString(std::move(error)));
    }
    return {};
}

uint32_t number(llvm::msgpack::MapDocNode& map, const char* key) {
    llvm::msgpack::DocNode& node = map[key];
    return node.getKind() == llvm::msgpack::Type::UInt ? static_cast<uint32_t>(node.getUInt()) : 0;
}

} // namespace

void read_resources(std::span<const uint8_t> code_object, std::vector<KernelInfo>& kernels) {
    const llvm::StringRef bytes(reinterpret_cast<const char*>(code_object.data()), code_object.size());
    llvm::Expected<File> file = File::create(bytes);
    if (!file) fail("code object: " + llvm::toString(file.takeError()));
    llvm::msgpack::Document document;
    if (!document.readFromBlob(metadata_note(*file), false)) fail("code object without metadata");
    for (llvm::msgpack::DocNode& node : document.getRoot().getMap(true)["amdhsa.kernels"].getArray(true)) {
        llvm::msgpack::MapDocNode& map = node.getMap(true);
        const std::string name = map[".name"].toString();
        auto kernel =
            std::find_if(kernels.begin(), kernels.end(), [&](const KernelInfo& k) { return k.symbol == name; });
        if (kernel == kernels.end()) continue;
        kernel->registers = number(map, ".vgpr_count");
        kernel->local_bytes = number(map, ".private_segment_fixed_size");
    }
}

} // namespace ptx::code
