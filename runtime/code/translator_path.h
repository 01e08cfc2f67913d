#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace rt::code {

/// Where the library (or program) that this code is part of lies. Empty when the loader does not tell.
std::filesystem::path own_directory();

/// A program of ours: beside us, in bin or libexec/cuttle of the folders above, or on PATH. Throws
/// Error{jit_compiler_not_found} that says where it looked.
std::string find_program(const std::string& program);

/// The program cuttle-ptxc: what the option `translator` names, else as find_program() finds it.
std::string find_translator();

/// This process's environment for the translator: without LD_PRELOAD, and LD_LIBRARY_PATH without own_directory(),
/// since the translator must not load our libcuda.so, nor anything that was made to be forced on the application.
std::vector<std::string> translator_environment();

} // namespace rt::code
