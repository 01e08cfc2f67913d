// Our declarations of Level Zero against the real ones: all of it is checked when this file is compiled.
#include "backend/level_zero/loader.h"

#include <level_zero/ze_api.h>

#include <type_traits>

namespace ours = rt::backend::level_zero;

// Results and constants.
#define ZE_RESULT(value, name, status) static_assert(uint32_t(ours::name) == uint32_t(::name));
#include "backend/level_zero/results.def"

#define SAME_VALUE(name) static_assert(uint32_t(ours::name) == uint32_t(::name))
SAME_VALUE(ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES_1_2);
SAME_VALUE(ZE_DEVICE_TYPE_GPU);
SAME_VALUE(ZE_MODULE_FORMAT_IL_SPIRV);
SAME_VALUE(ZE_MODULE_FORMAT_NATIVE);
SAME_VALUE(ZE_COMMAND_QUEUE_MODE_ASYNCHRONOUS);
SAME_VALUE(ZE_COMMAND_QUEUE_PRIORITY_NORMAL);
SAME_VALUE(ZE_COMMAND_QUEUE_PRIORITY_PRIORITY_HIGH);
SAME_VALUE(ZE_INIT_FLAG_GPU_ONLY);
SAME_VALUE(ZE_DEVICE_PROPERTY_FLAG_INTEGRATED);
SAME_VALUE(ZE_DEVICE_MODULE_FLAG_FP64);
SAME_VALUE(ZE_MEMORY_ACCESS_CAP_FLAG_RW);
SAME_VALUE(ZE_MEMORY_ACCESS_CAP_FLAG_CONCURRENT);
SAME_VALUE(ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COMPUTE);
SAME_VALUE(ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COPY);
SAME_VALUE(ZE_EVENT_POOL_FLAG_HOST_VISIBLE);
SAME_VALUE(ZE_EVENT_SCOPE_FLAG_HOST);
SAME_VALUE(ZE_KERNEL_INDIRECT_ACCESS_FLAG_HOST);
SAME_VALUE(ZE_KERNEL_INDIRECT_ACCESS_FLAG_DEVICE);
SAME_VALUE(ZE_KERNEL_INDIRECT_ACCESS_FLAG_SHARED);

// Structures.
#define SAME_SIZE(type) static_assert(sizeof(ours::type) == sizeof(::type) && alignof(ours::type) == alignof(::type))
#define SAME_PLACE(type, member)                                                                                       \
    static_assert(offsetof(ours::type, member) == offsetof(::type, member) &&                                          \
                  sizeof(ours::type::member) == sizeof(::type::member))
#define SAME_TYPE_NUMBER(type, number)                                                                                 \
    SAME_VALUE(number);                                                                                                \
    SAME_SIZE(type);                                                                                                   \
    SAME_PLACE(type, stype);                                                                                           \
    SAME_PLACE(type, pNext)

SAME_TYPE_NUMBER(ze_driver_properties_t, ZE_STRUCTURE_TYPE_DRIVER_PROPERTIES);
SAME_PLACE(ze_driver_properties_t, uuid);
SAME_PLACE(ze_driver_properties_t, driverVersion);

SAME_TYPE_NUMBER(ze_device_properties_t, ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES_1_2);
SAME_PLACE(ze_device_properties_t, type);
SAME_PLACE(ze_device_properties_t, vendorId);
SAME_PLACE(ze_device_properties_t, deviceId);
SAME_PLACE(ze_device_properties_t, flags);
SAME_PLACE(ze_device_properties_t, subdeviceId);
SAME_PLACE(ze_device_properties_t, coreClockRate);
SAME_PLACE(ze_device_properties_t, maxMemAllocSize);
SAME_PLACE(ze_device_properties_t, numThreadsPerEU);
SAME_PLACE(ze_device_properties_t, physicalEUSimdWidth);
SAME_PLACE(ze_device_properties_t, numEUsPerSubslice);
SAME_PLACE(ze_device_properties_t, numSubslicesPerSlice);
SAME_PLACE(ze_device_properties_t, numSlices);
SAME_PLACE(ze_device_properties_t, timerResolution);
SAME_PLACE(ze_device_properties_t, timestampValidBits);
SAME_PLACE(ze_device_properties_t, kernelTimestampValidBits);
SAME_PLACE(ze_device_properties_t, uuid);
SAME_PLACE(ze_device_properties_t, name);

SAME_TYPE_NUMBER(ze_device_compute_properties_t, ZE_STRUCTURE_TYPE_DEVICE_COMPUTE_PROPERTIES);
SAME_PLACE(ze_device_compute_properties_t, maxTotalGroupSize);
SAME_PLACE(ze_device_compute_properties_t, maxGroupCountX);
SAME_PLACE(ze_device_compute_properties_t, maxSharedLocalMemory);
SAME_PLACE(ze_device_compute_properties_t, numSubGroupSizes);
SAME_PLACE(ze_device_compute_properties_t, subGroupSizes);

SAME_TYPE_NUMBER(ze_device_module_properties_t, ZE_STRUCTURE_TYPE_DEVICE_MODULE_PROPERTIES);
SAME_PLACE(ze_device_module_properties_t, flags);
SAME_PLACE(ze_device_module_properties_t, fp64flags);
SAME_PLACE(ze_device_module_properties_t, nativeKernelSupported);

SAME_TYPE_NUMBER(ze_device_memory_properties_t, ZE_STRUCTURE_TYPE_DEVICE_MEMORY_PROPERTIES);
SAME_PLACE(ze_device_memory_properties_t, maxClockRate);
SAME_PLACE(ze_device_memory_properties_t, maxBusWidth);
SAME_PLACE(ze_device_memory_properties_t, totalSize);
SAME_PLACE(ze_device_memory_properties_t, name);

SAME_TYPE_NUMBER(ze_device_memory_access_properties_t, ZE_STRUCTURE_TYPE_DEVICE_MEMORY_ACCESS_PROPERTIES);
SAME_PLACE(ze_device_memory_access_properties_t, hostAllocCapabilities);
SAME_PLACE(ze_device_memory_access_properties_t, deviceAllocCapabilities);
SAME_PLACE(ze_device_memory_access_properties_t, sharedSingleDeviceAllocCapabilities);
SAME_PLACE(ze_device_memory_access_properties_t, sharedSystemAllocCapabilities);

SAME_TYPE_NUMBER(ze_device_cache_properties_t, ZE_STRUCTURE_TYPE_DEVICE_CACHE_PROPERTIES);
SAME_PLACE(ze_device_cache_properties_t, cacheSize);

SAME_TYPE_NUMBER(ze_command_queue_group_properties_t, ZE_STRUCTURE_TYPE_COMMAND_QUEUE_GROUP_PROPERTIES);
SAME_PLACE(ze_command_queue_group_properties_t, flags);
SAME_PLACE(ze_command_queue_group_properties_t, maxMemoryFillPatternSize);
SAME_PLACE(ze_command_queue_group_properties_t, numQueues);

SAME_TYPE_NUMBER(ze_pci_ext_properties_t, ZE_STRUCTURE_TYPE_PCI_EXT_PROPERTIES);
SAME_PLACE(ze_pci_ext_properties_t, address);
SAME_PLACE(ze_pci_ext_properties_t, maxSpeed);
SAME_PLACE(ze_pci_address_ext_t, domain);
SAME_PLACE(ze_pci_address_ext_t, bus);
SAME_PLACE(ze_pci_address_ext_t, device);

SAME_TYPE_NUMBER(ze_context_desc_t, ZE_STRUCTURE_TYPE_CONTEXT_DESC);
SAME_PLACE(ze_context_desc_t, flags);

SAME_TYPE_NUMBER(ze_device_mem_alloc_desc_t, ZE_STRUCTURE_TYPE_DEVICE_MEM_ALLOC_DESC);
SAME_PLACE(ze_device_mem_alloc_desc_t, flags);
SAME_PLACE(ze_device_mem_alloc_desc_t, ordinal);

SAME_TYPE_NUMBER(ze_host_mem_alloc_desc_t, ZE_STRUCTURE_TYPE_HOST_MEM_ALLOC_DESC);
SAME_PLACE(ze_host_mem_alloc_desc_t, flags);

SAME_TYPE_NUMBER(ze_module_desc_t, ZE_STRUCTURE_TYPE_MODULE_DESC);
SAME_PLACE(ze_module_desc_t, format);
SAME_PLACE(ze_module_desc_t, inputSize);
SAME_PLACE(ze_module_desc_t, pInputModule);
SAME_PLACE(ze_module_desc_t, pBuildFlags);
SAME_PLACE(ze_module_desc_t, pConstants);

SAME_TYPE_NUMBER(ze_kernel_desc_t, ZE_STRUCTURE_TYPE_KERNEL_DESC);
SAME_PLACE(ze_kernel_desc_t, flags);
SAME_PLACE(ze_kernel_desc_t, pKernelName);

SAME_TYPE_NUMBER(ze_kernel_properties_t, ZE_STRUCTURE_TYPE_KERNEL_PROPERTIES);
SAME_PLACE(ze_kernel_properties_t, numKernelArgs);
SAME_PLACE(ze_kernel_properties_t, requiredSubgroupSize);
SAME_PLACE(ze_kernel_properties_t, maxSubgroupSize);
SAME_PLACE(ze_kernel_properties_t, spillMemSize);
SAME_PLACE(ze_kernel_properties_t, uuid);

SAME_TYPE_NUMBER(ze_command_queue_desc_t, ZE_STRUCTURE_TYPE_COMMAND_QUEUE_DESC);
SAME_PLACE(ze_command_queue_desc_t, ordinal);
SAME_PLACE(ze_command_queue_desc_t, index);
SAME_PLACE(ze_command_queue_desc_t, flags);
SAME_PLACE(ze_command_queue_desc_t, mode);
SAME_PLACE(ze_command_queue_desc_t, priority);

SAME_TYPE_NUMBER(ze_event_pool_desc_t, ZE_STRUCTURE_TYPE_EVENT_POOL_DESC);
SAME_PLACE(ze_event_pool_desc_t, flags);
SAME_PLACE(ze_event_pool_desc_t, count);

SAME_TYPE_NUMBER(ze_event_desc_t, ZE_STRUCTURE_TYPE_EVENT_DESC);
SAME_PLACE(ze_event_desc_t, index);
SAME_PLACE(ze_event_desc_t, signal);
SAME_PLACE(ze_event_desc_t, wait);

SAME_SIZE(ze_group_count_t);
SAME_SIZE(ze_copy_region_t);
SAME_PLACE(ze_copy_region_t, originX);
SAME_PLACE(ze_copy_region_t, width);
SAME_PLACE(ze_copy_region_t, height);
SAME_PLACE(ze_copy_region_t, depth);

// Functions: as many parameters, each as large and of the same kind.
namespace {

template <class A, class B>
constexpr bool alike = sizeof(A) == sizeof(B) && std::is_pointer_v<A> == std::is_pointer_v<B>;
template <class A, class B> struct SameShape : std::false_type {};
template <class... A, class... B>
requires(sizeof...(A) == sizeof...(B)) struct SameShape<ours::ze_result_t (*)(A...), ::ze_result_t (*)(B...)>
    : std::bool_constant<(alike<A, B> && ...)> {
};

} // namespace
#define ZE_FN(name, parameters) static_assert(SameShape<decltype(ours::Loader::name), decltype(&::name)>::value, #name);
#include "backend/level_zero/functions.def"
