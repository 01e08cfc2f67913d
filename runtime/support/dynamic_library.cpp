#include "support/dynamic_library.h"

#include "rt/error.h"

#include <dlfcn.h>

namespace rt {

std::unique_ptr<DynamicLibrary> DynamicLibrary::open(std::initializer_list<const char*> names, std::string* reason) {
    for (const char* name : names) {
        if (void* handle = dlopen(name, RTLD_NOW | RTLD_LOCAL))
            return std::unique_ptr<DynamicLibrary>(new DynamicLibrary(handle, name));
        const char* why = dlerror();
        if (reason) *reason += (reason->empty() ? "" : "; ") + std::string(why ? why : name);
    }
    return nullptr;
}

DynamicLibrary::~DynamicLibrary() { dlclose(handle_); }

void* DynamicLibrary::find(const char* symbol) const { return dlsym(handle_, symbol); }

void* DynamicLibrary::require(const char* symbol) const {
    if (void* address = find(symbol)) return address;
    throw Error(Status::shared_object_symbol_not_found, name_ + " has no " + symbol);
}

} // namespace rt
