#include "ast_to_ast/prepare.h"
#include "ast_to_llvm/module_lowering.h"
#include "llvm_to_code/compile.h"
#include "ptx/translate.h"

#include <llvm/IR/LLVMContext.h>
#include <llvm/IR/Module.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>

// How fast the front end is: `translator_speed FILE.ptx [COPIES...]` reads a text whose kernels it repeats under new
// names, and prints PTX instructions a second from text to verified AST and from there to neutral IR, and what an index
// job and the preparation of one kernel cost. Several numbers of copies show whether it is linear. Times are the
// processor's, so that other programs hardly count.
namespace {

double seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds_of = [](const timeval& t) { return double(t.tv_sec) + double(t.tv_usec) / 1e6; };
    return seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
}

/// The text from its first kernel on, `copies` times, with a number behind each kernel's name.
std::string repeated(const std::string& text, unsigned copies) {
    const std::string mark = ".visible .entry ";
    const size_t first = text.find(mark);
    std::string out = text.substr(0, first);
    for (unsigned copy = 0; copy < copies; ++copy) {
        size_t at = first;
        for (size_t next; (next = text.find(mark, at)) != text.npos; at = next) {
            const size_t end = text.find_first_of("(\n", next);
            out += text.substr(at, end - at) + "_" + std::to_string(copy);
            next = end;
            at = end;
            const size_t following = text.find(mark, at);
            out += text.substr(at, following == text.npos ? following : following - at);
            if (following == text.npos) break;
            next = following;
        }
    }
    return out;
}

size_t instructions(const ptx::Module& module) {
    size_t count = 0;
    for (const auto& function : module.functions) count += function->instructions.size();
    return count;
}

long peak_megabytes() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

void measure(const std::string& text) {
    const std::string_view sources[] = {text};
    const double start = seconds();
    const ptx::ModuleInfo info = ptx::index(sources);
    const double indexed = seconds();
    const size_t one = ptx::prepare(sources, {info.kernels.back().name}, {}).info.kernels.size();
    const long outline_megabytes = peak_megabytes();
    const double begin = seconds();
    const ptx::Prepared prepared = ptx::prepare(sources);
    const double verified = seconds();
    llvm::LLVMContext context;
    context.setDiscardValueNames(true);
    auto module = std::make_unique<llvm::Module>("module", context);
    ptx::set_target(*module, ptx::Target{});
    const auto lowered = ptx::ast_to_llvm::lower(std::move(module), prepared, {}, {});
    const double end = seconds();
    const auto count = static_cast<double>(instructions(*prepared.module));
    std::printf("%.1f MB, %zu kernels, %.0f instructions: index %.2f s, one kernel %.2f s (%ld MB); AST %.2f s "
                "(%.0f/s), neutral IR %.2f s, together %.0f/s (%ld MB)\n",
                static_cast<double>(text.size()) / 1e6, one, count, indexed - start, begin - indexed, outline_megabytes,
                verified - begin, count / (verified - begin), end - verified, count / (end - begin), peak_megabytes());
}

} // namespace

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: translator_speed FILE.ptx [COPIES...]\n");
        return 2;
    }
    std::ifstream file(argv[1], std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    if (text.find(".visible .entry ") == text.npos) {
        std::fprintf(stderr, "%s has no kernel\n", argv[1]);
        return 1;
    }
    if (argc == 2) measure(repeated(text, 1));
    for (int i = 2; i < argc; ++i) measure(repeated(text, static_cast<unsigned>(std::stoul(argv[i]))));
}
