#include "disassembly.h"

#include <fmt/format.h>
#include <llvm/MC/MCAsmInfo.h>
#include <llvm/MC/MCContext.h>
#include <llvm/MC/MCDisassembler/MCDisassembler.h>
#include <llvm/MC/MCInst.h>
#include <llvm/MC/MCInstrInfo.h>
#include <llvm/MC/MCRegisterInfo.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/MCTargetOptions.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Object/ELFObjectFile.h>
#include <llvm/Support/TargetSelect.h>
#include <stdexcept>

namespace amdgpu {

namespace {

using File = llvm::object::ELFFile<llvm::object::ELF64LE>;

template <class T> T take(llvm::Expected<T> value) {
    if (value) return std::move(*value);
    throw std::runtime_error("code object: " + llvm::toString(value.takeError()));
}

class Reader {
  public:
    explicit Reader(const std::string& processor) {
        LLVMInitializeAMDGPUTargetInfo();
        LLVMInitializeAMDGPUTargetMC();
        LLVMInitializeAMDGPUDisassembler();
        const llvm::Triple triple("amdgcn-amd-amdhsa");
        std::string error;
        const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
        if (!target) throw std::runtime_error(error);
        registers_.reset(target->createMCRegInfo(triple));
        assembly_.reset(target->createMCAsmInfo(*registers_, triple, options_));
        subtarget_.reset(target->createMCSubtargetInfo(triple, processor, ""));
        if (!subtarget_->isCPUStringValid(processor)) throw std::runtime_error("no such processor: " + processor);
        context_ = std::make_unique<llvm::MCContext>(triple, assembly_.get(), registers_.get(), subtarget_.get());
        disassembler_.reset(target->createMCDisassembler(*subtarget_, *context_));
    }

    void read(llvm::ArrayRef<uint8_t> bytes, uint64_t address, DisassembledFunction& function) {
        for (size_t at = 0; at < bytes.size();) {
            llvm::MCInst instruction;
            uint64_t size = 0;
            const auto status =
                disassembler_->getInstruction(instruction, size, bytes.drop_front(at), address + at, llvm::nulls());
            if (status == llvm::MCDisassembler::Success)
                ++function.instructions;
            else
                function.unknown.push_back(fmt::format("{:#x}", address + at));
            at += std::max<uint64_t>(size, 4);
        }
    }

  private:
    llvm::MCTargetOptions options_;
    std::unique_ptr<llvm::MCRegisterInfo> registers_;
    std::unique_ptr<llvm::MCAsmInfo> assembly_;
    std::unique_ptr<llvm::MCSubtargetInfo> subtarget_;
    std::unique_ptr<llvm::MCContext> context_;
    std::unique_ptr<llvm::MCDisassembler> disassembler_;
};

} // namespace

std::vector<DisassembledFunction> disassemble(const std::string& processor, std::span<const uint8_t> code_object) {
    Reader reader(processor);
    const File file = take(File::create({reinterpret_cast<const char*>(code_object.data()), code_object.size()}));
    std::vector<DisassembledFunction> functions;
    for (const auto& table : take(file.sections())) {
        // The full table has the functions that are not exported, too.
        if (table.sh_type != llvm::ELF::SHT_SYMTAB) continue;
        const auto names = take(file.getStringTableForSymtab(table));
        for (const auto& symbol : take(file.symbols(&table))) {
            if (symbol.getType() != llvm::ELF::STT_FUNC || symbol.st_size == 0) continue;
            const auto* section = take(file.getSection(symbol.st_shndx));
            const auto contents = take(file.getSectionContents(*section));
            DisassembledFunction& function = functions.emplace_back();
            function.name = take(symbol.getName(names)).str();
            reader.read(contents.slice(symbol.st_value - section->sh_addr, symbol.st_size), symbol.st_value, function);
        }
    }
    return functions;
}

} // namespace amdgpu
