#pragma once

namespace llvm {
class Function;
class Module;
} // namespace llvm

namespace ptx::code {
class LaneAccess;

/// Gives every function the Lane* as first argument, calls too, and the name its symbol will have: "f.kernel",
/// "f.function" (PTX names have no dot, so neither meets libc's names). Pointer types in signatures become plain.
void thread_lane(llvm::Module&);

/// The neutral address spaces become plain host addresses. `lane` belongs to the function.
/// Atomics of one CTA (shared memory, .cta scope) are marked.
void map_memory(LaneAccess& lane);

/// Marked atomics become plain read, modify, write: a CTA runs on one OS thread.
void make_atomics_of_one_cta_plain(llvm::Module&);

} // namespace ptx::code
