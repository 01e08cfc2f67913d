#pragma once

#include <llvm/ADT/STLFunctionalExtras.h>

#include <string>

namespace ptx::code {

/// Runs `work` in a forked child and returns its bytes. What it throws, and its death, come back as ptx::Error
/// ("<what> gave up"). For code generators that keep state of earlier modules in globals, or end the process.
std::string in_child_process(const char* what, llvm::function_ref<std::string()> work);

} // namespace ptx::code
