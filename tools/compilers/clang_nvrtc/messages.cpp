#include "program.h"

#include <cctype>
#include <sstream>
#include <string_view>

namespace compilers::clang_nvrtc {
namespace {

struct Message {
    std::string file, line, kind, text;
};

/// FILE:LINE:COLUMN: KIND: TEXT; anything else has no kind.
Message parse(const std::string& line) {
    Message message;
    for (const char* kind : {": fatal error: ", ": error: ", ": warning: ", ": note: ", ": remark: "}) {
        const size_t at = line.find(kind);
        if (at == line.npos) continue;
        message.kind = std::string(kind).substr(2, std::string_view(kind).size() - 4);
        message.text = line.substr(at + std::string_view(kind).size());
        const std::string place = line.substr(0, at);
        const size_t column = place.rfind(':'), row = column == place.npos ? column : place.rfind(':', column - 1);
        if (row != place.npos && std::isdigit(static_cast<unsigned char>(place[row + 1]))) {
            message.file = place.substr(0, row);
            message.line = place.substr(row + 1, column - row - 1);
        }
        break;
    }
    return message;
}

/// A missing header in NVRTC's words: programs look for them, and try again with the header.
std::string missing_header(const std::string& text) {
    const std::string_view end = "' file not found";
    if (!text.starts_with("'") || !text.ends_with(end)) return {};
    return "cannot open source file \"" + text.substr(1, text.size() - 1 - end.size()) + "\"";
}

void erase_all(std::string& text, const std::string& part) {
    for (size_t at = text.find(part); at != text.npos; at = text.find(part)) text.erase(at, part.size());
}

} // namespace

std::string nvrtc_messages(const std::string& messages, const std::string& folder, const std::string& program_name) {
    std::string log;
    int errors = 0;
    bool fatal = false;
    std::istringstream lines(messages);
    for (std::string line; std::getline(lines, line);) {
        erase_all(line, folder + "/include/");
        if (line.find(" generated when compiling for ") != line.npos || line.starts_with("In file included from"))
            continue;
        Message message = parse(line);
        if (message.kind.empty()) {
            log += line + "\n"; // of the source, with its mark
            continue;
        }
        if (message.kind == "fatal error") {
            fatal = true;
            message.kind = "catastrophic error";
            if (const std::string text = missing_header(message.text); !text.empty()) message.text = text;
        }
        errors += message.kind == "error" || message.kind == "catastrophic error";
        if (!log.empty() && message.kind != "note") log += "\n";
        if (!message.file.empty()) log += message.file + "(" + message.line + "): ";
        log += message.kind + ": " + message.text + "\n";
    }
    if (errors > 0)
        log += "\n" + std::to_string(errors) + (fatal ? " catastrophic" : "") + (errors > 1 ? " errors" : " error") +
               " detected in the compilation of \"" + program_name + "\".\n";
    if (fatal) log += "Compilation terminated.\n";
    return log;
}

} // namespace compilers::clang_nvrtc
