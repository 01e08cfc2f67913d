// libnvrtc.so.*: hands everything to the real NVRTC, or to clang_nvrtc/ where there is none, but that a cubin for an
// architecture (sm_XX), which only NVIDIA's hardware runs, becomes PTX for it (compute_XX), handed out in an image that
// our driver loads. NVRTC manual.
#include "clang_nvrtc/library.h"
#include "forward.h"
#include "real_library.h"
#include "rt/linked_image.h"

#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <map>
#include <mutex>
#include <string>
#include <vector>

using nvrtcProgram = struct OpaqueProgram*;

namespace {

constexpr int success = 0, internal_error = 11; // nvrtcResult

/// What a function that the library behind ours lacks answers.
int missing() { return internal_error; }

} // namespace

#define EXPORT(name) FORWARD(name)
#include "nvrtc.def"
#undef EXPORT

namespace {

// Behind what the stand-in does itself.
int (*real_compile)(nvrtcProgram, int, const char* const*) = nullptr;
int (*real_destroy)(nvrtcProgram*) = nullptr;
int (*real_cubin_size)(nvrtcProgram, size_t*) = nullptr;
int (*real_cubin)(nvrtcProgram, char*) = nullptr;
const char* (*real_error_string)(int) = nullptr;

/// CUTTLE_NVRTC=clang does without NVIDIA's even where it is.
__attribute__((constructor)) void load() {
    const char* chosen = std::getenv("CUTTLE_NVRTC");
    const bool only_clang = chosen != nullptr && std::strcmp(chosen, "clang") == 0;
    void* real = only_clang ? nullptr : compilers::open_real_library(CUTTLE_SONAME, true);
    const auto symbol = [real](const char* name) {
        return real != nullptr ? dlsym(real, name) : compilers::clang_nvrtc::symbol(name);
    };
#define EXPORT(name)                                                                                                   \
    if (void* found = symbol(#name)) real_##name = found;
#include "nvrtc.def"
#undef EXPORT
    real_compile = reinterpret_cast<decltype(real_compile)>(symbol("nvrtcCompileProgram"));
    real_destroy = reinterpret_cast<decltype(real_destroy)>(symbol("nvrtcDestroyProgram"));
    real_cubin_size = reinterpret_cast<decltype(real_cubin_size)>(symbol("nvrtcGetCUBINSize"));
    real_cubin = reinterpret_cast<decltype(real_cubin)>(symbol("nvrtcGetCUBIN"));
    real_error_string = reinterpret_cast<decltype(real_error_string)>(symbol("nvrtcGetErrorString"));
}

/// Programs that were asked for a cubin, with the number of its architecture. Never destroyed.
struct Asked {
    std::mutex mutex;
    std::map<nvrtcProgram, unsigned> architectures;
};

Asked& asked() {
    static Asked& all = *new Asked;
    return all;
}

/// compute_XX in place of sm_XX; true when there was one. The option has its value behind '=', or as the next word.
class Options {
  public:
    Options(int count, const char* const* options) {
        bool value_follows = false;
        for (int i = 0; i < count; ++i) {
            std::string word = options[i] != nullptr ? options[i] : "";
            if (word == "-dlto" || word == "--dlink-time-opt") lto_ = true;
            size_t value = std::string::npos;
            if (value_follows) value = 0;
            for (const char* name : {"--gpu-architecture=", "-arch="})
                if (word.starts_with(name)) value = std::strlen(name);
            value_follows = word == "-arch" || word == "--gpu-architecture";
            if (value != std::string::npos && word.compare(value, 3, "sm_") == 0) {
                architecture_ = unsigned(std::atoi(word.c_str() + value + 3));
                word.replace(value, 3, "compute_");
            }
            words_.push_back(word);
        }
        for (const std::string& word : words_) pointers_.push_back(word.c_str());
    }
    const char* const* data() const { return pointers_.data(); }
    /// 80 for sm_80; 0 when no cubin is asked for. With link-time optimisation none is made either.
    unsigned architecture() const { return lto_ ? 0 : architecture_; }

  private:
    std::vector<std::string> words_;
    std::vector<const char*> pointers_;
    unsigned architecture_ = 0;
    bool lto_ = false;
};

unsigned asked_architecture(nvrtcProgram program) {
    Asked& all = asked();
    std::lock_guard lock(all.mutex);
    const auto found = all.architectures.find(program);
    return found != all.architectures.end() ? found->second : 0;
}

/// The PTX of a compiled program; empty when there is none.
std::string ptx_of(nvrtcProgram program) {
    size_t size = 0;
    using Size = int (*)(nvrtcProgram, size_t*);
    using Get = int (*)(nvrtcProgram, char*);
    if (reinterpret_cast<Size>(real_nvrtcGetPTXSize)(program, &size) != success || size == 0) return {};
    std::string ptx(size, 0);
    if (reinterpret_cast<Get>(real_nvrtcGetPTX)(program, ptx.data()) != success) return {};
    ptx.resize(std::strlen(ptx.c_str()));
    return ptx;
}

std::vector<char> image_of(nvrtcProgram program, unsigned architecture) {
    const std::string ptx = ptx_of(program);
    return ptx.empty() ? std::vector<char>() : rt::make_linked_image({&ptx, 1}, architecture);
}

} // namespace

extern "C" {

#define SHOWN __attribute__((visibility("default")))

SHOWN int nvrtcCompileProgram(nvrtcProgram program, int count, const char* const* options) {
    if (real_compile == nullptr) return internal_error;
    if (count <= 0 || options == nullptr) return real_compile(program, count, options);
    const Options rewritten(count, options);
    {
        Asked& all = asked();
        std::lock_guard lock(all.mutex);
        all.architectures[program] = rewritten.architecture();
    }
    return real_compile(program, count, rewritten.architecture() != 0 ? rewritten.data() : options);
}

SHOWN int nvrtcDestroyProgram(nvrtcProgram* program) {
    if (real_destroy == nullptr) return internal_error;
    if (program != nullptr) {
        Asked& all = asked();
        std::lock_guard lock(all.mutex);
        all.architectures.erase(*program);
    }
    return real_destroy(program);
}

SHOWN int nvrtcGetCUBINSize(nvrtcProgram program, size_t* size) {
    const unsigned architecture = asked_architecture(program);
    if (architecture == 0 || size == nullptr) return real_cubin_size ? real_cubin_size(program, size) : internal_error;
    *size = image_of(program, architecture).size(); // 0, as for the real one, when it did not compile
    return success;
}

SHOWN int nvrtcGetCUBIN(nvrtcProgram program, char* cubin) {
    const unsigned architecture = asked_architecture(program);
    if (architecture == 0 || cubin == nullptr) return real_cubin ? real_cubin(program, cubin) : internal_error;
    const std::vector<char> image = image_of(program, architecture);
    if (!image.empty()) std::memcpy(cubin, image.data(), image.size());
    return success; // also when there is nothing to give, as the real one
}

SHOWN const char* nvrtcGetErrorString(int result) {
    if (real_error_string != nullptr) return real_error_string(result);
    return result == success ? "NVRTC_SUCCESS" : "NVRTC_ERROR_INTERNAL_ERROR";
}

} // extern "C"
