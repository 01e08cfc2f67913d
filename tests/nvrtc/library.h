#pragma once

#include <cstddef>
#include <dlfcn.h>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

/// nvrtcResult, as far as the tests name it.
enum NvrtcResult {
    ok = 0,
    invalid_input = 3,
    invalid_program = 4,
    invalid_option = 5,
    compilation = 6,
    no_expressions_after_compilation = 8,
    no_lowered_names_before_compilation = 9,
    expression_not_valid = 10,
    no_pch_create_attempted = 13,
    cancelled = 16,
};

/// An NVRTC that was opened: Cuttle's on clang, or NVIDIA's.
struct Nvrtc {
    using Handle = struct Opaque*;
    explicit Nvrtc(const char* file) : library(dlopen(file, RTLD_NOW | RTLD_LOCAL)) {
#define FIND(function, name) function = reinterpret_cast<decltype(function)>(dlsym(library, "nvrtc" name))
        if (library == nullptr) return;
        FIND(create, "CreateProgram");
        FIND(destroy, "DestroyProgram");
        FIND(compile, "CompileProgram");
        FIND(add_expression, "AddNameExpression");
        FIND(lowered_name, "GetLoweredName");
        FIND(error_string, "GetErrorString");
        FIND(version, "Version");
        FIND(architecture_count, "GetNumSupportedArchs");
        FIND(architectures, "GetSupportedArchs");
        FIND(set_flow_callback, "SetFlowCallback");
        FIND(pch_status, "GetPCHCreateStatus");
#undef FIND
    }
    using Size = int(Handle, size_t*);
    using Get = int(Handle, char*);
    Size* size(const char* what) const {
        return reinterpret_cast<Size*>(dlsym(library, (std::string("nvrtcGet") + what + "Size").c_str()));
    }
    Get* get(const char* what) const {
        return reinterpret_cast<Get*>(dlsym(library, (std::string("nvrtcGet") + what).c_str()));
    }

    void* library;
    int (*create)(Handle*, const char*, const char*, int, const char* const*, const char* const*);
    int (*destroy)(Handle*);
    int (*compile)(Handle, int, const char* const*);
    int (*add_expression)(Handle, const char*);
    int (*lowered_name)(Handle, const char*, const char**);
    const char* (*error_string)(int);
    int (*version)(int*, int*);
    int (*architecture_count)(int*);
    int (*architectures)(int*);
    int (*set_flow_callback)(Handle, int (*)(void*, void*), void*);
    int (*pch_status)(Handle);
};

/// Cuttle's, which in this program always compiles with clang.
const Nvrtc& cuttle_nvrtc();
/// NVIDIA's of CUDA 13; nullptr where it is not.
const Nvrtc* nvidia_nvrtc();

/// A program of one of them.
class Program {
  public:
    Program(const Nvrtc& nvrtc, const std::string& source, const char* name = "source.cu",
            const std::map<std::string, std::string>& headers = {})
        : nvrtc_(nvrtc) {
        std::vector<const char*> texts, names;
        for (const auto& [header, text] : headers) names.push_back(header.c_str()), texts.push_back(text.c_str());
        nvrtc.create(&handle_, source.c_str(), name, int(names.size()), texts.data(), names.data());
    }
    ~Program() { nvrtc_.destroy(&handle_); }
    Program(const Program&) = delete;

    Nvrtc::Handle handle() const { return handle_; }
    int compile(const std::vector<const char*>& options = {}) {
        return nvrtc_.compile(handle_, int(options.size()), options.data());
    }
    int add_expression(const char* expression) { return nvrtc_.add_expression(handle_, expression); }
    /// Empty when there is none.
    std::string lowered_name(const char* expression) const {
        const char* name = nullptr;
        return nvrtc_.lowered_name(handle_, expression, &name) == ok ? name : "";
    }
    /// PTX, CUBIN, ProgramLog; with the zero at the end of a text.
    std::string get(const char* what) const {
        size_t size = 0;
        if (nvrtc_.size(what)(handle_, &size) != ok) return "no size";
        std::string bytes(size, 0);
        return size == 0 || nvrtc_.get(what)(handle_, bytes.data()) == ok ? bytes : "no bytes";
    }
    std::string text(const char* what) const { return get(what).c_str(); }
    std::string log() const { return text("ProgramLog"); }
    std::string first_line_of_log() const { return log().substr(0, log().find('\n')); }

  private:
    const Nvrtc& nvrtc_;
    Nvrtc::Handle handle_ = nullptr;
};
