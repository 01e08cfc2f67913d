#pragma once

namespace llvm {
class Function;
class Module;
class TargetMachine;
} // namespace llvm

namespace ptx::code {

/// For processors without registers for masks: what is put together of several masks, and then wanted as words of all
/// or no bits, is put together as such words. LLVM would make bytes of long masks for it, and words of these. To be
/// done last: LLVM makes masks of words again.
void put_masks_together_as_words(llvm::Module&, llvm::TargetMachine&);

} // namespace ptx::code
