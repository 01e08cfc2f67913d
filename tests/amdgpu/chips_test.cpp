// chips_test PROCESSOR FILE.ptx ...: code for a processor that nothing here runs. Every kernel of the files is made,
// but for what is refused by name, and each word of it is an instruction of that processor. Prints what it saw.
#include "disassembly.h"

#include "ptx/translate.h"

#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <map>

namespace {

std::string read_file(const char* name) {
    std::ifstream file(name, std::ios::binary);
    if (!file) throw std::runtime_error(std::string(name) + ": cannot be read");
    return {std::istreambuf_iterator<char>(file), {}};
}

struct Count {
    unsigned kernels = 0, refused = 0, instructions = 0, wrong = 0;
};

bool is_refusal(const std::string& error) {
    return error.find("target has no lowering of") != error.npos || error.find("on this target") != error.npos;
}

void check(const std::string& processor, const char* name, Count& count) {
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
    for (const ptx::KernelInfo& kernel : image.kernels) {
        ++count.kernels;
        if (is_refusal(kernel.error)) {
            ++count.refused;
        } else if (!kernel.error.empty() || !found[kernel.symbol]) {
            fmt::print("{}: {}: {}\n", name, kernel.name, kernel.error.empty() ? "no code" : kernel.error);
            ++count.wrong;
        }
    }
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 3) {
        fmt::print(stderr, "usage: chips_test PROCESSOR FILE.ptx ...\n");
        return 2;
    }
    Count count;
    for (int i = 2; i < argc; ++i) {
        try {
            check(argv[1], argv[i], count);
        } catch (const std::exception& error) {
            fmt::print("{}: {}\n", argv[i], error.what());
            ++count.wrong;
        }
    }
    fmt::print("{}: {} kernels, {} refused by name, {} instructions, {} wrong\n", argv[1], count.kernels, count.refused,
               count.instructions, count.wrong);
    return count.wrong != 0 || count.instructions == 0;
}
