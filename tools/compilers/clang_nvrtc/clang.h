#pragma once

#include <functional>
#include <string>
#include <vector>

namespace compilers::clang_nvrtc {

/// The clang that compiles, and what belongs to it.
struct Clang {
    std::string program;   ///< $CUTTLE_CLANG, clang++-22 or clang++ on PATH
    std::string resources; ///< its resource folder, whose include/ has the headers for CUDA
    std::string libclc;    ///< bitcode with mathematical functions, $CUTTLE_LIBCLC or libclc's own place; may be empty
    std::string headers;   ///< ours, beside this library

    /// Looked for once. When there is no clang of version 22 or newer, `problem` says so and nothing else holds.
    static const Clang& find();
    std::string problem;
};

/// How a program ended.
enum class Ended { well, with_errors, by_signal, cancelled, not_started };

/// Runs a program without a shell, its output and errors into a file, and waits. `cancelled` is asked while it runs;
/// may be empty. What the environment holds for this process alone (preloaded and audit libraries, include paths) the
/// program does not see.
Ended run(const std::vector<std::string>& command, const std::string& output, const std::function<bool()>& cancelled);

/// A folder of this process' own, removed with all that is in it.
class TemporaryFolder {
  public:
    TemporaryFolder(); ///< throws std::runtime_error
    ~TemporaryFolder();
    TemporaryFolder(const TemporaryFolder&) = delete;
    const std::string& path() const { return path_; }

  private:
    std::string path_;
};

/// The whole of a file; empty when it cannot be read.
std::string read_file(const std::string& name);
/// Throws std::runtime_error.
void write_file(const std::string& name, const std::string& text);

} // namespace compilers::clang_nvrtc
