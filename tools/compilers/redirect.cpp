// An audit library (rtld-audit(7)), put into LD_AUDIT by `cuttle run`: where the program opens NVIDIA's NVRTC or
// nvJitLink, by whatever path, it gets our stand-in of that version (the same folder), which asks here for the library
// that the program would have got. And where nothing else offers a program libcudart, NVRTC or nvJitLink, it gets
// Cuttle's. It lives in a namespace of its own, and so takes nothing from this project but this file.
#include <link.h>

#include <algorithm>
#include <cstring>
#include <dlfcn.h>
#include <iterator>
#include <string>
#include <unistd.h>

namespace {

/// What the stand-in asks for: this, then the file name of its own.
constexpr const char* real_prefix = "cuttle-real:";

struct StandIn {
    const char* file;
    const char* family; ///< file names that are this, or go on with a dot
    std::string real;   ///< where the program found the library when it opened it
    bool loaded;        ///< the stand-in is there, so later requests are for the same library, wherever else one is
};

StandIn stand_ins[] = {
    {"libnvrtc.so.13", "libnvrtc.so.13", {}, false},         {"libnvrtc.so.12", "libnvrtc.so.12", {}, false},
    {"libnvrtc.so.11.2", "libnvrtc.so.11", {}, false},       {"libnvJitLink.so.13", "libnvJitLink.so.13", {}, false},
    {"libnvJitLink.so.12", "libnvJitLink.so.12", {}, false},
};

/// What programs get from us only where the loader finds no other, and the file, seen from our folder.
struct LastResort {
    const char *name, *file;
};

constexpr LastResort last_resorts[] = {
    {"libcudart.so.11.0", "../cudart/libcudart.so.11.0"},
    {"libcudart.so.12", "../cudart/libcudart.so.12"},
    {"libcudart.so.13", "../cudart/libcudart.so.13"},
    {"libnvrtc.so.11.2", "libnvrtc.so.11.2"},
    {"libnvrtc.so.12", "libnvrtc.so.12"},
    {"libnvrtc.so.13", "libnvrtc.so.13"},
    {"libnvrtc.so", "libnvrtc.so.13"},
    {"libnvJitLink.so.12", "libnvJitLink.so.12"},
    {"libnvJitLink.so.13", "libnvJitLink.so.13"},
    {"libnvJitLink.so", "libnvJitLink.so.13"},
};

/// With the slash at its end. Empty when it cannot be found.
const std::string& own_folder() {
    static const std::string folder = [] {
        Dl_info info{};
        if (dladdr(reinterpret_cast<const void*>(&own_folder), &info) == 0 || info.dli_fname == nullptr)
            return std::string();
        const std::string file = info.dli_fname;
        return file.substr(0, file.rfind('/') + 1);
    }();
    return folder;
}

const char* base_name(const char* path) {
    const char* slash = std::strrchr(path, '/');
    return slash != nullptr ? slash + 1 : path;
}

/// The stand-in for a file that the program opens; nullptr for every other library. A name without a version, which
/// development packages have, is what its link points to.
StandIn* stand_in_for(const char* path) {
    const char* name = base_name(path);
    char target[4096];
    if (std::strcmp(name, "libnvrtc.so") == 0 || std::strcmp(name, "libnvJitLink.so") == 0) {
        const ssize_t length = readlink(path, target, sizeof target - 1);
        if (length <= 0) return nullptr;
        target[length] = 0;
        name = base_name(target);
    }
    for (StandIn& one : stand_ins) {
        const size_t length = std::strlen(one.family);
        if (std::strncmp(name, one.family, length) == 0 && (name[length] == 0 || name[length] == '.')) return &one;
    }
    return nullptr;
}

bool is_ours(const char* path) {
    return !own_folder().empty() && std::strncmp(path, own_folder().c_str(), own_folder().size()) == 0;
}

/// Our file where nothing else was found: the loader asks with LA_SER_DEFAULT after every other place (LD_LIBRARY_PATH,
/// the program's own folders, the cache). nullptr for what we do not have.
const LastResort* last_resort_for(const char* path, unsigned int flag) {
    if (flag != LA_SER_DEFAULT || access(path, R_OK) == 0) return nullptr;
    const auto found = std::find_if(std::begin(last_resorts), std::end(last_resorts), [path](const LastResort& one) {
        return std::strcmp(base_name(path), one.name) == 0;
    });
    return found != std::end(last_resorts) ? found : nullptr;
}

} // namespace

extern "C" {

__attribute__((visibility("default"))) unsigned int la_version(unsigned int version) {
    return version < LAV_CURRENT ? version : LAV_CURRENT;
}

/// Marks our libraries, whose own requests are answered with the real library. A stand-in stays once it is loaded.
__attribute__((visibility("default"))) unsigned int la_objopen(link_map* map, Lmid_t, uintptr_t* cookie) {
    const char* name = base_name(map->l_name);
    *cookie = is_ours(map->l_name) && std::strcmp(name, "libcuda.so.1") != 0 ? 1 : 0;
    for (StandIn& one : stand_ins)
        if (*cookie == 1 && std::strcmp(name, one.file) == 0) one.loaded = true;
    return 0;
}

__attribute__((visibility("default"))) char* la_objsearch(const char* name, uintptr_t* cookie, unsigned int flag) {
    char* same = const_cast<char*>(name);
    if (std::strncmp(name, real_prefix, std::strlen(real_prefix)) == 0) {
        for (StandIn& one : stand_ins)
            if (std::strcmp(name + std::strlen(real_prefix), one.file) == 0)
                return one.real.empty() ? same : one.real.data();
        return same;
    }
    // A name alone is searched for, and comes again with each folder in front.
    if (*cookie == 1 || std::strchr(name, '/') == nullptr) return same;
    if (const LastResort* ours = last_resort_for(name, flag); ours != nullptr && !own_folder().empty()) {
        static thread_local std::string file;
        file = own_folder() + ours->file;
        return access(file.c_str(), R_OK) == 0 ? file.data() : same;
    }
    StandIn* found = stand_in_for(name);
    if (found == nullptr || is_ours(name) || access(name, R_OK) != 0) return same;
    static thread_local std::string path;
    path = own_folder() + found->file;
    if (access(path.c_str(), R_OK) != 0) return same;
    // It may ask for others first without loading them (RTLD_NOLOAD), as cuda-pathfinder does.
    if (!found->loaded) found->real = name;
    return path.data();
}

} // extern "C"
