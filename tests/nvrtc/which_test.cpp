// which_test FOLDER, under `cuttle run`: behind the stand-in is the NVRTC that the program opened, even if it had asked
// before whether another one was loaded.
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>
#include <string>

static int minor_of(void* library) {
    int major = 0, minor = -1;
    auto* version = reinterpret_cast<int (*)(int*, int*)>(dlsym(library, "nvrtcVersion"));
    if (version == nullptr || version(&major, &minor) != 0 || major != 13) return -1;
    return minor;
}

static void expect(bool right, const char* what) {
    if (right) return;
    std::printf("not so: %s\n", what);
    std::exit(1);
}

int main(int, char** arguments) {
    const std::string folder = arguments[1];
    // The first is on LD_LIBRARY_PATH.
    expect(dlopen("libnvrtc.so.13", RTLD_NOW | RTLD_NOLOAD) == nullptr, "none is loaded");
    void* second = dlopen((folder + "/2/libnvrtc.so.13").c_str(), RTLD_NOW);
    expect(second != nullptr && minor_of(second) == 2, "the one that was opened answers");
    Dl_info info{};
    expect(dladdr(dlsym(second, "nvrtcVersion"), &info) != 0 &&
               std::string(info.dli_fname).find("/compilers/") != std::string::npos,
           "by the stand-in");
    void* again = dlopen("libnvrtc.so.13", RTLD_NOW | RTLD_NOLOAD);
    expect(again == second && minor_of(again) == 2, "a later question changes nothing");
    return 0;
}
