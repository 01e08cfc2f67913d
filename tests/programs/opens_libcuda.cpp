// A program that is not linked with libcuda but opens it by the name given, as many do: opens_libcuda NAME. Prints
// which file that was, and copies a word to the device and back.
#include <dlfcn.h>

#include <cstdio>

template <class F> static F symbol(void* library, const char* name) {
    void* address = dlsym(library, name);
    if (address == nullptr) std::printf("no %s\n", name);
    return reinterpret_cast<F>(address);
}

int main(int count, char** arguments) {
    void* library = count == 2 ? dlopen(arguments[1], RTLD_NOW) : nullptr;
    if (library == nullptr) {
        const char* why = dlerror();
        std::printf("%s\n", why != nullptr ? why : "usage: opens_libcuda NAME");
        return 1;
    }
    const auto init = symbol<int (*)(unsigned)>(library, "cuInit");
    const auto create = symbol<int (*)(void**, unsigned, int)>(library, "cuCtxCreate_v2");
    const auto allocate = symbol<int (*)(unsigned long long*, size_t)>(library, "cuMemAlloc_v2");
    const auto set = symbol<int (*)(unsigned long long, unsigned, size_t)>(library, "cuMemsetD32_v2");
    const auto copy = symbol<int (*)(void*, unsigned long long, size_t)>(library, "cuMemcpyDtoH_v2");
    if (!init || !create || !allocate || !set || !copy) return 1;
    void* context = nullptr;
    unsigned long long device = 0;
    unsigned word = 0;
    if (init(0) || create(&context, 0, 0) || allocate(&device, 4) || set(device, 0xc0ffee, 1) ||
        copy(&word, device, 4)) {
        std::printf("a call failed\n");
        return 1;
    }
    Dl_info from{};
    dladdr(reinterpret_cast<void*>(init), &from);
    std::printf("%s %x\n", from.dli_fname, word);
}
