#include "ast_to_llvm/debug_locations.h"

#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/Module.h>

#include <algorithm>

namespace ptx::ast_to_llvm {

DebugLocations::DebugLocations(llvm::Module& module, const Module& source) : builder_(module), source_(source) {
    module.addModuleFlag(llvm::Module::Warning, "Debug Info Version", llvm::DEBUG_METADATA_VERSION);
    files_.resize(std::max<size_t>(source.files.size(), 1));
    unit_ = builder_.createCompileUnit(llvm::DISourceLanguageName(llvm::dwarf::DW_LANG_C_plus_plus), file(0), "cuttle",
                                       true, "", 0, "", llvm::DICompileUnit::LineTablesOnly);
}

llvm::DIFile* DebugLocations::file(uint32_t index) {
    if (index >= files_.size()) index = 0;
    if (!files_[index]) {
        std::string path =
            index < source_.files.size() && !source_.files[index].empty() ? source_.files[index] : "module.ptx";
        auto slash = path.rfind('/');
        files_[index] = slash == std::string::npos ? builder_.createFile(path, ".")
                                                   : builder_.createFile(path.substr(slash + 1), path.substr(0, slash));
    }
    return files_[index];
}

void DebugLocations::begin(llvm::Function& function, const Function& source) {
    auto located = std::find_if(source.instructions.begin(), source.instructions.end(),
                                [](const Instruction& instruction) { return instruction.line != 0; });
    uint32_t index = located == source.instructions.end() ? 0 : located->file;
    uint32_t line = located == source.instructions.end() ? 0 : located->line;
    auto* type = builder_.createSubroutineType(builder_.getOrCreateTypeArray({}));
    subprogram_ = builder_.createFunction(file(index), source.name, function.getName(), file(index), line, type, line,
                                          llvm::DINode::FlagPrototyped, llvm::DISubprogram::SPFlagDefinition);
    function.setSubprogram(subprogram_);
}

llvm::DebugLoc DebugLocations::at(const Instruction& instruction) {
    llvm::DIScope* scope = subprogram_;
    if (instruction.line != 0 && file(instruction.file) != subprogram_->getFile())
        scope = builder_.createLexicalBlockFile(subprogram_, file(instruction.file));
    return llvm::DILocation::get(subprogram_->getContext(), instruction.line, 0, scope);
}

} // namespace ptx::ast_to_llvm
