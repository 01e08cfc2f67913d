#include "clang.h"
#include "program.h"

#include <filesystem>

namespace compilers::clang_nvrtc {
namespace {

namespace fs = std::filesystem;

constexpr const char* value_name = "cuttle_lowered_name_";

/// For a string of C++ or JSON, which agree on what we need.
std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        if (static_cast<unsigned char>(c) >= ' ') result += c;
    }
    return result + '"';
}

std::string include_folder(const std::string& folder) { return folder + "/include"; }

/// A kernel whose address is taken is declared before it is defined, which PTX has no words for.
void erase_declaration(std::string& ptx, const std::string& kernel) {
    const size_t name = ptx.find(".entry " + kernel + "\n(");
    if (name == ptx.npos) return;
    const size_t end = ptx.find_first_of(";{", name);
    if (end == ptx.npos || ptx[end] != ';') return;
    const size_t start = ptx.rfind('\n', name) + 1;
    ptx.erase(start, end + 1 - start);
}

/// Where clang looks when a source includes the header. Nothing is written there.
std::string place_of(const std::string& folder, const std::string& name) {
    return (fs::path(include_folder(folder)) / name).lexically_normal().string();
}

} // namespace

std::string program_text(const std::string& source, const std::string& name,
                         const std::vector<std::string>& expressions, bool default_device) {
    std::string text;
    if (default_device) text += "#pragma clang force_cuda_host_device begin\n";
    text += "#line 1 " + quoted(name) + "\n" + source + "\n";
    for (size_t i = 0; i < expressions.size(); ++i)
        text += "#line " + std::to_string(i + 2) + " \"__nv_name_map\"\n" +
                "__attribute__((device, used)) const void* " + value_name + std::to_string(i) + " = (const void*)(" +
                expressions[i] + ");\n";
    if (default_device) text += "#pragma clang force_cuda_host_device end\n";
    return text;
}

std::string source_file(const std::string& folder) { return folder + "/source.cu"; }

void write_source(const std::string& folder, const std::string& text, const Program::Headers& headers) {
    write_file(source_file(folder), text);
    if (headers.empty()) return;
    std::string overlay =
        "{\"version\": 0, \"case-sensitive\": \"true\", \"use-external-names\": \"false\", \"roots\": [";
    for (size_t i = 0; i < headers.size(); ++i) {
        const std::string file = folder + "/header" + std::to_string(i);
        write_file(file, headers[i].second);
        if (i > 0) overlay += ",";
        overlay += "\n{\"type\": \"file\", \"name\": " + quoted(place_of(folder, headers[i].first)) +
                   ", \"external-contents\": " + quoted(file) + "}";
    }
    write_file(folder + "/overlay", overlay + "\n]}\n");
    fs::create_directories(include_folder(folder)); // headers may lie beside it by their names
}

std::vector<std::string> header_arguments(const std::string& folder, const Program::Headers& headers) {
    if (headers.empty()) return {};
    return {"-ivfsoverlay", folder + "/overlay", "-I", include_folder(folder)};
}

std::vector<std::string> take_lowered(std::string& ptx, size_t count) {
    std::vector<std::string> names;
    for (size_t i = 0; i < count; ++i) {
        const std::string definition = value_name + std::to_string(i) + " = ";
        std::string& name = names.emplace_back();
        const size_t found = ptx.find(definition);
        if (found == ptx.npos) continue;
        const size_t start = ptx.rfind('\n', found) + 1, end = ptx.find('\n', found);
        std::string value = ptx.substr(found + definition.size(), end - found - definition.size());
        value.resize(std::min(value.find(';'), value.size()));
        if (value.starts_with("generic(")) value = value.substr(8, value.find(')') - 8);
        if (!value.empty() && value.find_first_of("+-(") == value.npos && (value[0] < '0' || value[0] > '9'))
            name = value;
        ptx.erase(start, end == ptx.npos ? ptx.npos : end + 1 - start);
        erase_declaration(ptx, name);
    }
    return names;
}

} // namespace compilers::clang_nvrtc
