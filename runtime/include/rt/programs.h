#pragma once

#include <string>
#include <vector>

/// Programs of ours that run beside the application: the translator, and `cuttle` for what must not happen in it.
namespace rt::code {

/// A program of ours: beside us, in bin or libexec/cuttle of the folders above, or on PATH. Throws
/// Error{jit_compiler_not_found} that says where it looked.
std::string find_program(const std::string& program);

/// This process's environment for such a program: without LD_PRELOAD, and LD_LIBRARY_PATH without own_directory(),
/// since it must not load our libcuda.so, nor anything that was made to be forced on the application.
std::vector<std::string> translator_environment();

} // namespace rt::code
