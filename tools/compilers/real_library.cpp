#include "real_library.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

namespace compilers {
namespace {

namespace fs = std::filesystem;

fs::path own_folder() {
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void*>(&open_real_library), &info) == 0 || info.dli_fname == nullptr) return {};
    std::error_code ignored;
    return fs::weakly_canonical(fs::path(info.dli_fname).parent_path(), ignored);
}

std::vector<fs::path> folders() {
    std::vector<fs::path> all;
    if (const char* list = std::getenv("LD_LIBRARY_PATH")) {
        const std::string text = list;
        for (size_t start = 0; start <= text.size();) {
            const size_t end = std::min(text.find(':', start), text.size());
            if (end > start) all.emplace_back(text.substr(start, end - start));
            start = end + 1;
        }
    }
    for (const char* variable : {"CUDA_HOME", "CUDA_PATH"})
        if (const char* home = std::getenv(variable)) all.push_back(fs::path(home) / "lib64");
    all.emplace_back("/usr/local/cuda/lib64");
    return all;
}

} // namespace

void complain(const char* what, const char* detail) {
    const char* log = std::getenv("CUTTLE_LOG");
    if (log != nullptr && std::strcmp(log, "off") == 0) return;
    std::fprintf(stderr, "cuttle: %s: %s\n", what, detail);
}

void* open_real_library(const char* soname, bool replaceable) {
    // No file has this name: without redirect.cpp nothing is found.
    if (void* real = dlopen((std::string("cuttle-real:") + soname).c_str(), RTLD_NOW | RTLD_LOCAL)) return real;
    const fs::path own = own_folder();
    for (const fs::path& folder : folders()) {
        std::error_code ignored;
        const fs::path file = folder / soname;
        if (fs::weakly_canonical(folder, ignored) == own || access(file.c_str(), R_OK) != 0) continue;
        if (void* real = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL)) return real;
        complain(soname, dlerror());
    }
    if (!replaceable)
        complain(soname,
                 "NVIDIA's library of this name was not found; install it, or set LD_LIBRARY_PATH or CUDA_HOME");
    return nullptr;
}

} // namespace compilers
