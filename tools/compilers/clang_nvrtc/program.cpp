#include "program.h"

#include "clang.h"
#include "options.h"

#include <algorithm>
#include <filesystem>
#include <stdexcept>

namespace compilers::clang_nvrtc {

Result Program::add_name_expression(const std::string& expression) {
    if (compiled_) return Result::no_name_expressions_after_compilation;
    if (std::ranges::find(expressions_, expression) == expressions_.end()) expressions_.push_back(expression);
    return Result::success;
}

Result Program::lowered_name(const std::string& expression, const char** name) const {
    if (!lowered_) return Result::no_lowered_names_before_compilation;
    const auto found = lowered_->find(expression);
    if (found == lowered_->end()) return Result::name_expression_not_valid;
    *name = found->second.c_str();
    return Result::success;
}

Result Program::compile(int count, const char* const* words) {
    ptx_.clear();
    log_.clear();
    lowered_.reset();
    const std::optional<Options> options = Options::read(count, words, log_);
    if (!options) return Result::invalid_option;
    compiled_ = true;
    try {
        return compile(*options);
    } catch (const std::runtime_error& error) { // no folder for files, or none written
        log_ += std::string("nvrtc: error: ") + error.what() + "\n";
        return Result::internal_error;
    }
}

Result Program::compile(const Options& options) {
    const Clang& clang = Clang::find();
    if (!clang.problem.empty()) {
        log_ += "nvrtc: error: " + clang.problem + "\n";
        return Result::compilation;
    }
    const auto speaks_of = [&](const char* word) {
        return source_.find(word) != source_.npos || std::ranges::any_of(headers_, [&](const auto& header) {
                   return header.second.find(word) != header.second.npos;
               });
    };

    const TemporaryFolder folder;
    write_source(folder.path(), program_text(source_, name_, expressions_, options.default_device), headers_);
    std::vector<std::string> command = {clang.program};
    const auto append = [&](const std::vector<std::string>& words) {
        command.insert(command.end(), words.begin(), words.end());
    };
    append(options.arguments());
    append({"-include", clang.headers + "/prelude.h", "-I", clang.headers + "/clang", "-idirafter",
            clang.resources + "/include"});
    append({"-D__CUDACC_VER_MAJOR__=" + std::to_string(CUTTLE_MAJOR),
            "-D__CUDACC_VER_MINOR__=" + std::to_string(toolkit_minor), "-D__CUDACC_VER_BUILD__=0",
            "-DCUDART_VERSION=" + std::to_string(CUTTLE_MAJOR * 1000 + toolkit_minor * 10)});
    if (speaks_of("tex") || speaks_of("surf")) append({"-DCUTTLE_TEXTURES"});
    if (clang.libclc.empty())
        append({"-DCUTTLE_NO_LIBCLC"});
    else
        append({"-Xclang", "-mlink-builtin-bitcode", "-Xclang", clang.libclc});
    // Headers of the program come first, then the folders of its options, then the source's own.
    append(header_arguments(folder.path(), headers_));
    append(options.preprocessor);
    if (options.source_include) {
        const std::string parent = std::filesystem::path(name_).parent_path().string();
        append({"-iquote", parent.empty() ? "." : parent});
    }
    const std::string output = folder.path() + "/ptx", messages = folder.path() + "/messages";
    append({"-o", output, source_file(folder.path())});

    const auto stopped = [this] { return stop(stop_argument, nullptr) != 0; };
    const Ended ended = run(command, messages, stop != nullptr ? std::function<bool()>(stopped) : nullptr);
    log_ += nvrtc_messages(read_file(messages), folder.path(), name_);
    if (ended == Ended::cancelled) return Result::cancelled;
    if (ended == Ended::by_signal || ended == Ended::not_started) {
        log_ += "nvrtc: error: " + clang.program +
                (ended == Ended::by_signal ? " was ended by a signal\n" : " could not be started\n");
        return Result::internal_error;
    }
    std::string ptx = read_file(output);
    if (ended == Ended::with_errors) return Result::compilation;
    if (options.syntax_only) return Result::success;
    // A host program that ignores SIGCHLD hides how clang ended, not what it said.
    if (ptx.empty()) return log_.empty() ? Result::internal_error : Result::compilation;
    return take_names(std::move(ptx)) ? Result::success : Result::compilation;
}

bool Program::take_names(std::string ptx) {
    const std::vector<std::string> names = take_lowered(ptx, expressions_.size());
    std::map<std::string, std::string> lowered;
    bool all = true;
    for (size_t i = 0; i < names.size(); ++i) {
        lowered[expressions_[i]] = names[i];
        if (!names[i].empty()) continue;
        all = false;
        log_ += "__nv_name_map(" + std::to_string(i + 2) +
                "): error: Name expression must form address of a __global__ function or the address of a "
                "__device__/__constant__ variable. Input name expression was: \"" +
                expressions_[i] + "\"\n";
    }
    if (!all) return false;
    lowered_ = std::move(lowered);
    ptx_ = std::move(ptx);
    return true;
}

} // namespace compilers::clang_nvrtc
