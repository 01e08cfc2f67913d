#include "run_on_host.h"

#include "ast/position.h"
#include "ptx/translate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

/// Each .ptx file in the folders beside this one is a test. Its first comment lines say what is expected:
///   // CHECK[stage]: text       some line of the stage's dump contains the text, below the line of the CHECK before
///   it;
///                               `...` in the text stands for anything within the line
///   // CHECK-NOT[stage]: text   no line of the dump contains the text
///   // ERROR: line:column: text the translation fails there, with a message that contains the text
///   // RUN n=5: 1 2 -> 3 4     `kernel`, run on the host by one thread with n = 5 on a buffer of 64 words that begins
///   with
///                               1 2 and is zero behind, leaves it beginning with 3 4
///   // TARGET: name             instead of host
///   // KERNEL: name             asks for this kernel by name; may be repeated
///   // FUNCTION: name           asks for this device function by name; may be repeated
namespace {

struct Check {
    std::string stage, text;
    bool absent = false;
};

struct Run {
    std::string text;
    uint32_t n = 0;
    std::vector<uint32_t> before, after;
};

struct Case {
    std::string text, error;
    ptx::Target target;
    std::vector<std::string> kernels, functions;
    std::vector<Check> checks;
    std::vector<Run> runs;
};

bool take_prefix(std::string& line, const std::string& prefix) {
    if (!line.starts_with(prefix)) return false;
    line.erase(0, prefix.size());
    line.erase(0, std::min(line.find_first_not_of(' '), line.size()));
    return true;
}

Check parse_check(std::string rest, bool absent) {
    size_t bracket = rest.find("]:");
    if (bracket == std::string::npos) throw std::runtime_error("CHECK without stage: " + rest);
    Check check{rest.substr(0, bracket), rest.substr(bracket + 2), absent};
    take_prefix(check.text, "");
    return check;
}

std::vector<uint32_t> parse_words(const std::string& text) {
    std::vector<uint32_t> words;
    std::istringstream stream(text);
    for (std::string word; stream >> word;) words.push_back(static_cast<uint32_t>(std::stoll(word, nullptr, 0)));
    return words;
}

Run parse_run(const std::string& text) {
    size_t colon = text.find(':'), arrow = text.find("->");
    if (colon == std::string::npos || arrow == std::string::npos) throw std::runtime_error("RUN: " + text);
    Run run{text, 0, parse_words(text.substr(colon + 1, arrow - colon - 1)), parse_words(text.substr(arrow + 2))};
    run.n = static_cast<uint32_t>(std::stoll(text.substr(2, colon - 2), nullptr, 0));
    if (run.after.empty()) throw std::runtime_error("RUN expects nothing: " + text);
    return run;
}

void parse_directive(std::string line, Case& out) {
    if (take_prefix(line, "// CHECK-NOT["))
        out.checks.push_back(parse_check(line, true));
    else if (take_prefix(line, "// CHECK["))
        out.checks.push_back(parse_check(line, false));
    else if (take_prefix(line, "// RUN "))
        out.runs.push_back(parse_run(line));
    else if (take_prefix(line, "// ERROR:"))
        out.error = line;
    else if (take_prefix(line, "// TARGET:"))
        out.target = ptx::Target::parse(line);
    else if (take_prefix(line, "// KERNEL:"))
        out.kernels.push_back(line);
    else if (take_prefix(line, "// FUNCTION:"))
        out.functions.push_back(line);
}

Case read_case(const std::filesystem::path& path) {
    Case out;
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    out.text = text.str();
    std::istringstream lines(out.text);
    for (std::string line; std::getline(lines, line) && line.starts_with("//");) parse_directive(line, out);
    return out;
}

bool matches(const std::string& line, const std::string& pattern) {
    size_t at = 0;
    for (size_t begin = 0; begin <= pattern.size();) {
        size_t end = std::min(pattern.find("...", begin), pattern.size());
        std::string piece = pattern.substr(begin, end - begin);
        size_t found = line.find(piece, at);
        if (found == std::string::npos) return false;
        at = found + piece.size();
        begin = end + 3;
    }
    return true;
}

void run_checks(const std::vector<Check>& checks, const std::map<std::string, std::string>& dumps) {
    std::map<std::string, size_t> positions;
    for (const Check& check : checks) {
        auto dump = dumps.find(check.stage);
        ASSERT_NE(dump, dumps.end()) << "no stage " << check.stage;
        std::vector<std::string> lines;
        std::istringstream stream(dump->second);
        for (std::string line; std::getline(stream, line);) lines.push_back(line);
        auto matches_check = [&](const std::string& line) { return matches(line, check.text); };
        if (check.absent) {
            EXPECT_TRUE(std::none_of(lines.begin(), lines.end(), matches_check)) << "unwanted: " << check.text << "\n"
                                                                                 << dump->second;
            continue;
        }
        size_t& position = positions[check.stage];
        auto found = std::find_if(lines.begin() + static_cast<std::ptrdiff_t>(position), lines.end(), matches_check);
        ASSERT_NE(found, lines.end()) << "missing: " << check.text << "\n" << dump->second;
        position = static_cast<size_t>(found - lines.begin()) + 1;
    }
}

std::string translate(const Case& test, std::map<std::string, std::string>& dumps) {
    std::string_view source = test.text;
    ptx::Request request;
    request.sources = {&source, 1};
    request.target = test.target;
    request.kernels = test.kernels;
    request.functions = test.functions;
    bool whole = std::any_of(test.checks.begin(), test.checks.end(),
                             [](const Check& check) { return check.stage != "llvm" && check.stage != "ast"; });
    request.after_stage = [&](std::string_view stage, const std::string& dump) {
        dumps[std::string(stage)] = dump;
        return whole || stage != "llvm";
    };
    try {
        ptx::Image image = ptx::translate(request);
        for (const ptx::KernelInfo& kernel : image.kernels)
            if (!kernel.error.empty()) return kernel.error;
    } catch (const ptx::Error& error) {
        const ptx::Diagnostic& found = error.diagnostic();
        return std::to_string(found.where.line) + ":" + std::to_string(found.where.column) + ": " + found.message;
    }
    return {};
}

void run_kernel(const Case& test) {
    std::string_view source = test.text;
    ptx::ModuleInfo info = ptx::index({&source, 1});
    ptx::Request request;
    request.sources = {&source, 1};
    request.kernels = {"kernel"};
    request.functions = info.functions_in_data;
    ptx::Image image = ptx::translate(request);
    for (const Run& run : test.runs) {
        std::vector<uint32_t> buffer = run.before;
        buffer.resize(64);
        run_on_host(image, info, "kernel", buffer, run.n, 0);
        buffer.resize(run.after.size());
        EXPECT_EQ(buffer, run.after) << run.text;
    }
}

class TranslateTest : public testing::Test {
  public:
    explicit TranslateTest(std::filesystem::path path) : path_(std::move(path)) {}

    void TestBody() override {
        Case test = read_case(path_);
        ASSERT_TRUE(!test.checks.empty() || !test.error.empty() || !test.runs.empty()) << "the file expects nothing";
        std::map<std::string, std::string> dumps;
        std::string error = translate(test, dumps);
        if (test.error.empty()) {
            ASSERT_EQ(error, "");
        } else {
            EXPECT_NE(error.find(test.error), std::string::npos) << "error is: " << error;
        }
        run_checks(test.checks, dumps);
        if (!test.runs.empty()) run_kernel(test);
    }

  private:
    std::filesystem::path path_;
};

const bool registered = [] {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(CASES))
        if (entry.path().extension() == ".ptx") paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    for (const auto& path : paths) {
        std::string suite = path.parent_path().filename().string();
        testing::RegisterTest(suite.c_str(), path.stem().c_str(), nullptr, nullptr, __FILE__, __LINE__,
                              [path]() -> TranslateTest* { return new TranslateTest(path); });
    }
    return !paths.empty();
}();

} // namespace
