#include "nvml/state.h"
#include "nvml/driver.h"

#include <cstdio>
#include <cstring>
#include <mutex>

namespace nvml {
namespace {

constexpr int most_devices = 1024;
constexpr unsigned known_flags = 3; // no GPUs is no error; do not attach to GPUs
constexpr int no_device = 100;      // CUDA_ERROR_NO_DEVICE

std::mutex mutex;
unsigned references = 0;
int devices = 0;
char places[most_devices]; // handles are addresses of these

} // namespace

Return start(unsigned flags) {
    if (flags & ~known_flags) return invalid_argument;
    std::lock_guard lock(mutex);
    if (references == 0) {
        int count = 0;
        const int result = cuInit(0);
        if (result != 0 && result != no_device) return unknown;
        if (result == 0 && cuDeviceGetCount(&count) != 0) return unknown;
        // NVML's indices are the machine's; with some devices hidden, ours would be wrong ones.
        if (result == 0 && !cuttle_management_every_device_visible()) {
            std::fputs("cuttle: NVML does not work where CUDA_VISIBLE_DEVICES hides or reorders devices\n", stderr);
            return not_supported;
        }
        devices = count < most_devices ? count : most_devices;
    }
    ++references;
    return success;
}

Return stop() {
    std::lock_guard lock(mutex);
    if (references == 0) return uninitialized;
    --references;
    return success;
}

bool started() {
    std::lock_guard lock(mutex);
    return references != 0;
}

int device_count() { return devices; }

Device handle_of(int ordinal) { return reinterpret_cast<Device>(places + ordinal); }

int ordinal_of(Device device) {
    const auto offset = reinterpret_cast<uintptr_t>(device) - reinterpret_cast<uintptr_t>(places);
    return offset < uintptr_t(devices) ? int(offset) : -1;
}

Return copy_text(char* to, unsigned length, const std::string& text) {
    if (!to) return invalid_argument;
    if (length <= text.size()) return insufficient_size;
    std::memcpy(to, text.c_str(), text.size() + 1);
    return success;
}

} // namespace nvml
