#include "ptxas.h"

#include "ast/position.h"
#include "ptx/translate.h"
#include "rt/linked_image.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

constexpr int failed = 255;
/// The toolkit whose driver ours is: programs choose the version of the PTX that they write by it.
constexpr const char* release = "13.0";
constexpr const char* aborted = "Ptx assembly aborted due to errors";

struct Option {
    std::string_view name, letter; ///< as written, with their dashes; either may be empty
    bool has_value;
};

// Those that ptxas has and programs give it. What a kernel computes depends on none of them.
constexpr Option known[] = {
    {"--output-file", "-o", true},
    {"--gpu-name", "-arch", true},
    {"--verbose", "-v", false},
    {"--version", "-V", false},
    {"--opt-level", "-O", true},
    {"--opt-level", "-opt-level", true},
    {"--generate-line-info", "-lineinfo", false},
    {"--device-debug", "-g", false},
    {"--suppress-debug-info", "-suppress-debug-info", false},
    {"--compile-only", "-c", false},
    {"--fmad", "-fmad", true},
    {"--maxrregcount", "-maxrregcount", true},
    {"--regAllocOptLevel", "", true},
    {"--warning-as-error", "-Werror", false},
    {"--warn-on-spills", "-warn-spills", false},
    {"--warn-on-local-memory-usage", "-warn-lmem-usage", false},
    {"--warn-on-double-precision-use", "-warn-double-usage", false},
    {"--disable-warnings", "-w", false},
    {"--def-load-cache", "-dlcm", true},
    {"--def-store-cache", "-dscm", true},
    {"--allow-expensive-optimizations", "-allow-expensive-optimizations", true},
    {"--preserve-relocs", "-preserve-relocs", false},
    {"--position-independent-code", "-pic", true},
    {"--extensible-whole-program", "-ewp", false},
    {"--sp-bounds-check", "-sp-bounds-check", false},
    {"--split-compile", "-split-compile", true},
    {"--machine", "-m", true},
    {"--input-as-string", "-ias", true},
};

/// An option of another name is an error, so that nobody believes in one that is ignored.
struct Arguments {
    std::vector<std::string> files;
    std::string output = "elf.o", architecture;
    bool verbose = false, version = false, quiet = false;

    Arguments(int argc, char** argv) {
        for (int i = 1; i < argc; i++) {
            const std::string word = argv[i];
            if (word.size() < 2 || word[0] != '-') {
                files.push_back(word);
                continue;
            }
            const size_t equals = word.find('=');
            std::string name = word.substr(0, equals), value = equals == word.npos ? "" : word.substr(equals + 1);
            if (name.size() == 3 && name.starts_with("-O")) value = name.substr(2), name = "-O"; // -O3
            const auto found =
                std::ranges::find_if(known, [&](const Option& o) { return name == o.name || name == o.letter; });
            if (found == std::end(known)) throw std::runtime_error("Unknown option '" + word + "'");
            if (found->has_value && value.empty()) {
                if (++i == argc) throw std::runtime_error("option '" + word + "' has no value");
                value = argv[i];
            }
            take(*found, value);
        }
    }

  private:
    void take(const Option& option, const std::string& value) {
        if (option.name == "--output-file") output = value;
        if (option.name == "--gpu-name") architecture = value;
        if (option.name == "--verbose") verbose = true;
        if (option.name == "--version") version = true;
        if (option.name == "--disable-warnings") quiet = true;
    }
};

std::string read_file(const std::string& name) {
    std::ifstream file(name, std::ios::binary);
    if (!file) throw std::runtime_error("Cannot open input file '" + name + "'");
    return {std::istreambuf_iterator<char>(file), {}};
}

/// 90 of "sm_90a"; 0 when there is none.
unsigned number_of(std::string_view architecture) {
    if (!architecture.starts_with("sm_")) return 0;
    return unsigned(std::atoi(std::string(architecture.substr(3)).c_str()));
}

/// "line 3, column 7: text", as the translator says it, in ptxas' form.
void say(const std::string& file, std::string_view message) {
    std::string line = "0";
    if (message.starts_with("line ")) {
        line = message.substr(5, message.find(',') - 5);
        message.remove_prefix(std::min(message.size(), message.find(": ") + 2));
    }
    std::cerr << fmt::format("ptxas {}, line {}; error   : {}\n", file, line, message);
}

/// Whether the module can be used whole. A kernel that our translator cannot do is an error, too.
bool check(const std::string& file, const ptx::ModuleInfo& module) {
    const bool good = module.wrong.empty() && module.unresolved.empty() &&
                      std::ranges::all_of(module.kernels, [](const auto& kernel) { return kernel.error.empty(); });
    if (good) return true;
    std::istringstream messages(module.diagnostics);
    for (std::string message; std::getline(messages, message);) say(file, message);
    return false;
}

ptx::ModuleInfo parse(const std::string& file, const std::string& text) {
    try {
        const std::string_view source = text;
        return ptx::index({&source, 1});
    } catch (const ptx::Error& error) {
        say(file, error.diagnostic().text());
        throw std::runtime_error(aborted);
    }
}

void require_architecture(const std::string& asked, const ptx::ModuleInfo& module) {
    const unsigned wanted = number_of(asked);
    if (!wanted) throw std::runtime_error("Value '" + asked + "' is not defined for option 'gpu-name'");
    if (number_of(module.target) > wanted)
        throw std::runtime_error(fmt::format("the text's target {} is newer than {}", module.target, asked));
}

void describe(const ptx::ModuleInfo& module, const std::string& architecture) {
    uint64_t global = 0;
    for (const ptx::GlobalInfo& one : module.globals)
        if (!one.constant) global += one.size;
    std::cerr << fmt::format("ptxas info    : {} bytes gmem\n", global);
    for (const ptx::KernelInfo& kernel : module.kernels)
        std::cerr << fmt::format(
            "ptxas info    : Compiling entry function '{}' for '{}'\n"
            "ptxas info    : {} bytes of parameters; registers are not known before the first launch\n",
            kernel.name, architecture, kernel.parameter_bytes);
}

void compile(const Arguments& arguments) {
    if (arguments.files.size() != 1) throw std::runtime_error("one input file is wanted");
    const std::string &file = arguments.files[0], text = read_file(file);
    const ptx::ModuleInfo module = parse(file, text);
    const std::string architecture = arguments.architecture.empty() ? module.target : arguments.architecture;
    require_architecture(architecture, module);
    if (!check(file, module)) throw std::runtime_error(aborted);
    if (arguments.verbose) describe(module, architecture);
    const std::vector<char> image = rt::make_linked_image({&text, 1}, number_of(architecture));
    std::ofstream output(arguments.output, std::ios::binary | std::ios::trunc);
    if (!output.write(image.data(), std::streamsize(image.size())).flush())
        throw std::runtime_error("Cannot write output file '" + arguments.output + "'");
}

} // namespace

int ptxas(int argc, char** argv) {
    try {
        const Arguments arguments(argc, argv);
        if (arguments.version) {
            std::cout << fmt::format("ptxas: Cuttle's stand-in for the PTX assembler, translator {}\n"
                                     "Cuda compilation tools, release {}, V{}.0\n",
                                     ptx::translator_version(), release, release);
            return 0;
        }
        compile(arguments);
        return 0;
    } catch (const std::exception& error) {
        std::cerr << fmt::format("ptxas fatal   : {}\n", error.what());
    }
    return failed;
}
