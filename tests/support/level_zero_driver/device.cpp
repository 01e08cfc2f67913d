#include "engine.h"
#include "functions.h"

#include <cstdio>
#include <cstring>

namespace level_zero_driver {

namespace {

// Handles are only compared: any address will do.
int driver_object, device_object;
const auto the_driver = reinterpret_cast<ze_driver_handle_t>(&driver_object);
const auto the_device = reinterpret_cast<ze_device_handle_t>(&device_object);

// Small, so that tests can use it up; within what Intel's GPUs have.
constexpr uint64_t memory_bytes = uint64_t{1} << 30, largest_allocation = uint64_t{256} << 20;
constexpr uint32_t local_bytes = 128 << 10, group_size = 1024;

/// The protocol of every query for a list, here of one element. True when `list` is to be filled.
template <class T> bool answer_one(uint32_t* count, T* list) {
    const bool wanted = *count > 0 && list;
    *count = 1;
    return wanted;
}

ze_result_t init(ze_init_flags_t) { return start_engine() ? ZE_RESULT_SUCCESS : ZE_RESULT_ERROR_UNINITIALIZED; }

ze_result_t get_driver(uint32_t* count, ze_driver_handle_t* list) {
    if (answer_one(count, list)) list[0] = the_driver;
    return ZE_RESULT_SUCCESS;
}

ze_result_t get_api_version(ze_driver_handle_t, ze_api_version_t* version) {
    *version = ZE_API_VERSION_1_4;
    return ZE_RESULT_SUCCESS;
}

ze_result_t get_driver_properties(ze_driver_handle_t, ze_driver_properties_t* properties) {
    std::memset(properties->uuid.id, 0x42, sizeof properties->uuid.id);
    properties->driverVersion = driver_version();
    return ZE_RESULT_SUCCESS;
}

ze_result_t get_extensions(ze_driver_handle_t, uint32_t* count, ze_driver_extension_properties_t*) {
    *count = 0;
    return ZE_RESULT_SUCCESS;
}

ze_result_t get_device(ze_driver_handle_t, uint32_t* count, ze_device_handle_t* list) {
    if (answer_one(count, list)) list[0] = the_device;
    return ZE_RESULT_SUCCESS;
}

ze_result_t get_properties(ze_device_handle_t, ze_device_properties_t* p) {
    p->type = ZE_DEVICE_TYPE_GPU;
    p->vendorId = 0x8086;
    p->deviceId = 0xc0de;
    p->subdeviceId = 0;
    p->flags = ZE_DEVICE_PROPERTY_FLAG_INTEGRATED;
    p->coreClockRate = 1500;
    p->maxMemAllocSize = largest_allocation;
    p->maxHardwareContexts = 1;
    p->maxCommandQueuePriority = 0;
    p->numThreadsPerEU = 8;
    p->physicalEUSimdWidth = 8;
    p->numEUsPerSubslice = 8;
    p->numSubslicesPerSlice = 2;
    p->numSlices = 1;
    // A clock of nanoseconds: cycles in a second, or nanoseconds in a cycle.
    p->timerResolution = p->stype == ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES_1_2 ? 1'000'000'000 : 1;
    p->timestampValidBits = p->kernelTimestampValidBits = 64;
    std::memset(p->uuid.id, 0x17, sizeof p->uuid.id);
    std::snprintf(p->name, sizeof p->name, "Cuttle's Level Zero test device");
    return ZE_RESULT_SUCCESS;
}

ze_result_t get_compute_properties(ze_device_handle_t, ze_device_compute_properties_t* p) {
    p->maxTotalGroupSize = p->maxGroupSizeX = p->maxGroupSizeY = p->maxGroupSizeZ = group_size;
    p->maxGroupCountX = p->maxGroupCountY = p->maxGroupCountZ = UINT32_MAX;
    p->maxSharedLocalMemory = local_bytes;
    p->numSubGroupSizes = 1;
    p->subGroupSizes[0] = 32;
    return ZE_RESULT_SUCCESS;
}

ze_result_t get_memory_properties(ze_device_handle_t, uint32_t* count, ze_device_memory_properties_t* p) {
    if (!answer_one(count, p)) return ZE_RESULT_SUCCESS;
    p->flags = 0;
    p->maxClockRate = 1600;
    p->maxBusWidth = 128;
    p->totalSize = memory_bytes;
    std::snprintf(p->name, sizeof p->name, "host memory");
    return ZE_RESULT_SUCCESS;
}

ze_result_t get_memory_access(ze_device_handle_t, ze_device_memory_access_properties_t* p) {
    const auto all = ZE_MEMORY_ACCESS_CAP_FLAG_RW | ZE_MEMORY_ACCESS_CAP_FLAG_ATOMIC |
                     ZE_MEMORY_ACCESS_CAP_FLAG_CONCURRENT | ZE_MEMORY_ACCESS_CAP_FLAG_CONCURRENT_ATOMIC;
    p->hostAllocCapabilities = p->deviceAllocCapabilities = p->sharedSingleDeviceAllocCapabilities = all;
    p->sharedCrossDeviceAllocCapabilities = p->sharedSystemAllocCapabilities = 0;
    return ZE_RESULT_SUCCESS;
}

ze_result_t get_cache_properties(ze_device_handle_t, uint32_t* count, ze_device_cache_properties_t* p) {
    if (!answer_one(count, p)) return ZE_RESULT_SUCCESS;
    p->flags = 0;
    p->cacheSize = 1 << 20;
    return ZE_RESULT_SUCCESS;
}

ze_result_t get_queue_groups(ze_device_handle_t, uint32_t* count, ze_command_queue_group_properties_t* p) {
    if (!answer_one(count, p)) return ZE_RESULT_SUCCESS;
    p->flags = ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COMPUTE | ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COPY;
    if (engine().is_cooperative()) p->flags |= ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COOPERATIVE_KERNELS;
    p->maxMemoryFillPatternSize = 16;
    p->numQueues = 1;
    return ZE_RESULT_SUCCESS;
}

ze_result_t get_pci_properties(ze_device_handle_t, ze_pci_ext_properties_t* p) {
    p->address = {0, 0x42, 0x17, 0};
    p->maxSpeed = {-1, -1, -1};
    return ZE_RESULT_SUCCESS;
}

ze_result_t get_status(ze_device_handle_t) { return ZE_RESULT_SUCCESS; }

} // namespace

uint32_t driver_version() { return setting("CUTTLE_ZE_TEST_VERSION", 1); }

void fill(ze_global_dditable_t& table) { table.pfnInit = init; }

void fill(ze_driver_dditable_t& table) {
    table.pfnGet = get_driver;
    table.pfnGetApiVersion = get_api_version;
    table.pfnGetProperties = get_driver_properties;
    table.pfnGetExtensionProperties = get_extensions;
}

void fill(ze_device_dditable_t& table) {
    table.pfnGet = get_device;
    table.pfnGetProperties = get_properties;
    table.pfnGetComputeProperties = get_compute_properties;
    table.pfnGetMemoryProperties = get_memory_properties;
    table.pfnGetMemoryAccessProperties = get_memory_access;
    table.pfnGetCacheProperties = get_cache_properties;
    table.pfnGetCommandQueueGroupProperties = get_queue_groups;
    table.pfnGetStatus = get_status;
    table.pfnPciGetPropertiesExt = get_pci_properties;
}

} // namespace level_zero_driver
