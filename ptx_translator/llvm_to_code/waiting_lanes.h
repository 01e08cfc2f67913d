#pragma once

namespace llvm {
class Function;
class Module;
} // namespace llvm

/// Progress of lanes that wait for each other, on processors that run the lanes of a wave together.
///
/// Where lanes part, such a processor runs one side to its end before the other: a lane that spins until another lane
/// of its wave does something spins for ever if the other one has to wait for it. Code for sm_70 and newer may count on
/// that not happening (CUDA C++ Programming Guide, "Independent Thread Scheduling").
namespace ptx::code {

/// Inlines what waits into its callers, up to the kernels. What recursion or indirect calls leave stays.
void inline_waits(llvm::Module&);

/// Around each loop that waits (`cuttle.spin` in its latch, or for a phase of an mbarrier), and all that other lanes
/// may have to do meanwhile, makes one loop that every lane goes through piece by piece: a piece ends where the lane
/// would wait once more, or where it has done all and only waits for the others. In each turn every lane that is left
/// gets on. Loops to which all lanes come together for the same thing stay as they are (uniform_waits.h).
/// The code that this comprises has no operation in which lanes meet: those want them together anyway.
/// `opaque`: assembler's constraints for a 32-bit value of a lane, "=v,0", behind which LLVM cannot know the next
/// piece; null: `i32 @cuttle.opaque(i32)` instead, which the target takes for its argument once LLVM has optimised.
void let_waiting_lanes_go_on(llvm::Function& kernel, const char* opaque);

} // namespace ptx::code
