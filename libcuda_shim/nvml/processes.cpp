#include "nvml/state.h"

#include <dlfcn.h>
#include <unistd.h>

// Processes on a device. Only the asking one is known, and of it only whether it uses the device's primary context.
namespace nvml {
namespace {

/// Whether this process uses the device's primary context. Asks the libcuda that the process has loaded, if any, which
/// knows no device before cuInit.
bool used_here(const Record& record) {
    void* library = dlopen("libcuda.so.1", RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
    if (!library) return false;
    const auto count = reinterpret_cast<int (*)(int*)>(dlsym(library, "cuDeviceGetCount"));
    const auto uuid = reinterpret_cast<int (*)(void*, int)>(dlsym(library, "cuDeviceGetUuid_v2"));
    const auto state = reinterpret_cast<int (*)(int, unsigned*, int*)>(dlsym(library, "cuDevicePrimaryCtxGetState"));
    int devices = 0, used = 0;
    if (count && uuid && state && count(&devices) == 0)
        for (int i = 0; i < devices && !used; ++i) {
            unsigned flags = 0;
            decltype(record.uuid) found{};
            if (uuid(&found, i) == 0 && found == record.uuid && state(i, &flags, &used) != 0) used = 0;
        }
    dlclose(library);
    return used != 0;
}

template <class T> Return list(Device device, unsigned* count, T* found, bool compute) {
    if (!started()) return uninitialized;
    const int index = index_of(device);
    if (index < 0 || !count) return invalid_argument;
    const bool active = compute && used_here(inventory().devices[size_t(index)]);
    const unsigned room = *count;
    *count = active ? 1 : 0;
    if (!active) return success;
    if (room == 0) return insufficient_size;
    if (!found) return invalid_argument;
    *found = T{};
    found->pid = uint32_t(getpid());
    found->memory = not_available;
    if constexpr (sizeof(T) == sizeof(Process)) found->gpu_instance = found->compute_instance = no_instance;
    return success;
}

} // namespace
} // namespace nvml

#define LISTS(suffix, type)                                                                                            \
    extern "C" __attribute__((visibility("default")))                                                                  \
    nvml::Return nvmlDeviceGetComputeRunningProcesses##suffix(nvml::Device device, unsigned* count, type* found) {     \
        return nvml::list(device, count, found, true);                                                                 \
    }                                                                                                                  \
    extern "C" __attribute__((visibility("default")))                                                                  \
    nvml::Return nvmlDeviceGetGraphicsRunningProcesses##suffix(nvml::Device device, unsigned* count, type* found) {    \
        return nvml::list(device, count, found, false);                                                                \
    }
LISTS(, nvml::ProcessV1)
LISTS(_v2, nvml::Process)
LISTS(_v3, nvml::Process)
