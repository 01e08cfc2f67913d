// Our declarations of HIP against the real ones: all of it is checked when this file is compiled.
#include "backend/hip/abi.h"

#include <hip/hip_runtime_api.h>

#include <cstddef>

namespace ours = rt::backend::hip;

#define HIP_RESULT(value, name, status) static_assert(uint32_t(ours::name) == uint32_t(::name));
#include "backend/hip/results.def"

#define SAME_VALUE(name) static_assert(uint32_t(ours::name) == uint32_t(::name))
SAME_VALUE(hipMemcpyDefault);
SAME_VALUE(hipLimitPrintfFifoSize);
SAME_VALUE(hipLimitMallocHeapSize);
SAME_VALUE(hipDeviceAttributeClockRate);
SAME_VALUE(hipDeviceAttributeConcurrentManagedAccess);
SAME_VALUE(hipDeviceAttributeCooperativeLaunch);
SAME_VALUE(hipDeviceAttributeIntegrated);
SAME_VALUE(hipDeviceAttributeL2CacheSize);
SAME_VALUE(hipDeviceAttributeManagedMemory);
SAME_VALUE(hipDeviceAttributeMaxThreadsPerBlock);
SAME_VALUE(hipDeviceAttributeMaxThreadsPerMultiProcessor);
SAME_VALUE(hipDeviceAttributeMemoryBusWidth);
SAME_VALUE(hipDeviceAttributeMemoryClockRate);
SAME_VALUE(hipDeviceAttributeMultiprocessorCount);
SAME_VALUE(hipDeviceAttributePageableMemoryAccess);
SAME_VALUE(hipDeviceAttributePciBusId);
SAME_VALUE(hipDeviceAttributePciDeviceId);
SAME_VALUE(hipDeviceAttributePciDomainID);
SAME_VALUE(hipDeviceAttributeMaxRegistersPerBlock);
SAME_VALUE(hipDeviceAttributeMaxSharedMemoryPerBlock);
SAME_VALUE(hipDeviceAttributeWarpSize);
SAME_VALUE(hipDeviceAttributeMaxSharedMemoryPerMultiprocessor);

// Constants that HIP has as macros.
constexpr unsigned real_flags[] = {hipStreamNonBlocking, hipEventDisableTiming, hipHostMallocPortable,
                                   hipHostMallocMapped, hipMemAttachGlobal};
#undef hipStreamNonBlocking
#undef hipEventDisableTiming
#undef hipHostMallocPortable
#undef hipHostMallocMapped
#undef hipMemAttachGlobal
static_assert(real_flags[0] == ours::hipStreamNonBlocking && real_flags[1] == ours::hipEventDisableTiming &&
              real_flags[2] == ours::hipHostMallocPortable && real_flags[3] == ours::hipHostMallocMapped &&
              real_flags[4] == ours::hipMemAttachGlobal);

#if HIP_VERSION_MAJOR < 6
static_assert(sizeof(hipDeviceProp_t) == ours::properties_bytes_5);
static_assert(offsetof(hipDeviceProp_t, gcnArchName) == ours::processor_offset_5);
#else
static_assert(sizeof(hipDeviceProp_t) == ours::properties_bytes_6);
static_assert(offsetof(hipDeviceProp_t, gcnArchName) == ours::processor_offset_6);
#endif
static_assert(sizeof(ours::hipUUID) == sizeof(::hipUUID));
