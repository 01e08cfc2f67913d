#include "driver.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace bench {

void must(CUresult status, const char* what) {
    if (status == 0) return;
    std::fprintf(stderr, "%s: error %d\n", what, int(status));
    std::exit(1);
}

void initialize() {
    static const bool once = [] {
        CUdevice device = 0;
        CUcontext context = nullptr;
        must(cuInit(0), "cuInit");
        must(cuDeviceGet(&device, 0), "cuDeviceGet");
        must(cuDevicePrimaryCtxRetain(&context, device), "cuDevicePrimaryCtxRetain");
        must(cuCtxSetCurrent(context), "cuCtxSetCurrent");
        return true;
    }();
    (void)once;
}

CUmodule load(const std::string& text) {
    initialize();
    CUmodule module = nullptr;
    must(cuModuleLoadData(&module, text.c_str()), "cuModuleLoadData");
    return module;
}

CUfunction function(CUmodule module, const char* name) {
    CUfunction function = nullptr;
    must(cuModuleGetFunction(&function, module, name), name);
    return function;
}

std::string read_file(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) {
        std::fprintf(stderr, "cannot read %s\n", path.c_str());
        std::exit(1);
    }
    return std::string(std::istreambuf_iterator<char>(file), {});
}

} // namespace bench
