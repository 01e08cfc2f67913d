#include "nvml/state.h"

#include <fstream>
#include <string>

// Initialisation, versions, errors: everything that is about no device.
#define EXPORT extern "C" __attribute__((visibility("default")))
#define NEEDS_START                                                                                                    \
    if (!nvml::started()) return nvml::uninitialized

using nvml::Return;

EXPORT Return nvmlInitWithFlags(unsigned flags) { return nvml::start(flags); }
EXPORT Return nvmlInit_v2() { return nvml::start(0); }
EXPORT Return nvmlInit() { return nvml::start(0); }
EXPORT Return nvmlShutdown() { return nvml::stop(); }

EXPORT const char* nvmlErrorString(int error) {
    switch (error) {
    case nvml::success: return "Success";
    case nvml::uninitialized: return "NVML is not initialized";
    case nvml::invalid_argument: return "Invalid argument";
    case nvml::not_supported: return "Not supported";
    case 4: return "No permission";
    case nvml::not_found: return "Not found";
    case nvml::insufficient_size: return "Buffer too small";
    case nvml::driver_not_loaded: return "Driver not loaded";
    case nvml::gpu_is_lost: return "The device is not there any more";
    case nvml::argument_version_mismatch: return "Unknown version of an argument";
    default: return "Unknown error";
    }
}

namespace {
// Programs compare it with the first driver that has a CUDA version: that of CUDA 13.0 is of series 580. Then ours.
constexpr const char* driver_version = "580." CUTTLE_VERSION;
} // namespace

EXPORT Return nvmlSystemGetDriverVersion(char* version, unsigned length) {
    NEEDS_START;
    return nvml::copy_text(version, length, driver_version);
}

EXPORT Return nvmlSystemGetCudaDriverVersion(int* version) {
    NEEDS_START;
    if (!version) return nvml::invalid_argument;
    *version = nvml::inventory().driver_version;
    return nvml::success;
}

EXPORT Return nvmlSystemGetCudaDriverVersion_v2(int* version) { return nvmlSystemGetCudaDriverVersion(version); }

// NVIDIA's is CUDA's major version, then the driver's.
EXPORT Return nvmlSystemGetNVMLVersion(char* text, unsigned length) {
    NEEDS_START;
    return nvml::copy_text(text, length, std::to_string(nvml::inventory().driver_version / 1000) + "." + driver_version);
}

// As nvmlSystemGetProcessName has it: cut off where there is no room for all.
EXPORT Return nvmlSystemGetProcessName(unsigned pid, char* name, unsigned length) {
    NEEDS_START;
    if (!name || length == 0) return nvml::invalid_argument;
    std::ifstream file("/proc/" + std::to_string(pid) + "/cmdline");
    std::string text;
    if (!file || !std::getline(file, text, '\0')) return nvml::not_found;
    return nvml::copy_text(name, length, text.substr(0, length - 1));
}

// Units are chassis of S-class systems.
EXPORT Return nvmlUnitGetCount(unsigned* count) {
    NEEDS_START;
    if (!count) return nvml::invalid_argument;
    *count = 0;
    return nvml::success;
}
