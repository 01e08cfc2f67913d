#include "cases.h"
#include "driver_run.h"

#include "api/constants.h"

#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>

// Runs the cases of the given groups through the libcuda that the loader finds and writes what it answers to
// expected/KERNEL.bin. On a machine with NVIDIA's driver that is how a new case gets its expected bits. A group whose
// PTX its compiler refuses, or a kernel that faults, is named, and its file is not written.
//   oracle_record DATA_FOLDER GROUP...
namespace oracle {
namespace {

CUmodule load(const std::string& group) {
    const std::string text = read_ptx(group);
    std::string log(8192, '\0');
    CUjit_option options[] = {CU_JIT_ERROR_LOG_BUFFER, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES};
    void* values[] = {log.data(), reinterpret_cast<void*>(log.size())};
    CUmodule module = nullptr;
    check(cuModuleLoadDataEx(&module, text.c_str(), 2, options, values), group + ": " + log.c_str());
    return module;
}

void write(const Case& test, const std::vector<uint64_t>& outputs) {
    std::ofstream file(data_folder() + "/expected/" + test.kernel + ".bin", std::ios::binary);
    for (unsigned thread = 0; thread < threads; ++thread)
        for (size_t i = 0; i < test.outputs.size(); ++i)
            file.write(reinterpret_cast<const char*>(&outputs[thread * output_slots + i]), size_of(test.outputs[i]));
    if (!file.flush()) throw std::runtime_error("cannot write the result of " + test.kernel);
}

/// A fault is sticky, so every case after one needs a new context.
struct Context {
    CUcontext handle = nullptr;
    explicit Context(CUdevice device) {
        check(cuDevicePrimaryCtxRetain(&handle, device), "cuDevicePrimaryCtxRetain");
        check(cuCtxSetCurrent(handle), "cuCtxSetCurrent");
    }
};

int record(const std::set<std::string>& groups) {
    check(cuInit(0), "cuInit");
    CUdevice device = 0;
    check(cuDeviceGet(&device, 0), "cuDeviceGet");
    char name[128] = "";
    check(cuDeviceGetName(name, sizeof name, device), "cuDeviceGetName");
    Context context(device);
    std::map<std::string, CUmodule> modules;
    std::set<std::string> refused;
    int recorded = 0, failed = 0;
    for (const Case& test : read_cases()) {
        if (!groups.count(test.group) || refused.count(test.group)) continue;
        try {
            if (!modules.count(test.group)) modules[test.group] = load(test.group);
        } catch (const std::exception& error) {
            std::printf("%s\n", error.what());
            refused.insert(test.group);
            ++failed;
            continue;
        }
        try {
            write(test, run(modules[test.group], test));
            ++recorded;
        } catch (const std::exception& error) {
            std::printf("%s: %s\n", test.kernel.c_str(), error.what());
            ++failed;
            modules.clear();
            check(cuDevicePrimaryCtxReset_v2(device), "cuDevicePrimaryCtxReset");
            context = Context(device);
        }
    }
    std::printf("%s: %d cases recorded, %d failed\n", name, recorded, failed);
    return failed != 0;
}

} // namespace
} // namespace oracle

int main(int argc, char** argv) {
    if (argc < 3) {
        std::fprintf(stderr, "usage: oracle_record DATA_FOLDER GROUP...\n");
        return 2;
    }
    try {
        oracle::set_data_folder(argv[1]);
        return oracle::record({argv + 2, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "oracle_record: %s\n", error.what());
        return 1;
    }
}
