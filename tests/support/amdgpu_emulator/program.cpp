#include "program.h"

#include "decoder.h"
#include "wave.h"

#include <cstring>
#include <fmt/format.h>
#include <llvm/MC/MCAsmInfo.h>
#include <llvm/MC/MCContext.h>
#include <llvm/MC/MCDisassembler/MCDisassembler.h>
#include <llvm/MC/MCInst.h>
#include <llvm/MC/MCInstPrinter.h>
#include <llvm/MC/MCInstrInfo.h>
#include <llvm/MC/MCRegisterInfo.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/MCTargetOptions.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/TargetSelect.h>
#include <stdexcept>

namespace amdgpu {

namespace {

void stop_outside(Wave& wave, const Instruction& in) {
    wave.stop(Stop::illegal_address, in, "a jump to where no code is");
}

/// LLVM's disassembler for one processor.
class Disassembler {
  public:
    explicit Disassembler(const Processor& processor) {
        static const bool once = [] {
            LLVMInitializeAMDGPUTargetInfo();
            LLVMInitializeAMDGPUTargetMC();
            LLVMInitializeAMDGPUDisassembler();
            return true;
        }();
        (void)once;
        const llvm::Triple triple("amdgcn-amd-amdhsa");
        std::string error;
        const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
        if (!target) throw std::runtime_error(error);
        registers_.reset(target->createMCRegInfo(triple));
        assembly_.reset(target->createMCAsmInfo(*registers_, triple, options_));
        instructions_.reset(target->createMCInstrInfo());
        subtarget_.reset(target->createMCSubtargetInfo(triple, processor.name, ""));
        context_ = std::make_unique<llvm::MCContext>(triple, assembly_.get(), registers_.get(), subtarget_.get());
        disassembler_.reset(target->createMCDisassembler(*subtarget_, *context_));
        printer_.reset(target->createMCInstPrinter(triple, 0, *assembly_, *instructions_, *registers_));
    }

    /// The mnemonic with the encoding's suffix; empty for words that are no instruction.
    std::string_view name(llvm::ArrayRef<uint8_t> bytes, uint64_t address, uint64_t& size) {
        llvm::MCInst inst;
        if (disassembler_->getInstruction(inst, size, bytes, address, llvm::nulls()) != llvm::MCDisassembler::Success)
            return {};
        std::string_view mnemonic = printer_->getMnemonic(inst).first;
        return mnemonic.substr(0, mnemonic.find_first_of(" \t"));
    }

  private:
    llvm::MCTargetOptions options_;
    std::unique_ptr<llvm::MCRegisterInfo> registers_;
    std::unique_ptr<llvm::MCAsmInfo> assembly_;
    std::unique_ptr<llvm::MCInstrInfo> instructions_;
    std::unique_ptr<llvm::MCSubtargetInfo> subtarget_;
    std::unique_ptr<llvm::MCContext> context_;
    std::unique_ptr<llvm::MCDisassembler> disassembler_;
    std::unique_ptr<llvm::MCInstPrinter> printer_;
};

std::string_view without_suffix(std::string_view name) {
    for (bool found = true; found;) {
        found = false;
        for (std::string_view suffix : {"_e32", "_e64", "_dpp", "_dpp8", "_sdwa"}) {
            if (!name.ends_with(suffix)) continue;
            name.remove_suffix(suffix.size());
            found = true;
        }
    }
    return name;
}

} // namespace

Processor Processor::of(std::string_view name) {
    Processor processor{std::string(name), false, 32};
    if (name == "gfx1100" || name == "gfx1101" || name == "gfx1102" || name == "gfx1151") return processor;
    processor.gfx9 = true;
    processor.lanes = 64;
    if (name == "gfx90a" || name == "gfx942") return processor;
    throw std::runtime_error(fmt::format("the emulator has no rules for processor {}", name));
}

Program::Program(const Processor& processor, std::span<const uint8_t> code, uint64_t address)
    : processor_(processor), address_(address), index_(code.size() / 4) {
    Disassembler disassembler(processor);
    std::unordered_map<std::string_view, const char*> names;
    const auto keep = [&](std::string_view name) {
        auto found = names.find(name);
        if (found != names.end()) return found->second;
        const std::string& kept = names_.emplace_back(name);
        return names[kept] = kept.c_str();
    };
    for (size_t at = 0; at + 4 <= code.size();) {
        uint64_t size = 4;
        const std::string_view name = disassembler.name({code.data() + at, code.size() - at}, address + at, size);
        if (name.empty() || size == 0) size = 4;
        Instruction in;
        in.name = name.empty() ? "undecodable word" : keep(name);
        in.address = address + at;
        in.next_address = address + at + size;
        in.next = uint32_t(instructions_.size() + 1);
        in.execute = stop_here;
        std::vector<uint32_t> words(size / 4);
        std::memcpy(words.data(), code.data() + at, size);
        // A dual instruction's mnemonic is that of its first half.
        const bool is_dual = name.starts_with("v_dual_");
        static const Row dual_row;
        const Row* row = is_dual ? &dual_row : find_row(without_suffix(name));
        if (row) {
            Decoder(*this, *row, in, words).decode();
            Decoder::finish(*this, in);
        }
        for (size_t word = at / 4; word < (at + size) / 4; word++) index_[word] = word == at / 4 ? in.next - 1 : ~0u;
        instructions_.push_back(in);
        at += size;
    }
    Instruction end;
    end.name = "end of code";
    end.execute = stop_outside;
    end.address = end.next_address = address + code.size();
    instructions_.push_back(end);
}

uint32_t Program::at(uint64_t address) const {
    const uint64_t word = (address - address_) / 4;
    if (address < address_ || word >= index_.size() || index_[word] == ~0u) return uint32_t(instructions_.size() - 1);
    return index_[word];
}

std::string Program::place(const Instruction& in) const {
    return fmt::format("{} code+{:#x}", processor_.name, in.address - address_);
}

} // namespace amdgpu
