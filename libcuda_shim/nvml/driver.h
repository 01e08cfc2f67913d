#pragma once

#include "nvml/management.h"

#include <cstddef>

// The driver API's functions that answers come from (cuda.h 13), linked from our libcuda.so.1.
extern "C" {
int cuInit(unsigned flags);
int cuDriverGetVersion(int* version);
int cuDeviceGetCount(int* count);
int cuDeviceGetName(char* name, int length, int device);
int cuDeviceGetUuid_v2(void* uuid, int device);
int cuDeviceGetAttribute(int* value, int attribute, int device);
int cuDeviceGetPCIBusId(char* id, int length, int device);
int cuDeviceGetByPCIBusId(int* device, const char* id);
int cuDeviceGetP2PAttribute(int* value, int attribute, int from, int to);
int cuDevicePrimaryCtxGetState(int device, unsigned* flags, int* active);
}

namespace nvml {

/// CUdevice_attribute.
enum Attribute : int {
    clock_rate = 13, ///< kHz
    compute_mode = 20,
    ecc_enabled = 32,
    pci_bus_id = 33,
    pci_device_id = 34,
    memory_clock_rate = 36, ///< kHz
    memory_bus_width = 37,  ///< bits
    pci_domain_id = 50,
    capability_major = 75,
    capability_minor = 76,
    multi_gpu_board = 84,
};

} // namespace nvml
