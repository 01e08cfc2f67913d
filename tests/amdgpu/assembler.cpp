#include "assembler.h"

#include <llvm/MC/MCAsmInfo.h>
#include <llvm/MC/MCCodeEmitter.h>
#include <llvm/MC/MCContext.h>
#include <llvm/MC/MCInstrInfo.h>
#include <llvm/MC/MCObjectFileInfo.h>
#include <llvm/MC/MCParser/MCAsmParser.h>
#include <llvm/MC/MCParser/MCTargetAsmParser.h>
#include <llvm/MC/MCRegisterInfo.h>
#include <llvm/MC/MCStreamer.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/MCTargetOptions.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/SourceMgr.h>
#include <llvm/Support/TargetSelect.h>
#include <stdexcept>

namespace amdgpu {

namespace {

/// Keeps the bytes of instructions and nothing else.
class Collector : public llvm::MCStreamer {
  public:
    Collector(llvm::MCContext& context, llvm::MCCodeEmitter& emitter) : MCStreamer(context), emitter_(emitter) {}
    bool emitSymbolAttribute(llvm::MCSymbol*, llvm::MCSymbolAttr) override { return true; }
    void emitCommonSymbol(llvm::MCSymbol*, uint64_t, llvm::Align) override {}
    void emitInstruction(const llvm::MCInst& inst, const llvm::MCSubtargetInfo& subtarget) override {
        llvm::SmallVector<char, 16> code;
        llvm::SmallVector<llvm::MCFixup, 2> fixups;
        emitter_.encodeInstruction(inst, code, fixups, subtarget);
        bytes.insert(bytes.end(), code.begin(), code.end());
    }
    std::vector<uint8_t> bytes;

  private:
    llvm::MCCodeEmitter& emitter_;
};

} // namespace

std::vector<uint8_t> assemble(const std::string& processor, const std::string& text) {
    LLVMInitializeAMDGPUTargetInfo();
    LLVMInitializeAMDGPUTargetMC();
    LLVMInitializeAMDGPUAsmParser();
    const llvm::Triple triple("amdgcn-amd-amdhsa");
    std::string error;
    const llvm::Target* target = llvm::TargetRegistry::lookupTarget(triple, error);
    if (!target) throw std::runtime_error(error);
    const llvm::MCTargetOptions options;
    const std::unique_ptr<llvm::MCRegisterInfo> registers(target->createMCRegInfo(triple));
    const std::unique_ptr<llvm::MCAsmInfo> assembly(target->createMCAsmInfo(*registers, triple, options));
    const std::unique_ptr<llvm::MCInstrInfo> instructions(target->createMCInstrInfo());
    const std::unique_ptr<llvm::MCSubtargetInfo> subtarget(target->createMCSubtargetInfo(triple, processor, ""));
    llvm::SourceMgr source;
    std::string complaints;
    source.setDiagHandler(
        [](const llvm::SMDiagnostic& diagnostic, void* to) {
            *static_cast<std::string*>(to) += diagnostic.getMessage().str() + ": " + diagnostic.getLineContents().str();
        },
        &complaints);
    source.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(text + "\n"), llvm::SMLoc());
    llvm::MCContext context(triple, assembly.get(), registers.get(), subtarget.get(), &source);
    const std::unique_ptr<llvm::MCObjectFileInfo> object(target->createMCObjectFileInfo(context, false));
    context.setObjectFileInfo(object.get());
    const std::unique_ptr<llvm::MCCodeEmitter> emitter(target->createMCCodeEmitter(*instructions, context));
    Collector collector(context, *emitter);
    target->createNullTargetStreamer(collector);
    const std::unique_ptr<llvm::MCAsmParser> parser(llvm::createMCAsmParser(source, context, collector, *assembly));
    const std::unique_ptr<llvm::MCTargetAsmParser> of_target(
        target->createMCAsmParser(*subtarget, *parser, *instructions, options));
    parser->setTargetParser(*of_target);
    collector.initSections(false, *subtarget);
    if (parser->Run(true) || !complaints.empty()) throw std::runtime_error(complaints);
    return std::move(collector.bytes);
}

} // namespace amdgpu
