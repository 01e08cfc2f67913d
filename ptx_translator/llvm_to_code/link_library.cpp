#include "llvm_to_code/link_library.h"

#include "llvm_to_code/machine.h"

#include <llvm/Bitcode/BitcodeReader.h>
#include <llvm/IR/Module.h>
#include <llvm/Linker/Linker.h>
#include <llvm/Transforms/IPO/Internalize.h>

namespace ptx::code {

void link_library(llvm::Module& module, std::string_view prefix, std::string_view bitcode) {
    const bool needed = llvm::any_of(module, [&](const llvm::Function& function) {
        return function.isDeclaration() && !function.use_empty() && function.getName().starts_with(prefix);
    });
    if (!needed) return;
    auto library = llvm::getLazyBitcodeModule(llvm::MemoryBufferRef({bitcode.data(), bitcode.size()}, "device library"),
                                              module.getContext());
    if (!library) fail("device library: " + llvm::toString(library.takeError()));
    // Bitcode leaves out the space of an alloca that is the usual one of its own layout.
    if ((*library)->getDataLayout().getAllocaAddrSpace() != module.getDataLayout().getAllocaAddrSpace())
        if (llvm::Error error = (*library)->materializeAll())
            fail("device library: " + llvm::toString(std::move(error)));
    (*library)->setTargetTriple(module.getTargetTriple());
    (*library)->setDataLayout(module.getDataLayout());
    const bool failed =
        llvm::Linker::linkModules(module, std::move(*library), llvm::Linker::LinkOnlyNeeded,
                                  [](llvm::Module& linked, const llvm::StringSet<>& names) {
                                      llvm::internalizeModule(linked, [&](const llvm::GlobalValue& value) {
                                          return !names.contains(value.getName());
                                      });
                                  });
    if (failed) fail("device library: linking failed");
}

} // namespace ptx::code
