#pragma once

#include <llvm/ADT/StringMap.h>
#include <llvm/ADT/StringRef.h>

#include <cstdint>
#include <vector>

/// From an object file to the shared object of an image.
namespace ptx::code {

/// Bytes of stack that each function's frame takes, by symbol, from the object's .stack_sizes.
llvm::StringMap<uint64_t> frame_sizes(llvm::StringRef object);

/// Links; `debug` keeps symbols and debug information. Throws ptx::Error when the code needs a symbol that
/// host_imports.def does not know.
std::vector<uint8_t> link_host(llvm::StringRef object, bool debug);

} // namespace ptx::code
