#pragma once

#include <cstddef>
#include <cstdint>

/// The part of HIP's binary interface that the back end uses, so that no header of ROCm is needed to build. Foreign
/// names keep their spelling. tests/amdgpu/abi_test.cpp compares all of it with the real headers.
namespace rt::backend::hip {

enum hipError_t : uint32_t {
#define HIP_RESULT(value, name, status) name = value,
#include "backend/hip/results.def"
};

using hipStream_t = struct ihipStream_t*;
using hipEvent_t = struct ihipEvent_t*;
using hipModule_t = struct ihipModule_t*;
using hipFunction_t = struct ihipModuleSymbol_t*;
using hipDeviceptr_t = void*;
using hipHostFn_t = void (*)(void*);

struct hipUUID {
    char bytes[16];
};

enum hipMemcpyKind : uint32_t { hipMemcpyDefault = 4 };
enum hipLimit_t : uint32_t { hipLimitStackSize = 0, hipLimitPrintfFifoSize = 1, hipLimitMallocHeapSize = 2 };

enum hipDeviceAttribute_t : uint32_t {
    hipDeviceAttributeClockRate = 5, ///< kHz
    hipDeviceAttributeConcurrentManagedAccess = 9,
    hipDeviceAttributeCooperativeLaunch = 10,
    hipDeviceAttributeIntegrated = 16,
    hipDeviceAttributeL2CacheSize = 19,
    hipDeviceAttributeManagedMemory = 24,
    hipDeviceAttributeMaxThreadsPerBlock = 56,
    hipDeviceAttributeMaxThreadsPerMultiProcessor = 57,
    hipDeviceAttributeMemoryBusWidth = 59,
    hipDeviceAttributeMemoryClockRate = 60, ///< kHz
    hipDeviceAttributeMultiprocessorCount = 63,
    hipDeviceAttributePageableMemoryAccess = 65,
    hipDeviceAttributePciBusId = 67,
    hipDeviceAttributePciDeviceId = 68,
    hipDeviceAttributePciDomainID = 69,
    hipDeviceAttributeMaxRegistersPerBlock = 71,
    hipDeviceAttributeMaxSharedMemoryPerBlock = 74,
    hipDeviceAttributeWarpSize = 87,
    hipDeviceAttributeMaxSharedMemoryPerMultiprocessor = 10002,
};

enum : unsigned {
    hipStreamNonBlocking = 1,
    hipEventDisableTiming = 2,
    hipHostMallocPortable = 1,
    hipHostMallocMapped = 2,
    hipMemAttachGlobal = 1,
};

/// hipDeviceProp_t is the only place that names the processor ("gfx942:sramecc+:xnack-"), and changed with version 6:
/// bytes of it, and where the name is.
inline constexpr size_t properties_bytes_5 = 792, processor_offset_5 = 396;
inline constexpr size_t properties_bytes_6 = 1472, processor_offset_6 = 1160;
inline constexpr size_t processor_name_bytes = 256;

} // namespace rt::backend::hip
