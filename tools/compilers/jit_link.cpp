#include "jit_link.h"

#include "real_library.h"
#include "rt/linked_image.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <elf.h>

namespace compilers {
namespace {

constexpr unsigned known_architectures[] = {75, 80, 86, 87, 88, 89, 90, 100, 101, 103, 110, 120, 121};
constexpr unsigned old_architectures[] = {30, 32, 35, 37, 50, 52, 53, 60, 61, 62, 70, 72};
/// By their names or the starts of those. They steer NVIDIA's code generation.
constexpr const char* ignored_options[] = {"-maxrregcount=",
                                           "-time",
                                           "-verbose",
                                           "-ftz=",
                                           "-prec-div=",
                                           "-prec-sqrt=",
                                           "-fma=",
                                           "-kernels-used=",
                                           "-variables-used=",
                                           "-optimize-unused-variables",
                                           "-Xptxas=",
                                           "-Xnvvm=",
                                           "-split-compile",
                                           "-jump-table-density=",
                                           "-no-cache",
                                           "-device-stack-protector=",
                                           "-r"};

bool contains(std::span<const unsigned> all, unsigned one) { return std::ranges::find(all, one) != all.end(); }

template <class F> bool find_symbol(void* library, F& function, const char* name) {
    function = reinterpret_cast<F>(dlsym(library, name));
    return function != nullptr;
}

} // namespace

Result LinkOptions::read(uint32_t count, const char* const* options, std::string& log) {
    for (uint32_t i = 0; i < count; ++i) {
        std::string word = options[i] != nullptr ? options[i] : "";
        words.push_back(word);
        if (word.starts_with("--")) word.erase(0, 1);
        if (word.starts_with("-arch=")) {
            const std::string value = word.substr(6);
            const bool machine = value.starts_with("sm_");
            if (!machine && !value.starts_with("compute_")) {
                log += "unrecognized architecture: " + value + "\n";
                return Result::unrecognized_arch;
            }
            architecture = unsigned(std::atoi(value.c_str() + (machine ? 3 : 8)));
            if (contains(old_architectures, architecture)) {
                log += "unsupported architecture: " + value + "\n";
                return Result::unsupported_arch;
            }
            if (!contains(known_architectures, architecture)) {
                log += "unrecognized architecture: " + value + "\n";
                return Result::unrecognized_arch;
            }
        } else if (word == "-lto") {
            lto = true;
        } else if (word == "-ptx") {
            ptx = true;
        } else if (word == "-g") {
            debug = true;
        } else if (word == "-lineinfo") {
            line_info = true;
        } else if (word.size() == 3 && word.starts_with("-O") && word[2] >= '0' && word[2] <= '3') {
            optimization = word[2] - '0';
        } else if (std::ranges::none_of(ignored_options, [&](const char* known) { return word.starts_with(known); })) {
            log += "unrecognized option: " + words.back() + "\n";
            return Result::unrecognized_option;
        }
    }
    if (architecture == 0) return Result::null_input;
    if (ptx && !lto) {
        log += "-ptx requires -lto\n";
        return Result::incompatible_options;
    }
    return Result::success;
}

Input kind_of(std::string_view bytes) {
    const auto starts = [&](std::string_view magic) { return bytes.starts_with(magic); };
    if (starts("!<arch>\n")) return Input::library;
    if (starts(std::string_view("\x50\xed\x55\xba", 4))) return Input::fatbin;
    if (starts(std::string_view("\xed\x43\x4e\x7f", 4))) return Input::lto_ir;
    if (starts(ELFMAG) && bytes.size() >= sizeof(Elf64_Ehdr)) {
        Elf64_Ehdr header;
        std::memcpy(&header, bytes.data(), sizeof header);
        return header.e_machine == 190 ? Input::cubin : Input::object;
    }
    // Comments may stand in front of what every PTX module starts with.
    const std::string_view head = bytes.substr(0, 64 << 10);
    return head.find(".version") != head.npos ? Input::ptx : Input{};
}

const DriverLinker* DriverLinker::find() {
    static const DriverLinker* linker = []() -> const DriverLinker* {
        void* library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
        static DriverLinker found;
        const bool all = library != nullptr && find_symbol(library, found.init, "cuInit") &&
                         find_symbol(library, found.create, "cuLinkCreate_v2") &&
                         find_symbol(library, found.add, "cuLinkAddData_v2") &&
                         find_symbol(library, found.complete, "cuLinkComplete") &&
                         find_symbol(library, found.destroy, "cuLinkDestroy");
        if (all && found.init(0) == 0) return &found;
        complain(CUTTLE_SONAME, "linking PTX needs our libcuda.so.1 and a device");
        return nullptr;
    }();
    return linker;
}

const RealLinker* RealLinker::find() {
    static const RealLinker* linker = []() -> const RealLinker* {
        void* library = open_real_library(CUTTLE_SONAME);
        static RealLinker found;
        const bool all = library != nullptr && find_symbol(library, found.create, "nvJitLinkCreate") &&
                         find_symbol(library, found.destroy, "nvJitLinkDestroy") &&
                         find_symbol(library, found.add, "nvJitLinkAddData") &&
                         find_symbol(library, found.complete, "nvJitLinkComplete") &&
                         find_symbol(library, found.ptx_size, "nvJitLinkGetLinkedPtxSize") &&
                         find_symbol(library, found.ptx, "nvJitLinkGetLinkedPtx") &&
                         find_symbol(library, found.error_log_size, "nvJitLinkGetErrorLogSize") &&
                         find_symbol(library, found.error_log, "nvJitLinkGetErrorLog");
        return all ? &found : nullptr;
    }();
    return linker;
}

} // namespace compilers

using compilers::DriverLinker;
using compilers::Input;
using compilers::RealLinker;
using compilers::Result;

namespace {

// CUjit_option, CUresult
constexpr int jit_error_log = 5, jit_error_log_size = 6, jit_optimization = 7, jit_target = 9, jit_debug = 11,
              jit_line_info = 13;
constexpr int cuda_invalid_ptx = 218;

int driver_type(Input type) {
    switch (type) {
    case Input::cubin:
        return 0;
    case Input::fatbin:
        return 2;
    case Input::object:
        return 3;
    case Input::library:
        return 4;
    default:
        return 1;
    }
}

} // namespace

Link::~Link() {
    if (state_ != nullptr) DriverLinker::find()->destroy(state_);
    if (real_ != nullptr) RealLinker::find()->destroy(&real_);
}

Result Link::start(uint32_t count, const char* const* given) {
    if (const Result wrong = options.read(count, given, error_log); wrong != Result::success) return wrong;
    const DriverLinker* driver = DriverLinker::find();
    if (driver == nullptr) return Result::internal;
    unsigned n = 0;
    const auto set = [&](int key, uintptr_t value) {
        option_keys_[n] = key;
        option_values_[n++] = reinterpret_cast<void*>(value);
    };
    set(jit_error_log, reinterpret_cast<uintptr_t>(driver_log_));
    set(jit_error_log_size, sizeof driver_log_);
    set(jit_target, options.architecture);
    if (options.optimization >= 0) set(jit_optimization, unsigned(options.optimization));
    if (options.debug) set(jit_debug, 1);
    if (options.line_info) set(jit_line_info, 1);
    return driver->create(n, option_keys_, option_values_, &state_) == 0 ? Result::success : Result::internal;
}

void Link::take_driver_log() {
    error_log += driver_log_;
    if (!error_log.empty() && error_log.back() != '\n') error_log += '\n';
    driver_log_[0] = 0;
    option_values_[1] = reinterpret_cast<void*>(sizeof driver_log_);
}

Result Link::add(Input type, std::string_view bytes, const std::string& name) {
    const Input found = compilers::kind_of(bytes);
    if (type == Input::any) {
        type = found;
        if (type == Input{}) {
            error_log += "unrecognized input type: " + name + "\n";
            return Result::unrecognized_input;
        }
    }
    if (type != found || type == Input{}) {
        error_log += "the input is not of the type that is said: " + name + "\n";
        return Result::incorrect_input_type;
    }
    if (type == Input::lto_ir) {
        if (!options.lto) {
            error_log += "link-time IR requires -lto: " + name + "\n";
            return Result::lto_not_enabled;
        }
        const RealLinker* real = RealLinker::find();
        if (real == nullptr) return Result::internal;
        if (real_ == nullptr) {
            std::vector<const char*> words;
            for (const std::string& word : options.words) words.push_back(word.c_str());
            if (!options.ptx) words.push_back("-ptx");
            if (real->create(&real_, uint32_t(words.size()), words.data()) != 0) return Result::internal;
        }
        has_lto_ = true;
        return Result(real->add(real_, int(type), bytes.data(), bytes.size(), name.c_str()));
    }
    has_ptx_ = true;
    const int status = DriverLinker::find()->add(state_, driver_type(type), const_cast<char*>(bytes.data()),
                                                 bytes.size(), name.c_str(), 0, nullptr, nullptr);
    if (status == 0) return Result::success;
    take_driver_log();
    return status == cuda_invalid_ptx ? Result::ptx_compile : Result::invalid_input;
}

/// The PTX of all link-time IR, as one text.
Result Link::link_lto() {
    const RealLinker* real = RealLinker::find();
    int status = real->complete(real_);
    size_t size = 0;
    if (status == 0) status = real->ptx_size(real_, &size);
    ptx.resize(size);
    if (status == 0) status = real->ptx(real_, ptx.data());
    if (status == 0) {
        ptx.resize(std::strlen(ptx.c_str()));
        return Result::success;
    }
    size_t length = 0;
    if (real->error_log_size(real_, &length) == 0 && length > 0) {
        std::string log(length + 1, 0);
        if (real->error_log(real_, log.data()) == 0) error_log += log.c_str();
    }
    return Result(status);
}

Result Link::complete() {
    if (has_lto_) {
        if (const Result status = link_lto(); status != Result::success) return status;
        if (options.ptx) return has_ptx_ ? Result::incorrect_input_type : Result::success;
        const DriverLinker* driver = DriverLinker::find();
        if (driver->add(state_, driver_type(Input::ptx), ptx.data(), ptx.size(), "link-time IR", 0, nullptr, nullptr) !=
            0) {
            take_driver_log();
            return Result::nvvm_compile;
        }
    }
    void* data = nullptr;
    size_t size = 0;
    if (DriverLinker::find()->complete(state_, &data, &size) != 0) {
        take_driver_log();
        return Result::internal; // what nvJitLink calls an undefined reference
    }
    image.assign(static_cast<char*>(data), static_cast<char*>(data) + size);
    return Result::success;
}
