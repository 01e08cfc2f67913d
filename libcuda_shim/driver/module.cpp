#include "api/bodies.h"
#include "api/constants.h"
#include "driver/handles.h"
#include "driver/legacy_launch.h"
#include "driver/loading.h"
#include "driver/texture_reference.h"

#include <fmt/format.h>

#include <algorithm>

namespace shim {
namespace {

Status load(CUmodule* module, const void* image, size_t size, const rt::JitOptions& options = {}) {
    out(module, "module");
    rt::Context& context = rt::Context::current();
    auto program = load_program(image, size, context.device(), options);
    *module = handle_of(*new rt::Module(context, std::move(program)));
    return Status::success;
}

} // namespace

Status driver::cuModuleLoad(CUmodule* module, const char* path) {
    const std::string image = read_file(path);
    return load(module, image.c_str(), image.size());
}

Status driver::cuModuleLoadData(CUmodule* module, const void* image) { return load(module, image, 0); }

Status driver::cuModuleLoadDataEx(CUmodule* module, const void* image, unsigned int count, CUjit_option* options,
                                  void** values) {
    JitArguments jit(count, options, values);
    struct Finish {
        JitArguments& jit;
        ~Finish() { jit.finish(); } // the error log is wanted most when loading fails
    } finish{jit};
    return load(module, image, 0, jit.options());
}

Status driver::cuModuleLoadFatBinary(CUmodule* module, const void* image) { return load(module, image, 0); }

Status driver::cuModuleUnload(CUmodule handle) {
    rt::Module& module = module_of(handle);
    forget_legacy_launches(module);
    forget_references(module);
    delete &module;
    return Status::success;
}

// 2 is lazy: kernels are made when they are first needed.
Status driver::cuModuleGetLoadingMode(CUmoduleLoadingMode* mode) {
    out(mode, "mode") = 2;
    return Status::success;
}

Status driver::cuModuleGetFunction(CUfunction* function, CUmodule module, const char* name) {
    require_value(function && name && *name, "no name, or nowhere to put the function");
    rt::Function* found = module_of(module).function(name);
    if (!found) throw Error(Status::not_found, fmt::format("no kernel {} in the module", name));
    *function = handle_of(*found);
    return Status::success;
}

Status driver::cuModuleGetFunctionCount(unsigned int* count, CUmodule module) {
    out(count, "count") = unsigned(module_of(module).info().kernels.size());
    return Status::success;
}

Status driver::cuModuleEnumerateFunctions(CUfunction* functions, unsigned int count, CUmodule module) {
    const auto all = module_of(module).functions();
    require_value(functions, "no room for the functions");
    const size_t n = std::min<size_t>(count, all.size());
    for (size_t i = 0; i < n; ++i) functions[i] = handle_of(*all[i]);
    return Status::success;
}

Status driver::cuModuleGetGlobal_v2(CUdeviceptr* address, size_t* bytes, CUmodule module, const char* name) {
    require_value(name && *name && (address || bytes), "no name, or nowhere to put the variable");
    const rt::Global found = module_of(module).global(name);
    if (!found.address) throw Error(Status::not_found, fmt::format("no variable {} in the module", name));
    if (address) *address = found.address;
    if (bytes) *bytes = found.size;
    return Status::success;
}

// ---- Functions

Status driver::cuFuncGetModule(CUmodule* module, CUfunction function) {
    out(module, "hmod") = handle_of(function_of(not_null(function, "function")).module());
    return Status::success;
}

Status driver::cuFuncGetName(const char** name, CUfunction function) {
    out(name, "name") = function_of(not_null(function, "function")).name().c_str();
    return Status::success;
}

Status driver::cuFuncGetParamCount(CUfunction function, size_t* count) {
    out(count, "paramCount") = function_of(function).info().parameters.size();
    return Status::success;
}

Status driver::cuFuncGetParamInfo(CUfunction function, size_t index, size_t* offset, size_t* size) {
    const auto& parameters = function_of(not_null(function, "function")).info().parameters;
    require_value(index < parameters.size(), "no such parameter");
    out(offset, "paramOffset") = parameters[index].offset;
    if (size) *size = parameters[index].size;
    return Status::success;
}

Status driver::cuFuncLoad(CUfunction function) {
    function_of(function).resolve();
    return Status::success;
}

// A kernel is translated when it is first needed.
Status driver::cuFuncIsLoaded(CUfunctionLoadingState* state, CUfunction function) {
    constexpr CUfunctionLoadingState unloaded = 0, loaded = 1;
    rt::Function& found = function_of(function);
    out(state, "state") = found.resolved() ? loaded : unloaded;
    return Status::success;
}

Status driver::cuFuncGetAttribute(int* value, CUfunction_attribute attribute, CUfunction function) {
    out(value, "pi") = function_of(function).attribute(attribute);
    return Status::success;
}

Status driver::cuFuncSetAttribute(CUfunction function, CUfunction_attribute attribute, int value) {
    function_of(function).set_attribute(attribute, value);
    return Status::success;
}

Status driver::cuFuncSetCacheConfig(CUfunction function, CUfunc_cache config) {
    require_value(config >= 0 && config <= 3, "unknown cache configuration");
    function_of(function).cache_config = config;
    return Status::success;
}

// Bank width is a hint about speed, and no device of ours has a choice of it.
Status driver::cuFuncSetSharedMemConfig(CUfunction function, CUsharedconfig config) {
    function_of(function);
    require_value(config >= 0 && config <= 2, "unknown shared memory configuration");
    return Status::success;
}

} // namespace shim
