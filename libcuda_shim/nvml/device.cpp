#include "nvml/state.h"

#include <cstdio>
#include <cstring>
#include <optional>

// What is known of devices, in NVML's words.
namespace nvml {
namespace {

const Record& record_of(int index) { return inventory().devices[size_t(index)]; }

Return write(unsigned* to, std::optional<unsigned> value) {
    if (!to) return invalid_argument;
    if (!value) return not_supported;
    *to = *value;
    return success;
}

/// Devices whose record the test fits.
template <class Test> Return find(Device* device, Test&& fits) {
    for (size_t i = 0; i < inventory().devices.size(); ++i) {
        if (!fits(inventory().devices[i])) continue;
        *device = handle_of(int(i));
        return success;
    }
    return not_found;
}

// nvmlDeviceArchitecture_t by compute capability.
unsigned architecture_of(unsigned major, unsigned minor) {
    switch (major) {
    case 3:
        return 2;
    case 5:
        return 3;
    case 6:
        return 4;
    case 7:
        return minor < 5 ? 5 : 6;
    case 8:
        return minor < 9 ? 7 : 8;
    case 9:
        return 9;
    case 10:
    case 11:
    case 12:
        return 10;
    default:
        return ~0u; // unknown
    }
}

} // namespace
} // namespace nvml

using namespace nvml;

#define EXPORT extern "C" __attribute__((visibility("default")))
// Defines `index` from `device`.
#define NEEDS_DEVICE                                                                                                   \
    if (!started()) return uninitialized;                                                                              \
    const int index = index_of(device);                                                                                \
    if (index < 0) return invalid_argument
// And `record`.
#define NEEDS_RECORD                                                                                                   \
    NEEDS_DEVICE;                                                                                                      \
    const Record& record = record_of(index)

// ---- Finding devices

EXPORT Return nvmlDeviceGetCount_v2(unsigned* count) {
    if (!started()) return uninitialized;
    return write(count, unsigned(inventory().devices.size()));
}
EXPORT Return nvmlDeviceGetCount(unsigned* count) { return nvmlDeviceGetCount_v2(count); }

EXPORT Return nvmlDeviceGetHandleByIndex_v2(unsigned index, Device* device) {
    if (!started()) return uninitialized;
    if (!device || index >= unsigned(inventory().devices.size())) return invalid_argument;
    *device = handle_of(int(index));
    return success;
}
EXPORT Return nvmlDeviceGetHandleByIndex(unsigned index, Device* device) {
    return nvmlDeviceGetHandleByIndex_v2(index, device);
}

EXPORT Return nvmlDeviceGetHandleByPciBusId_v2(const char* id, Device* device) {
    if (!started()) return uninitialized;
    unsigned domain = 0, bus = 0, slot = 0, function = 0;
    if (!id || !device || std::sscanf(id, "%x:%x%*[:.]%x.%x", &domain, &bus, &slot, &function) < 3)
        return invalid_argument;
    return find(device, [&](const Record& record) {
        return function == 0 && record.attribute(pci_domain_id) == domain && record.attribute(pci_bus_id) == bus &&
               record.attribute(pci_device_id) == slot;
    });
}
EXPORT Return nvmlDeviceGetHandleByPciBusId(const char* id, Device* device) {
    return nvmlDeviceGetHandleByPciBusId_v2(id, device);
}

EXPORT Return nvmlDeviceGetHandleByUUID(const char* uuid, Device* device) {
    if (!started()) return uninitialized;
    if (!uuid || !device) return invalid_argument;
    return find(device, [&](const Record& record) { return record.uuid_text() == uuid; });
}

// No device has a serial number.
EXPORT Return nvmlDeviceGetHandleBySerial(const char* serial, Device* device) {
    if (!started()) return uninitialized;
    return serial && device ? not_found : invalid_argument;
}

// ---- What a device is

EXPORT Return nvmlDeviceGetName(Device device, char* name, unsigned length) {
    NEEDS_RECORD;
    return copy_text(name, length, record.name);
}

EXPORT Return nvmlDeviceGetUUID(Device device, char* uuid, unsigned length) {
    NEEDS_RECORD;
    return copy_text(uuid, length, record.uuid_text());
}

EXPORT Return nvmlDeviceGetIndex(Device device, unsigned* number) {
    NEEDS_DEVICE;
    return write(number, unsigned(index));
}

EXPORT Return nvmlDeviceGetPciInfo_v3(Device device, PciInfo* info) {
    NEEDS_RECORD;
    if (!info) return invalid_argument;
    if (record.pci_id(true).empty()) return not_supported;
    PciInfo found{};
    found.domain = *record.attribute(pci_domain_id);
    found.bus = *record.attribute(pci_bus_id);
    found.device = *record.attribute(pci_device_id);
    std::snprintf(found.legacy_bus_id, sizeof found.legacy_bus_id, "%s", record.pci_id(false).c_str());
    std::snprintf(found.bus_id, sizeof found.bus_id, "%s", record.pci_id(true).c_str());
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
    NEEDS_RECORD;
    if (!major || !minor) return invalid_argument;
    const auto first = record.attribute(capability_major), second = record.attribute(capability_minor);
    if (!first || !second) return unknown;
    *major = int(*first), *minor = int(*second);
    return success;
}

// The one whose code the device runs.
EXPORT Return nvmlDeviceGetArchitecture(Device device, unsigned* architecture) {
    NEEDS_RECORD;
    const auto major = record.attribute(capability_major), minor = record.attribute(capability_minor);
    if (!major || !minor) return unknown;
    return write(architecture, architecture_of(*major, *minor));
}

// None of NVIDIA's: NVML_BRAND_UNKNOWN.
EXPORT Return nvmlDeviceGetBrand(Device device, unsigned* brand) {
    NEEDS_DEVICE;
    return write(brand, 0u);
}

EXPORT Return nvmlDeviceGetMultiGpuBoard(Device device, unsigned* several) {
    NEEDS_RECORD;
    return write(several, record.attribute(multi_gpu_board));
}

EXPORT Return nvmlDeviceGetMemoryBusWidth(Device device, unsigned* bits) {
    NEEDS_RECORD;
    return write(bits, record.attribute(memory_bus_width));
}

EXPORT Return nvmlDeviceIsMigDeviceHandle(Device device, unsigned* is) {
    NEEDS_DEVICE;
    return write(is, 0u);
}

// ---- Its state

// As of now, so the device is asked again.
EXPORT Return nvmlDeviceGetMemoryInfo(Device device, Memory* memory) {
    NEEDS_RECORD;
    if (!memory) return invalid_argument;
    const auto now = take_inventory();
    if (!now) return unknown;
    for (const Record& same : now->devices) {
        if (same.uuid != record.uuid) continue;
        *memory = {same.total_bytes, same.free_bytes, same.total_bytes - same.free_bytes};
        return success;
    }
    return gpu_is_lost;
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
    NEEDS_RECORD;
    return write(mode, record.attribute(compute_mode));
}

// Whether a device without it could have it is not known.
EXPORT Return nvmlDeviceGetEccMode(Device device, unsigned* current, unsigned* pending) {
    NEEDS_RECORD;
    if (!current || !pending) return invalid_argument;
    const auto enabled = record.attribute(ecc_enabled);
    if (!enabled || *enabled == 0) return not_supported;
    *current = *pending = 1;
    return success;
}

// MHz. Types: 0 graphics, 1 multiprocessors, 2 memory, 3 video.
EXPORT Return nvmlDeviceGetMaxClockInfo(Device device, unsigned type, unsigned* clock) {
    NEEDS_RECORD;
    if (!clock || type > 3) return invalid_argument;
    if (type == 3) return not_supported;
    const auto khz = record.attribute(type == 2 ? memory_clock_rate : clock_rate);
    if (!khz || *khz == 0) return not_supported;
    return write(clock, *khz / 1000);
}

// Of reading, writing, NVLink, atomics, PCI (0 to 4). Status 0: works, 5: not supported.
EXPORT Return nvmlDeviceGetP2PStatus(Device device, Device other, unsigned what, unsigned* status) {
    NEEDS_DEVICE;
    const int peer = index_of(other);
    if (peer < 0 || peer == index || !status || what > 4) return invalid_argument;
    *status = what != 2 && record_of(index).reaches.contains(peer) ? 0 : 5;
    return success;
}
