#include "llvm_to_code/link_elf.h"

#include "llvm_to_code/machine.h"

#include <lld/Common/Driver.h>
#include <llvm/BinaryFormat/ELF.h>
#include <llvm/InterfaceStub/ELFObjHandler.h>
#include <llvm/InterfaceStub/IFSStub.h>
#include <llvm/Support/FileSystem.h>
#include <llvm/Support/MemoryBuffer.h>
#include <llvm/Support/raw_ostream.h>

#include <mutex>

LLD_HAS_DRIVER(elf)

namespace ptx::code {

LinkJob::LinkJob() {
    llvm::SmallString<128> path;
    if (std::error_code error = llvm::sys::fs::createUniqueDirectory("cuttle-link", path))
        fail("cannot make a directory for linking: " + error.message());
    directory_ = path.str().str();
}

LinkJob::~LinkJob() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
}

std::string LinkJob::file(std::string_view name, std::string_view bytes) {
    const std::string path = directory_ / name;
    std::error_code error;
    llvm::raw_fd_ostream stream(path, error);
    stream << llvm::StringRef(bytes.data(), bytes.size());
    stream.close();
    if (error || stream.has_error()) fail("cannot write " + path + ": " + (error ? error : stream.error()).message());
    return path;
}

std::string LinkJob::stub_library(const std::string& soname, const std::vector<std::string>& symbols) {
    llvm::ifs::IFSStub stub;
    stub.SoName = soname;
    stub.Target.Arch = llvm::ELF::EM_X86_64;
    stub.Target.Endianness = llvm::ifs::IFSEndiannessType::Little;
    stub.Target.BitWidth = llvm::ifs::IFSBitWidthType::IFS64;
    for (const std::string& name : symbols) {
        llvm::ifs::IFSSymbol symbol(name);
        symbol.Type = llvm::ifs::IFSSymbolType::Func;
        stub.Symbols.push_back(std::move(symbol));
    }
    const std::string path = directory_ / soname;
    if (llvm::Error error = llvm::ifs::writeBinaryStub(path, stub))
        fail("cannot write " + path + ": " + llvm::toString(std::move(error)));
    return path;
}

std::vector<uint8_t> LinkJob::link(std::vector<std::string> arguments) {
    const std::string output = directory_ / "output";
    arguments.insert(arguments.begin(), "ld.lld");
    arguments.insert(arguments.end(), {"-o", output});
    std::vector<const char*> pointers;
    for (const std::string& argument : arguments) pointers.push_back(argument.c_str());

    std::string messages;
    llvm::raw_string_ostream stream(messages);
    static std::mutex one_at_a_time; // lld keeps its state in globals
    const std::lock_guard lock(one_at_a_time);
    const lld::Result result = lld::lldMain(pointers, stream, stream, {{lld::Gnu, &lld::elf::link}});
    if (result.retCode != 0) fail("linking failed: " + messages);
    auto buffer = llvm::MemoryBuffer::getFile(output, false, false);
    if (!buffer) fail("cannot read the linker's output: " + buffer.getError().message());
    const llvm::StringRef bytes = (*buffer)->getBuffer();
    return std::vector<uint8_t>(bytes.begin(), bytes.end());
}

} // namespace ptx::code
