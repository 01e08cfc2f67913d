#pragma once

#include <cstddef>
#include <cstdint>

/// The part of Level Zero's binary interface that the back end uses, so that no header of it is needed to build.
/// Foreign names keep their spelling. tests/unit/level_zero/abi_test.cpp compares all of it with the real headers. A
/// structure sets its own type, as the specification demands of whoever passes one.
namespace rt::backend::level_zero {

enum ze_result_t : uint32_t {
#define ZE_RESULT(value, name, status) name = value,
#include "backend/level_zero/results.def"
};

using ze_driver_handle_t = struct ze_driver*;
using ze_device_handle_t = struct ze_device*;
using ze_context_handle_t = struct ze_context*;
using ze_module_handle_t = struct ze_module*;
using ze_module_build_log_handle_t = struct ze_module_build_log*;
using ze_kernel_handle_t = struct ze_kernel*;
using ze_command_list_handle_t = struct ze_command_list*;
using ze_event_pool_handle_t = struct ze_event_pool*;
using ze_event_handle_t = struct ze_event*;

enum ze_structure_type_t : uint32_t {
    ZE_STRUCTURE_TYPE_DRIVER_PROPERTIES = 0x1,
    ZE_STRUCTURE_TYPE_DEVICE_COMPUTE_PROPERTIES = 0x4,
    ZE_STRUCTURE_TYPE_DEVICE_MODULE_PROPERTIES = 0x5,
    ZE_STRUCTURE_TYPE_COMMAND_QUEUE_GROUP_PROPERTIES = 0x6,
    ZE_STRUCTURE_TYPE_DEVICE_MEMORY_PROPERTIES = 0x7,
    ZE_STRUCTURE_TYPE_DEVICE_MEMORY_ACCESS_PROPERTIES = 0x8,
    ZE_STRUCTURE_TYPE_DEVICE_CACHE_PROPERTIES = 0x9,
    ZE_STRUCTURE_TYPE_CONTEXT_DESC = 0xd,
    ZE_STRUCTURE_TYPE_COMMAND_QUEUE_DESC = 0xe,
    ZE_STRUCTURE_TYPE_EVENT_POOL_DESC = 0x10,
    ZE_STRUCTURE_TYPE_EVENT_DESC = 0x11,
    ZE_STRUCTURE_TYPE_DEVICE_MEM_ALLOC_DESC = 0x15,
    ZE_STRUCTURE_TYPE_HOST_MEM_ALLOC_DESC = 0x16,
    ZE_STRUCTURE_TYPE_MODULE_DESC = 0x1b,
    ZE_STRUCTURE_TYPE_KERNEL_DESC = 0x1d,
    ZE_STRUCTURE_TYPE_KERNEL_PROPERTIES = 0x1e,
    ZE_STRUCTURE_TYPE_PCI_EXT_PROPERTIES = 0x10008,
    /// ze_device_properties_t with a timer resolution in cycles a second (the older type has nanoseconds).
    ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES_1_2 = 0x20006,
};

enum ze_device_type_t : uint32_t { ZE_DEVICE_TYPE_GPU = 1 };
enum ze_module_format_t : uint32_t {
    ZE_MODULE_FORMAT_IL_SPIRV = 0,
    ZE_MODULE_FORMAT_NATIVE = 1,
};
enum ze_command_queue_mode_t : uint32_t { ZE_COMMAND_QUEUE_MODE_ASYNCHRONOUS = 2 };
enum ze_command_queue_priority_t : uint32_t {
    ZE_COMMAND_QUEUE_PRIORITY_NORMAL = 0,
    ZE_COMMAND_QUEUE_PRIORITY_PRIORITY_HIGH = 2,
};

enum : uint32_t {
    ZE_INIT_FLAG_GPU_ONLY = 1,
    ZE_DEVICE_PROPERTY_FLAG_INTEGRATED = 1,
    ZE_DEVICE_MODULE_FLAG_FP64 = 2,
    ZE_MEMORY_ACCESS_CAP_FLAG_RW = 1,
    ZE_MEMORY_ACCESS_CAP_FLAG_CONCURRENT = 4,
    ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COMPUTE = 1,
    ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COPY = 2,
    ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COOPERATIVE_KERNELS = 4,
    ZE_EVENT_POOL_FLAG_HOST_VISIBLE = 1,
    ZE_EVENT_SCOPE_FLAG_HOST = 4,
    ZE_KERNEL_INDIRECT_ACCESS_FLAG_HOST = 1,
    ZE_KERNEL_INDIRECT_ACCESS_FLAG_DEVICE = 2,
    ZE_KERNEL_INDIRECT_ACCESS_FLAG_SHARED = 4,
};

struct ze_driver_properties_t {
    ze_structure_type_t stype = ZE_STRUCTURE_TYPE_DRIVER_PROPERTIES;
    void* pNext = nullptr;
    uint8_t uuid[16] = {};
    uint32_t driverVersion = 0;
};

struct ze_device_properties_t {
    ze_structure_type_t stype = ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES_1_2;
    void* pNext = nullptr;
    ze_device_type_t type{};
    uint32_t vendorId = 0, deviceId = 0, flags = 0, subdeviceId = 0;
    uint32_t coreClockRate = 0; ///< MHz
    uint64_t maxMemAllocSize = 0;
    uint32_t maxHardwareContexts = 0, maxCommandQueuePriority = 0, numThreadsPerEU = 0, physicalEUSimdWidth = 0;
    uint32_t numEUsPerSubslice = 0, numSubslicesPerSlice = 0, numSlices = 0;
    uint64_t timerResolution = 0;
    uint32_t timestampValidBits = 0, kernelTimestampValidBits = 0;
    uint8_t uuid[16] = {};
    char name[256] = {};
};

struct ze_device_compute_properties_t {
    ze_structure_type_t stype = ZE_STRUCTURE_TYPE_DEVICE_COMPUTE_PROPERTIES;
    void* pNext = nullptr;
    uint32_t maxTotalGroupSize = 0, maxGroupSizeX = 0, maxGroupSizeY = 0, maxGroupSizeZ = 0;
    uint32_t maxGroupCountX = 0, maxGroupCountY = 0, maxGroupCountZ = 0;
    uint32_t maxSharedLocalMemory = 0;
    uint32_t numSubGroupSizes = 0, subGroupSizes[8] = {};
};

struct ze_device_module_properties_t {
    ze_structure_type_t stype = ZE_STRUCTURE_TYPE_DEVICE_MODULE_PROPERTIES;
    void* pNext = nullptr;
    uint32_t spirvVersionSupported = 0;
    uint32_t flags = 0;
    uint32_t fp16flags = 0, fp32flags = 0, fp64flags = 0;
    uint32_t maxArgumentsSize = 0, printfBufferSize = 0;
    uint8_t nativeKernelSupported[16] = {}; ///< a uuid
};

struct ze_device_memory_properties_t {
    ze_structure_type_t stype = ZE_STRUCTURE_TYPE_DEVICE_MEMORY_PROPERTIES;
    void* pNext = nullptr;
    uint32_t flags = 0;
    uint32_t maxClockRate = 0, maxBusWidth = 0; ///< MHz; bits
    uint64_t totalSize = 0;
    char name[256] = {};
};

struct ze_device_memory_access_properties_t {
    ze_structure_type_t stype = ZE_STRUCTURE_TYPE_DEVICE_MEMORY_ACCESS_PROPERTIES;
    void* pNext = nullptr;
    uint32_t hostAllocCapabilities = 0, deviceAllocCapabilities = 0, sharedSingleDeviceAllocCapabilities = 0;
    uint32_t sharedCrossDeviceAllocCapabilities = 0, sharedSystemAllocCapabilities = 0;
};

struct ze_device_cache_properties_t {
    ze_structure_type_t stype = ZE_STRUCTURE_TYPE_DEVICE_CACHE_PROPERTIES;
    void* pNext = nullptr;
    uint32_t flags = 0;
    size_t cacheSize = 0;
};

struct ze_command_queue_group_properties_t {
    ze_structure_type_t stype = ZE_STRUCTURE_TYPE_COMMAND_QUEUE_GROUP_PROPERTIES;
    void* pNext = nullptr;
    uint32_t flags = 0;
    size_t maxMemoryFillPatternSize = 0;
    uint32_t numQueues = 0;
};

struct ze_pci_address_ext_t {
    uint32_t domain = 0, bus = 0, device = 0, function = 0;
};
struct ze_pci_speed_ext_t {
    int32_t genVersion = 0, width = 0;
    int64_t maxBandwidth = 0;
};
struct ze_pci_ext_properties_t {
    ze_structure_type_t stype = ZE_STRUCTURE_TYPE_PCI_EXT_PROPERTIES;
    void* pNext = nullptr;
    ze_pci_address_ext_t address;
    ze_pci_speed_ext_t maxSpeed;
};

struct ze_context_desc_t {
    ze_structure_type_t stype = ZE_STRUCTURE_TYPE_CONTEXT_DESC;
    const void* pNext = nullptr;
    uint32_t flags = 0;
};

struct ze_device_mem_alloc_desc_t {
    ze_structure_type_t stype = ZE_STRUCTURE_TYPE_DEVICE_MEM_ALLOC_DESC;
    const void* pNext = nullptr;
    uint32_t flags = 0, ordinal = 0;
};

struct ze_host_mem_alloc_desc_t {
    ze_structure_type_t stype = ZE_STRUCTURE_TYPE_HOST_MEM_ALLOC_DESC;
    const void* pNext = nullptr;
    uint32_t flags = 0;
};

struct ze_module_desc_t {
    ze_structure_type_t stype = ZE_STRUCTURE_TYPE_MODULE_DESC;
    const void* pNext = nullptr;
    ze_module_format_t format = ZE_MODULE_FORMAT_IL_SPIRV;
    size_t inputSize = 0;
    const uint8_t* pInputModule = nullptr;
    const char* pBuildFlags = nullptr;
    const void* pConstants = nullptr;
};

struct ze_kernel_desc_t {
    ze_structure_type_t stype = ZE_STRUCTURE_TYPE_KERNEL_DESC;
    const void* pNext = nullptr;
    uint32_t flags = 0;
    const char* pKernelName = nullptr;
};

struct ze_kernel_properties_t {
    ze_structure_type_t stype = ZE_STRUCTURE_TYPE_KERNEL_PROPERTIES;
    void* pNext = nullptr;
    uint32_t numKernelArgs = 0, requiredGroupSizeX = 0, requiredGroupSizeY = 0, requiredGroupSizeZ = 0;
    uint32_t requiredNumSubGroups = 0, requiredSubgroupSize = 0, maxSubgroupSize = 0, maxNumSubgroups = 0;
    uint32_t localMemSize = 0, privateMemSize = 0, spillMemSize = 0;
    uint8_t uuid[32] = {};
};

struct ze_group_count_t {
    uint32_t groupCountX = 1, groupCountY = 1, groupCountZ = 1;
};

struct ze_command_queue_desc_t {
    ze_structure_type_t stype = ZE_STRUCTURE_TYPE_COMMAND_QUEUE_DESC;
    const void* pNext = nullptr;
    uint32_t ordinal = 0, index = 0, flags = 0;
    ze_command_queue_mode_t mode = ZE_COMMAND_QUEUE_MODE_ASYNCHRONOUS;
    ze_command_queue_priority_t priority = ZE_COMMAND_QUEUE_PRIORITY_NORMAL;
};

struct ze_event_pool_desc_t {
    ze_structure_type_t stype = ZE_STRUCTURE_TYPE_EVENT_POOL_DESC;
    const void* pNext = nullptr;
    uint32_t flags = ZE_EVENT_POOL_FLAG_HOST_VISIBLE, count = 0;
};

struct ze_event_desc_t {
    ze_structure_type_t stype = ZE_STRUCTURE_TYPE_EVENT_DESC;
    const void* pNext = nullptr;
    uint32_t index = 0, signal = ZE_EVENT_SCOPE_FLAG_HOST, wait = ZE_EVENT_SCOPE_FLAG_HOST;
};

/// Bytes, rows, slices; a depth of 0 is a region of two dimensions.
struct ze_copy_region_t {
    uint32_t originX = 0, originY = 0, originZ = 0, width = 0, height = 0, depth = 0;
};

} // namespace rt::backend::level_zero
