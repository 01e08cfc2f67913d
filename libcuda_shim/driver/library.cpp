#include "api/bodies.h"
#include "api/constants.h"
#include "driver/handles.h"
#include "driver/loading.h"
#include "rt/platform.h"

#include <fmt/format.h>

#include <algorithm>

namespace shim {
namespace {

// A library belongs to no context: it takes the PTX that suits the current device, or the first.
rt::Device& loading_device() {
    rt::Context* current = rt::Context::current_or_null();
    return current ? current->device() : rt::Platform::get().device(0);
}

Status load(CUlibrary* library, const void* image, size_t size, CUjit_option* jit_options, void** jit_values,
            unsigned jit_count, const CUlibraryOption* options, unsigned option_count) {
    out(library, "library");
    require_value(option_count == 0 || options, "library options without a list");
    for (unsigned i = 0; i < option_count; ++i) {
        // Either says how the image or host functions may be used later; nothing here depends on them.
        require_value(options[i] == CU_LIBRARY_HOST_UNIVERSAL_FUNCTION_AND_DATA_TABLE ||
                          options[i] == CU_LIBRARY_BINARY_IS_PRESERVED,
                      "unknown library option");
    }
    JitArguments jit(jit_count, jit_options, jit_values);
    struct Finish {
        JitArguments& jit;
        ~Finish() { jit.finish(); }
    } finish{jit};
    auto program = load_program(image, size, loading_device(), jit.options());
    *library = handle_of(*new rt::Library(std::move(program)));
    return Status::success;
}

Status give(const rt::Global& found, const char* name, CUdeviceptr* address, size_t* bytes) {
    if (!found.address) throw Error(Status::not_found, fmt::format("no variable {} in the library", name));
    if (address) *address = found.address;
    if (bytes) *bytes = found.size;
    return Status::success;
}

} // namespace

Status driver::cuLibraryLoadData(CUlibrary* library, const void* code, CUjit_option* jit_options, void** jit_values,
                                 unsigned int jit_count, CUlibraryOption* options, void**, unsigned int count) {
    return load(library, code, 0, jit_options, jit_values, jit_count, options, count);
}

Status driver::cuLibraryLoadFromFile(CUlibrary* library, const char* path, CUjit_option* jit_options, void** jit_values,
                                     unsigned int jit_count, CUlibraryOption* options, void**, unsigned int count) {
    const std::string image = read_file(path);
    return load(library, image.c_str(), image.size(), jit_options, jit_values, jit_count, options, count);
}

Status driver::cuLibraryUnload(CUlibrary library) {
    delete &library_of(library);
    return Status::success;
}

Status driver::cuLibraryGetKernel(CUkernel* kernel, CUlibrary library, const char* name) {
    require_value(kernel && name, "no name, or nowhere to put the kernel");
    rt::LibraryKernel* found = library_of(library).kernel(name);
    if (!found) throw Error(Status::not_found, fmt::format("no kernel {} in the library", name));
    *kernel = handle_of(*found);
    return Status::success;
}

Status driver::cuLibraryGetKernelCount(unsigned int* count, CUlibrary library) {
    out(count, "count") = unsigned(library_of(library).info().kernels.size());
    return Status::success;
}

Status driver::cuLibraryEnumerateKernels(CUkernel* kernels, unsigned int count, CUlibrary library) {
    const auto all = library_of(library).kernels();
    require_value(kernels, "no room for the kernels");
    const size_t n = std::min<size_t>(count, all.size());
    for (size_t i = 0; i < n; ++i) kernels[i] = handle_of(*all[i]);
    return Status::success;
}

Status driver::cuLibraryGetModule(CUmodule* module, CUlibrary library) {
    out(module, "pMod") = handle_of(library_of(library).module(rt::Context::current()));
    return Status::success;
}

Status driver::cuLibraryGetGlobal(CUdeviceptr* address, size_t* bytes, CUlibrary library, const char* name) {
    require_value(name && *name && (address || bytes), "no name, or nowhere to put the variable");
    return give(library_of(library).module(rt::Context::current()).global(name), name, address, bytes);
}

Status driver::cuLibraryGetManaged(CUdeviceptr* address, size_t* bytes, CUlibrary library, const char* name) {
    require_value(name && *name && (address || bytes), "no name, or nowhere to put the variable");
    return give(library_of(library).managed(name), name, address, bytes);
}

// ---- Kernels

Status driver::cuKernelGetFunction(CUfunction* function, CUkernel kernel) {
    out(function, "pFunc") = handle_of(kernel_of(kernel).function(rt::Context::current()));
    return Status::success;
}

Status driver::cuKernelGetLibrary(CUlibrary* library, CUkernel kernel) {
    out(library, "pLib") = handle_of(kernel_of(kernel).library());
    return Status::success;
}

Status driver::cuKernelGetName(const char** name, CUkernel kernel) {
    out(name, "name") = kernel_of(not_null(kernel, "kernel")).name().c_str();
    return Status::success;
}

Status driver::cuKernelGetParamCount(CUkernel kernel, size_t* count) {
    out(count, "paramCount") = kernel_of(kernel).info().parameters.size();
    return Status::success;
}

Status driver::cuKernelGetParamInfo(CUkernel kernel, size_t index, size_t* offset, size_t* size) {
    const auto& parameters = kernel_of(not_null(kernel, "kernel")).info().parameters;
    require_value(index < parameters.size(), "no such parameter");
    out(offset, "paramOffset") = parameters[index].offset;
    if (size) *size = parameters[index].size;
    return Status::success;
}

Status driver::cuKernelGetAttribute(int* value, CUfunction_attribute attribute, CUkernel kernel, CUdevice dev) {
    out(value, "pi") = kernel_of(kernel).function(kernel_context(dev)).attribute(attribute);
    return Status::success;
}

Status driver::cuKernelSetAttribute(CUfunction_attribute attribute, int value, CUkernel kernel, CUdevice dev) {
    kernel_of(kernel).function(kernel_context(dev)).set_attribute(attribute, value);
    return Status::success;
}

Status driver::cuKernelSetCacheConfig(CUkernel kernel, CUfunc_cache config, CUdevice dev) {
    require_value(config >= 0 && config <= 3, "unknown cache configuration");
    kernel_of(kernel).function(kernel_context(dev)).cache_config = config;
    return Status::success;
}

} // namespace shim
