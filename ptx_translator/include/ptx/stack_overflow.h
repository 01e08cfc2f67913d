#pragma once

#include <cstdint>

namespace ptx::gpu {

/// What `cuttle.trap` is told, as a kind behind those of host::Trap, where a stack of a lane that the translator keeps
/// (llvm_to_code/recursion.h) has no room for another frame.
constexpr uint32_t stack_overflow_trap = 16;

} // namespace ptx::gpu
