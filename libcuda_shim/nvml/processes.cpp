#include "nvml/driver.h"
#include "nvml/state.h"

#include <unistd.h>

// Processes on a device. Only the asking one is known, and of it only whether it uses the device's primary context.
namespace nvml {
namespace {

template <class T> Return list(Device device, unsigned* count, T* found, bool compute) {
    if (!started()) return uninitialized;
    const int ordinal = ordinal_of(device);
    if (ordinal < 0 || !count) return invalid_argument;
    unsigned flags = 0;
    int active = 0;
    if (compute && cuDevicePrimaryCtxGetState(ordinal, &flags, &active) != 0) return unknown;
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
    extern "C" __attribute__((visibility("default"))) nvml::Return nvmlDeviceGetComputeRunningProcesses##suffix(       \
        nvml::Device device, unsigned* count, type* found) {                                                           \
        return nvml::list(device, count, found, true);                                                                 \
    }                                                                                                                  \
    extern "C" __attribute__((visibility("default"))) nvml::Return nvmlDeviceGetGraphicsRunningProcesses##suffix(      \
        nvml::Device device, unsigned* count, type* found) {                                                           \
        return nvml::list(device, count, found, false);                                                                \
    }
LISTS(, nvml::ProcessV1)
LISTS(_v2, nvml::Process)
LISTS(_v3, nvml::Process)
