// chips_test PROCESSOR REFUSED.tsv FILE.ptx ...: code for a processor that nothing here runs. Every kernel of the files
// is made, but for those that the table says are refused, and why; each word of it is an instruction of that processor.
// Prints what it saw.
#include "disassembly.h"

#include "ptx/translate.h"

#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

namespace {

std::string read_file(const char* name) {
    std::ifstream file(name, std::ios::binary);
    if (!file) throw std::runtime_error(std::string(name) + ": cannot be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

struct Count {
    unsigned kernels = 0, refused = 0, instructions = 0, wrong = 0;
};

/// What is refused, by "file kernel".
using Refused = std::map<std::string, std::string>;

Refused read_refused(const char* name) {
    Refused refused;
    std::istringstream table(read_file(name));
    for (std::string line; std::getline(table, line);) {
        if (line.starts_with("#")) continue;
        std::string file, kernel, what;
        std::istringstream row(line);
        if (!std::getline(row, file, '\t') || !std::getline(row, kernel, '\t') || !std::getline(row, what))
            throw std::runtime_error(std::string(name) + " has a line that is none: " + line);
        refused[file + ' ' + kernel] = what;
    }
    return refused;
}

/// Counts a kernel; false if it is not as the table says.
bool is_as_expected(const ptx::KernelInfo& kernel, const std::string* refused, bool has_code, Count& count) {
    if (!refused) return kernel.error.empty() && has_code;
    ++count.refused;
    return kernel.error.find(*refused) != kernel.error.npos;
}

void check(const std::string& processor, const Refused& refused, const char* name, Count& count) {
    const std::string text = read_file(name);
    const std::string_view sources[] = {text};
    ptx::Request request;
    request.sources = sources;
    request.target = ptx::Target::parse("amdgcn:" + processor);
    const ptx::Image image = ptx::translate(request);
    std::map<std::string, bool> found;
    if (!image.code.empty())
        for (const amdgpu::DisassembledFunction& function : amdgpu::disassemble(processor, image.code)) {
            found[function.name] = function.instructions != 0;
            count.instructions += function.instructions;
            if (function.unknown.empty()) continue;
            fmt::print("{}: {}: {} words are no instruction, the first at {}\n", name, function.name,
                       function.unknown.size(), function.unknown.front());
            ++count.wrong;
        }
    const std::string file = std::filesystem::path(name).filename();
    for (const ptx::KernelInfo& kernel : image.kernels) {
        ++count.kernels;
        const auto row = refused.find(file + ' ' + kernel.name);
        if (is_as_expected(kernel, row == refused.end() ? nullptr : &row->second, found[kernel.symbol], count))
            continue;
        fmt::print("{}: {}: {}\n", name, kernel.name,
                   kernel.error.empty() ? "no code, or none expected" : kernel.error);
        ++count.wrong;
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        fmt::print(stderr, "usage: chips_test PROCESSOR REFUSED.tsv FILE.ptx ...\n");
        return 2;
    }
    const Refused refused = read_refused(argv[2]);
    Count count;
    for (int i = 3; i < argc; ++i) {
        try {
            check(argv[1], refused, argv[i], count);
        } catch (const std::exception& error) {
            fmt::print("{}: {}\n", argv[i], error.what());
            ++count.wrong;
        }
    }
    fmt::print("{}: {} kernels, {} refused by name, {} instructions, {} wrong\n", argv[1], count.kernels, count.refused,
               count.instructions, count.wrong);
    return count.wrong != 0 || count.instructions == 0;
}
