#include "nvml/driver.h"
#include "nvml/state.h"

#include <cstdio>
#include <cstring>
#include <optional>

// What the driver API says of devices, in NVML's words.
namespace nvml {
namespace {

std::optional<unsigned> attribute(int ordinal, Attribute which) {
    int value = 0;
    if (cuDeviceGetAttribute(&value, which, ordinal) != 0) return std::nullopt;
    return unsigned(value);
}

Return write(unsigned* to, std::optional<unsigned> value) {
    if (!to) return invalid_argument;
    if (!value) return not_supported;
    *to = *value;
    return success;
}

// GPU-8-4-4-4-12; empty on failure.
std::string uuid_of(int ordinal) {
    unsigned char bytes[16];
    if (cuDeviceGetUuid_v2(bytes, ordinal) != 0) return "";
    std::string text = "GPU-";
    for (int i = 0; i < 16; ++i) {
        char two[3];
        std::snprintf(two, sizeof two, "%02x", bytes[i]);
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += two;
    }
    return text;
}

// nvmlDeviceArchitecture_t by compute capability.
unsigned architecture_of(unsigned major, unsigned minor) {
    switch (major) {
    case 3: return 2;
    case 5: return 3;
    case 6: return 4;
    case 7: return minor < 5 ? 5 : 6;
    case 8: return minor < 9 ? 7 : 8;
    case 9: return 9;
    case 10: case 11: case 12: return 10;
    default: return ~0u; // unknown
    }
}

} // namespace
} // namespace nvml

using namespace nvml;

#define EXPORT extern "C" __attribute__((visibility("default")))
// Defines `ordinal` from `device`.
#define NEEDS_DEVICE                                                                                                   \
    if (!started()) return uninitialized;                                                                              \
    const int ordinal = ordinal_of(device);                                                                            \
    if (ordinal < 0) return invalid_argument

// ---- Finding devices

EXPORT Return nvmlDeviceGetCount_v2(unsigned* count) {
    if (!started()) return uninitialized;
    return write(count, unsigned(device_count()));
}
EXPORT Return nvmlDeviceGetCount(unsigned* count) { return nvmlDeviceGetCount_v2(count); }

EXPORT Return nvmlDeviceGetHandleByIndex_v2(unsigned index, Device* device) {
    if (!started()) return uninitialized;
    if (!device || index >= unsigned(device_count())) return invalid_argument;
    *device = handle_of(int(index));
    return success;
}
EXPORT Return nvmlDeviceGetHandleByIndex(unsigned index, Device* device) {
    return nvmlDeviceGetHandleByIndex_v2(index, device);
}

EXPORT Return nvmlDeviceGetHandleByPciBusId_v2(const char* id, Device* device) {
    if (!started()) return uninitialized;
    unsigned parts[4] = {};
    if (!id || !device || std::sscanf(id, "%x:%x%*[:.]%x", parts, parts + 1, parts + 2) < 2) return invalid_argument;
    int ordinal = 0;
    if (device_count() == 0 || cuDeviceGetByPCIBusId(&ordinal, id) != 0) return not_found;
    *device = handle_of(ordinal);
    return success;
}
EXPORT Return nvmlDeviceGetHandleByPciBusId(const char* id, Device* device) {
    return nvmlDeviceGetHandleByPciBusId_v2(id, device);
}

EXPORT Return nvmlDeviceGetHandleByUUID(const char* uuid, Device* device) {
    if (!started()) return uninitialized;
    if (!uuid || !device) return invalid_argument;
    for (int i = 0; i < device_count(); ++i) {
        if (uuid_of(i) != uuid) continue;
        *device = handle_of(i);
        return success;
    }
    return not_found;
}

// No device has a serial number.
EXPORT Return nvmlDeviceGetHandleBySerial(const char* serial, Device* device) {
    if (!started()) return uninitialized;
    return serial && device ? not_found : invalid_argument;
}

// ---- What a device is

EXPORT Return nvmlDeviceGetName(Device device, char* name, unsigned length) {
    NEEDS_DEVICE;
    char text[256];
    if (cuDeviceGetName(text, sizeof text, ordinal) != 0) return unknown;
    return copy_text(name, length, text);
}

EXPORT Return nvmlDeviceGetUUID(Device device, char* uuid, unsigned length) {
    NEEDS_DEVICE;
    const std::string text = uuid_of(ordinal);
    return text.empty() ? unknown : copy_text(uuid, length, text);
}

EXPORT Return nvmlDeviceGetIndex(Device device, unsigned* index) {
    NEEDS_DEVICE;
    return write(index, unsigned(ordinal));
}

EXPORT Return nvmlDeviceGetPciInfo_v3(Device device, PciInfo* info) {
    NEEDS_DEVICE;
    if (!info) return invalid_argument;
    const auto domain = attribute(ordinal, pci_domain_id), bus = attribute(ordinal, pci_bus_id);
    const auto slot = attribute(ordinal, pci_device_id);
    if (!domain || !bus || !slot) return not_supported;
    PciInfo found{};
    found.domain = *domain, found.bus = *bus, found.device = *slot;
    std::snprintf(found.legacy_bus_id, sizeof found.legacy_bus_id, "%04X:%02X:%02X.0", *domain & 0xffff, *bus & 0xff,
                  *slot & 0xff);
    std::snprintf(found.bus_id, sizeof found.bus_id, "%08X:%02X:%02X.0", *domain, *bus, *slot);
    *info = found;
    return success;
}

EXPORT Return nvmlDeviceGetPciInfo_v2(Device device, PciInfoV2* info) {
    PciInfo found;
    const Return result = nvmlDeviceGetPciInfo_v3(device, info ? &found : nullptr);
    if (result != success) return result;
    *info = {{}, found.domain, found.bus, found.device, found.device_id, found.subsystem_id, {}};
    std::memcpy(info->bus_id, found.legacy_bus_id, sizeof info->bus_id);
    return success;
}

EXPORT Return nvmlDeviceGetCudaComputeCapability(Device device, int* major, int* minor) {
    NEEDS_DEVICE;
    if (!major || !minor) return invalid_argument;
    const auto first = attribute(ordinal, capability_major), second = attribute(ordinal, capability_minor);
    if (!first || !second) return unknown;
    *major = int(*first), *minor = int(*second);
    return success;
}

// The one whose code the device runs.
EXPORT Return nvmlDeviceGetArchitecture(Device device, unsigned* architecture) {
    NEEDS_DEVICE;
    const auto major = attribute(ordinal, capability_major), minor = attribute(ordinal, capability_minor);
    if (!major || !minor) return unknown;
    return write(architecture, architecture_of(*major, *minor));
}

// None of NVIDIA's: NVML_BRAND_UNKNOWN.
EXPORT Return nvmlDeviceGetBrand(Device device, unsigned* brand) {
    NEEDS_DEVICE;
    return write(brand, 0u);
}

EXPORT Return nvmlDeviceGetMultiGpuBoard(Device device, unsigned* several) {
    NEEDS_DEVICE;
    return write(several, attribute(ordinal, multi_gpu_board));
}

EXPORT Return nvmlDeviceGetMemoryBusWidth(Device device, unsigned* bits) {
    NEEDS_DEVICE;
    return write(bits, attribute(ordinal, memory_bus_width));
}

EXPORT Return nvmlDeviceIsMigDeviceHandle(Device device, unsigned* is) {
    NEEDS_DEVICE;
    return write(is, 0u);
}

// ---- Its state

EXPORT Return nvmlDeviceGetMemoryInfo(Device device, Memory* memory) {
    NEEDS_DEVICE;
    if (!memory) return invalid_argument;
    uint64_t free_bytes = 0, total = 0;
    if (cuttle_management_memory(ordinal, &free_bytes, &total) != 0) return unknown;
    *memory = {total, free_bytes, total - free_bytes};
    return success;
}

EXPORT Return nvmlDeviceGetMemoryInfo_v2(Device device, MemoryV2* memory) {
    NEEDS_DEVICE;
    if (!memory) return invalid_argument;
    if (memory->version != memory_v2) return argument_version_mismatch;
    Memory found;
    const Return result = nvmlDeviceGetMemoryInfo(device, &found);
    if (result == success) *memory = {memory_v2, found.total, 0, found.free, found.used};
    return result;
}

// The driver API's numbers of modes are NVML's.
EXPORT Return nvmlDeviceGetComputeMode(Device device, unsigned* mode) {
    NEEDS_DEVICE;
    return write(mode, attribute(ordinal, compute_mode));
}

// Whether a device without it could have it is not known.
EXPORT Return nvmlDeviceGetEccMode(Device device, unsigned* current, unsigned* pending) {
    NEEDS_DEVICE;
    if (!current || !pending) return invalid_argument;
    const auto enabled = attribute(ordinal, ecc_enabled);
    if (!enabled || *enabled == 0) return not_supported;
    *current = *pending = 1;
    return success;
}

// MHz. Types: 0 graphics, 1 multiprocessors, 2 memory, 3 video.
EXPORT Return nvmlDeviceGetMaxClockInfo(Device device, unsigned type, unsigned* clock) {
    NEEDS_DEVICE;
    if (!clock || type > 3) return invalid_argument;
    if (type == 3) return not_supported;
    const auto khz = attribute(ordinal, type == 2 ? memory_clock_rate : clock_rate);
    if (!khz || *khz == 0) return not_supported;
    return write(clock, *khz / 1000);
}

// Of reading, writing, NVLink, atomics, PCI (0 to 4). Status 0: works, 5: not supported.
EXPORT Return nvmlDeviceGetP2PStatus(Device device, Device other, unsigned what, unsigned* status) {
    NEEDS_DEVICE;
    const int peer = ordinal_of(other);
    if (peer < 0 || peer == ordinal || !status || what > 4) return invalid_argument;
    int works = 0;
    const int asked = what == 3 ? 3 : 2; // native atomics, access
    if (what != 2 && cuDeviceGetP2PAttribute(&works, asked, ordinal, peer) != 0) return unknown;
    *status = works ? 0 : 5;
    return success;
}
