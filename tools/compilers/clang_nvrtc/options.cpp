#include "options.h"

#include <algorithm>
#include <cctype>
#include <stdexcept>
#include <string_view>

namespace compilers::clang_nvrtc {
namespace {

enum class Kind {
    flag,          ///< no value
    boolean,       ///< true or false, behind '=' or as the next word, as all values below but those of `attached`
    integer,       ///< a number, or nothing
    numbers,       ///< positive numbers with commas between them
    word,          ///< anything
    optional_word, ///< anything, or nothing
    attached,      ///< anything behind '='
    anything,      ///< with or without a value behind '='
    prefix,        ///< the short name may have its value right behind it
    macro,         ///< likewise, and the value begins with a name
};

enum class Effect {
    architecture,
    standard,
    define,
    undefine,
    include_folder,
    include_file,
    no_source_include,
    relocatable,
    set_relocatable,
    not_relocatable,
    debug,
    line_info,
    optimized_debug,
    flush_to_zero,
    precise_sqrt,
    precise_division,
    contract,
    fast_math,
    move_forward,
    initializer_list,
    no_warnings,
    default_device,
    int128,
    brief,
    syntax_only,
    refused,
    ignored,
};

struct Option {
    std::string_view name, letter;
    Kind kind;
    Effect effect;
};

constexpr Option known[] = {
#define OPTION(name, letter, kind, effect) {name, letter, Kind::kind, Effect::effect},
#include "options.def"
#undef OPTION
};

[[noreturn]] void wrong(const std::string& text) { throw std::invalid_argument(text); }

std::string both_names(const Option& option) {
    return std::string(option.name) + " (" + std::string(option.letter) + ")";
}

bool is_number(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c) != 0; });
}

/// 89 of compute_89, 90a of sm_90a.
std::string architecture_of(const std::string& value) {
    const std::string_view text = value;
    std::string_view number =
        text.starts_with("compute_") ? text.substr(8) : text.substr(text.starts_with("sm_") ? 3 : 0);
    const std::string result(number);
    bool specific = false;
    if (!number.empty() && (number.back() == 'a' || number.back() == 'f')) {
        specific = true;
        number.remove_suffix(1);
    }
    const std::vector<int>& all = supported_architectures();
    const bool good = number.size() != text.size() && is_number(number) && number.size() < 4 &&
                      std::ranges::find(all, std::stoi(std::string(number))) != all.end() &&
                      (!specific || std::stoi(std::string(number)) >= 90);
    if (!good) wrong("invalid value for --gpu-architecture (-arch)");
    return result;
}

/// clang's driver has no families (100f): what all of a family have, one of it has.
std::string known_to_clang(std::string architecture) {
    if (architecture.back() == 'f') architecture.back() = 'a';
    return architecture;
}

/// A word that may be an option, cut into its parts.
struct Word {
    const Option* option = nullptr;
    std::optional<std::string> value;

    explicit Word(const std::string& text) {
        const size_t equals = text.find('=');
        const std::string_view name = std::string_view(text).substr(0, equals);
        for (const Option& one : known) {
            const bool attached = one.kind == Kind::prefix || one.kind == Kind::macro;
            if (name == one.name || (name == one.letter && !attached)) {
                option = &one;
                if (equals != text.npos) value = text.substr(equals + 1);
                return;
            }
            if (!attached || !text.starts_with(one.letter)) continue;
            option = &one;
            if (text.size() == one.letter.size()) return;
            value = text.substr(one.letter.size() + (text[one.letter.size()] == '=' ? 1 : 0));
            return;
        }
    }

    bool takes_next_word() const {
        if (value) return false;
        switch (option->kind) {
        case Kind::flag:
        case Kind::attached:
        case Kind::anything:
            return false;
        default:
            return true;
        }
    }

    /// Throws what NVRTC says of a value that the option cannot have.
    void check(const std::string& text) const {
        switch (option->kind) {
        case Kind::flag:
            if (value) wrong(both_names(*option) + " does not accept any argument");
            break;
        case Kind::attached:
            if (!value) wrong("unrecognized option " + text + " found");
            break;
        case Kind::boolean:
            if (value != "true" && value != "false") wrong(both_names(*option) + " expects true or false");
            break;
        case Kind::integer:
            if (value && !is_number(*value)) wrong(both_names(*option) + " expects an integer value");
            break;
        case Kind::numbers: {
            const std::string list = value.value_or("") + ",";
            for (size_t start = 0; start < list.size(); start = list.find(',', start) + 1) {
                const std::string one = list.substr(start, list.find(',', start) - start);
                if (!is_number(one) || one.find_first_not_of('0') == one.npos)
                    wrong(std::string(option->name) + " expects a non-zero positive integer value");
            }
            break;
        }
        case Kind::word:
        case Kind::optional_word:
        case Kind::anything:
        case Kind::prefix:
        case Kind::macro:
            break;
        }
    }
};

void apply(Options& options, const Word& word) {
    const std::string value = word.value.value_or("");
    const bool on = value != "false";
    const auto preprocessor = [&](const char* name) {
        options.preprocessor.push_back(name);
        options.preprocessor.push_back(value);
    };
    switch (word.option->effect) {
    case Effect::architecture:
        options.architecture = architecture_of(value);
        break;
    case Effect::standard:
        if (value != "c++03" && value != "c++11" && value != "c++14" && value != "c++17" && value != "c++20")
            wrong("invalid value for --std(-std)");
        options.standard = value == "c++03" ? "c++11" : value; // the built-in header is not C++03
        break;
    case Effect::define:
        preprocessor("-D");
        break;
    case Effect::undefine:
        preprocessor("-U");
        break;
    case Effect::include_folder:
        if (!value.empty()) preprocessor("-I");
        break;
    case Effect::include_file:
        preprocessor("-include");
        break;
    case Effect::no_source_include:
        options.source_include = false;
        break;
    case Effect::relocatable:
        options.relocatable = on;
        break;
    case Effect::set_relocatable:
        options.relocatable = true;
        break;
    case Effect::not_relocatable:
        options.relocatable = false;
        break;
    case Effect::debug:
        options.debug = true;
        break;
    case Effect::line_info:
        options.line_info = true;
        break;
    case Effect::optimized_debug:
        options.optimized_debug = true;
        break;
    case Effect::flush_to_zero:
        options.flush_to_zero = on;
        break;
    case Effect::precise_sqrt:
        options.precise_sqrt = on;
        break;
    case Effect::precise_division:
        options.precise_division = on;
        break;
    case Effect::contract:
        options.contract = on;
        break;
    case Effect::fast_math:
        options.fast_math = options.flush_to_zero = options.contract = true;
        options.precise_sqrt = options.precise_division = false;
        break;
    case Effect::move_forward:
        options.move_forward = on;
        break;
    case Effect::initializer_list:
        options.initializer_list = on;
        break;
    case Effect::no_warnings:
        options.warnings = false;
        break;
    case Effect::default_device:
        options.default_device = true;
        break;
    case Effect::int128:
        options.int128 = true;
        break;
    case Effect::brief:
        options.brief = on;
        break;
    case Effect::syntax_only:
        options.syntax_only = true;
        break;
    case Effect::refused:
        wrong(both_names(*word.option) + " needs NVIDIA's NVRTC, which was not found");
    case Effect::ignored:
        break;
    }
}

} // namespace

std::optional<Options> Options::read(int count, const char* const* words, std::string& log) {
    if (count > 0 && words == nullptr) {
        log += "nvrtc: error: number of arguments supplied does not match number of arguments specified";
        return std::nullopt;
    }
    Options options;
    options.architecture = std::to_string(std::max(52, supported_architectures().front()));
    try {
        for (int i = 0; i < count; ++i) {
            const std::string text = words[i] != nullptr ? words[i] : "";
            Word word(text);
            if (word.option == nullptr) wrong("unrecognized option " + text + " found");
            const bool may_lack = word.option->kind == Kind::optional_word || word.option->kind == Kind::integer;
            const bool next = i + 1 < count && words[i + 1] != nullptr && !(may_lack && words[i + 1][0] == '-');
            if (word.takes_next_word() && next) word.value = words[++i];
            word.check(text);
            apply(options, word);
        }
    } catch (const std::invalid_argument& error) {
        log += std::string("nvrtc: error: ") + error.what() + "\n";
        return std::nullopt;
    }
    return options;
}

std::vector<std::string> Options::arguments() const {
    std::vector<std::string> all = {"-x",
                                    "cuda",
                                    "--cuda-device-only",
                                    "-nocudainc",
                                    "-nocudalib",
                                    "-nostdinc",
                                    "--cuda-gpu-arch=sm_" + known_to_clang(architecture),
                                    "-std=" + standard,
                                    "-w",
                                    "-Wno-unknown-cuda-version",
                                    "-fno-exceptions",
                                    "-fno-color-diagnostics",
                                    "-fno-diagnostics-show-line-numbers",
                                    "-fno-diagnostics-fixit-info",
                                    "-fno-diagnostics-show-option",
                                    "-ferror-limit=100",
                                    "-fno-spell-checking"};
    const auto add = [&](bool wanted, std::initializer_list<const char*> words) {
        if (wanted) all.insert(all.end(), words.begin(), words.end());
    };
    if (warnings) std::erase(all, "-w");
    add(syntax_only, {"-fsyntax-only"});
    add(!syntax_only, {"-S"});
    add(!debug || optimized_debug, {"-O3"});
    add(debug, {"-g", "-D__CUDACC_DEBUG__=1"});
    add(!debug && line_info, {"-gline-directives-only"});
    add(relocatable, {"-fgpu-rdc", "-D__CUDACC_RDC__=1"});
    add(flush_to_zero, {"-fgpu-flush-denormals-to-zero"});
    add(!precise_division, {"-mllvm", "-nvptx-prec-divf32=1"});
    add(!precise_sqrt, {"-mllvm", "-nvptx-prec-sqrtf32=0"});
    add(fast_math, {"-fgpu-approx-transcendentals"});
    // Not `fast`, which would also fuse what libclc keeps apart on purpose.
    add(contract, {"-ffp-contract=fast-honor-pragmas"});
    add(!contract, {"-ffp-contract=off"});
    add(!move_forward, {"-DCUTTLE_NO_MOVE_FORWARD"});
    add(!initializer_list, {"-DCUTTLE_NO_INITIALIZER_LIST"});
    add(int128, {"-D__CUDACC_RTC_INT128__=1"});
    add(brief, {"-fno-caret-diagnostics"});
    all.push_back(std::string("-D__CUDA_FTZ=") + (flush_to_zero ? "1" : "0"));
    all.push_back(std::string("-D__CUDA_PREC_DIV=") + (precise_division ? "1" : "0"));
    all.push_back(std::string("-D__CUDA_PREC_SQRT=") + (precise_sqrt ? "1" : "0"));
    all.push_back(std::string("-D__USE_FAST_MATH__=") + (fast_math ? "1" : "0"));
    return all;
}

const std::vector<int>& supported_architectures() {
#if CUTTLE_MAJOR == 11
    static const std::vector<int> all = {35, 37, 50, 52, 53, 60, 61, 62, 70, 72, 75, 80, 86, 87, 89, 90};
#elif CUTTLE_MAJOR == 12
    static const std::vector<int> all = {50, 52, 53, 60, 61,  62,  70,  72,  75, 80,
                                         86, 87, 89, 90, 100, 101, 103, 120, 121};
#else
    static const std::vector<int> all = {75, 80, 86, 87, 88, 89, 90, 100, 103, 110, 120, 121};
#endif
    return all;
}

} // namespace compilers::clang_nvrtc
