#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace compilers::clang_nvrtc {

struct Options;

/// nvrtcResult
enum class Result {
    success = 0,
    out_of_memory,
    program_creation_failure,
    invalid_input,
    invalid_program,
    invalid_option,
    compilation,
    builtin_operation_failure,
    no_name_expressions_after_compilation,
    no_lowered_names_before_compilation,
    name_expression_not_valid,
    internal_error,
    time_file_write_failed,
    no_pch_create_attempted,
    pch_create_heap_exhausted,
    pch_create,
    cancelled,
    time_trace_file_write_failed,
};

/// An nvrtcProgram. One thread at a time may use it, as NVRTC has it.
class Program {
  public:
    using Headers = std::vector<std::pair<std::string, std::string>>; ///< by the name in an #include

    Program(std::string source, std::string name, Headers headers)
        : source_(std::move(source)), name_(std::move(name)), headers_(std::move(headers)) {}

    Result add_name_expression(const std::string& expression);
    Result compile(int count, const char* const* options);
    /// Never null after success; lives as long as the program.
    Result lowered_name(const std::string& expression, const char** name) const;
    const std::string& ptx() const { return ptx_; }
    const std::string& log() const { return log_; }

    /// Asked while the compiler runs; anything but 0 stops it. May be null.
    int (*stop)(void* argument, void* reserved) = nullptr;
    void* stop_argument = nullptr;

  private:
    Result compile(const Options& options);
    bool take_names(std::string ptx);

    std::string source_, name_;
    Headers headers_;
    std::vector<std::string> expressions_;
    std::optional<std::map<std::string, std::string>> lowered_; ///< once it has been compiled well
    std::string ptx_, log_;
    bool compiled_ = false; ///< tried to, well or not
};

/// The text that is compiled: the source under its name, behind it a definition for each expression, whose value in PTX
/// names what the expression means. With `default_device` functions are for the device where they do not say.
std::string program_text(const std::string& source, const std::string& name,
                         const std::vector<std::string>& expressions, bool default_device);
/// Takes those definitions out of the PTX. The names, in order; one is empty where an expression is the address of
/// nothing.
std::vector<std::string> take_lowered(std::string& ptx, size_t count);

/// Puts the text and the headers into the folder. Headers appear under the names that they are given by an overlay of
/// clang's, so that no name leads out of the folder. Throws std::runtime_error.
void write_source(const std::string& folder, const std::string& text, const Program::Headers& headers);
/// Arguments that make clang find the headers that write_source wrote, before others.
std::vector<std::string> header_arguments(const std::string& folder, const Program::Headers& headers);
/// The text's file.
std::string source_file(const std::string& folder);

/// clang's messages as NVRTC puts them: FILE(LINE): KIND: TEXT.
std::string nvrtc_messages(const std::string& messages, const std::string& folder, const std::string& program_name);

} // namespace compilers::clang_nvrtc
