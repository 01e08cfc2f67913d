#pragma once

#include <cstdint>

/// NVML's binary interface, declared by ourselves: numbers and layouts as the NVML API reference has them. Only what an
/// answer touches has a layout. Little endian, natural alignment.
namespace nvml {

/// nvmlReturn_t. Any int may come in through nvmlErrorString.
enum Return : int {
    success = 0,
    uninitialized = 1,
    invalid_argument = 2,
    not_supported = 3,
    not_found = 6,
    insufficient_size = 7,
    driver_not_loaded = 9,
    gpu_is_lost = 15,
    argument_version_mismatch = 25,
    unknown = 999,
};

/// nvmlDevice_t: opaque to programs.
using Device = struct DeviceObject*;

/// What stands for a number that is not known (NVML_VALUE_NOT_AVAILABLE).
constexpr uint64_t not_available = ~0ull;
constexpr uint32_t no_instance = ~0u;

/// nvmlPciInfo_t, of nvmlDeviceGetPciInfo_v3.
struct PciInfo {
    char legacy_bus_id[16]; ///< 0000:01:00.0
    uint32_t domain, bus, device;
    uint32_t device_id;     ///< device << 16 | vendor; 0: not known
    uint32_t subsystem_id;  ///< 0: not known
    char bus_id[32];        ///< 00000000:01:00.0
};
static_assert(sizeof(PciInfo) == 68);

/// nvmlPciInfo_v2_t, of nvmlDeviceGetPciInfo_v2.
struct PciInfoV2 {
    char bus_id[16];
    uint32_t domain, bus, device;
    uint32_t device_id, subsystem_id; ///< as in PciInfo
    uint32_t reserved[4];
};
static_assert(sizeof(PciInfoV2) == 52);

/// nvmlMemory_t, bytes.
struct Memory {
    uint64_t total, free, used;
};
static_assert(sizeof(Memory) == 24);

/// nvmlMemory_v2_t, bytes. Version word: size | 2 << 24.
struct MemoryV2 {
    uint32_t version;
    uint64_t total, reserved, free, used;
};
static_assert(sizeof(MemoryV2) == 40);
constexpr uint32_t memory_v2 = sizeof(MemoryV2) | 2u << 24;

/// nvmlProcessInfo_v1_t.
struct ProcessV1 {
    uint32_t pid;
    uint64_t memory; ///< bytes
};
static_assert(sizeof(ProcessV1) == 16);

/// nvmlProcessInfo_v2_t, which the third form of the calls has, too.
struct Process {
    uint32_t pid;
    uint64_t memory; ///< bytes
    uint32_t gpu_instance, compute_instance;
};
static_assert(sizeof(Process) == 24);

} // namespace nvml
