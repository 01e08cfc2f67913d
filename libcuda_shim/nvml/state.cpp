#include "nvml/state.h"

#include <atomic>
#include <cstring>
#include <mutex>

namespace nvml {
namespace {

constexpr size_t most_devices = 1024;
constexpr unsigned known_flags = 3; // no GPUs is no error; do not attach to GPUs

std::mutex mutex;
std::atomic<unsigned> references = 0;
char places[most_devices]; // handles are addresses of these

Inventory& devices() {
    static Inventory& found = *new Inventory; // for static destructors of the application
    return found;
}

} // namespace

Return start(unsigned flags) {
    if (flags & ~known_flags) return invalid_argument;
    std::lock_guard lock(mutex);
    if (references == 0) {
        auto found = take_inventory();
        if (!found) return driver_not_loaded;
        if (found->devices.size() > most_devices) found->devices.resize(most_devices);
        devices() = std::move(*found);
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

bool started() { return references != 0; }

const Inventory& inventory() { return devices(); }

Device handle_of(int index) { return reinterpret_cast<Device>(places + index); }

int index_of(Device device) {
    const auto offset = reinterpret_cast<uintptr_t>(device) - reinterpret_cast<uintptr_t>(places);
    return offset < devices().devices.size() ? int(offset) : -1;
}

Return copy_text(char* to, unsigned length, const std::string& text) {
    if (!to) return invalid_argument;
    if (length <= text.size()) return insufficient_size;
    std::memcpy(to, text.c_str(), text.size() + 1);
    return success;
}

} // namespace nvml
