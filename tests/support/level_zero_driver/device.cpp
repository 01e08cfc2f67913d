#include "engine.h"
#include "functions.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

namespace level_zero_driver {

namespace {

int driver_object; // a handle that is only compared: any address will do
const auto the_driver = reinterpret_cast<ze_driver_handle_t>(&driver_object);

/// A card, or a tile of one that has several.
struct Device {
    uint32_t tiles; ///< that it consists of
    uint32_t number = 0;
    bool sub_device = false;
};
Device& object(ze_device_handle_t handle) { return *reinterpret_cast<Device*>(handle); }

uint32_t tile_count() { return setting("CUTTLE_ZE_TEST_TILES", 1); }

/// As Intel's drivers have been told since 2023 what zeDeviceGet shows; without a word, as those before.
bool shows_tiles() {
    const char* hierarchy = std::getenv("ZE_FLAT_DEVICE_HIERARCHY");
    return hierarchy && std::string_view(hierarchy) != "COMPOSITE";
}

const std::vector<ze_device_handle_t>& tiles() {
    static const auto& all = *[] {
        auto* list = new std::vector<ze_device_handle_t>;
        for (uint32_t i = 0; i < tile_count() && tile_count() > 1; i++)
            list->push_back(reinterpret_cast<ze_device_handle_t>(new Device{1, i, !shows_tiles()}));
        return list;
    }();
    return all;
}

const std::vector<ze_device_handle_t>& shown_devices() {
    static Device card{tile_count()};
    static const auto& all = *new std::vector{reinterpret_cast<ze_device_handle_t>(&card)};
    return shows_tiles() && !tiles().empty() ? tiles() : all;
}

// Small, so that tests can use it up; within what Intel's GPUs have.
constexpr uint64_t memory_bytes = uint64_t{1} << 30, largest_allocation = uint64_t{256} << 20;
constexpr uint32_t local_bytes = 128 << 10, group_size = 1024;

/// The protocol of every query for a list.
ze_result_t answer(const std::vector<ze_device_handle_t>& all, uint32_t* count, ze_device_handle_t* list) {
    const auto most = uint32_t(all.size());
    if (*count > 0 && list) std::copy_n(all.begin(), std::min(*count, most), list);
    if (*count == 0 || *count > most) *count = most;
    return ZE_RESULT_SUCCESS;
}

/// The same of one element. True when `list` is to be filled.
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
    return answer(shown_devices(), count, list);
}

ze_result_t get_sub_devices(ze_device_handle_t device, uint32_t* count, ze_device_handle_t* list) {
    return answer(object(device).tiles > 1 ? tiles() : std::vector<ze_device_handle_t>(), count, list);
}

/// All are of one card.
ze_result_t can_access_peer(ze_device_handle_t, ze_device_handle_t, ze_bool_t* can) {
    *can = true;
    return ZE_RESULT_SUCCESS;
}

ze_result_t get_properties(ze_device_handle_t device, ze_device_properties_t* p) {
    p->type = ZE_DEVICE_TYPE_GPU;
    p->vendorId = 0x8086;
    p->deviceId = 0xc0de;
    p->subdeviceId = object(device).number;
    p->flags = ZE_DEVICE_PROPERTY_FLAG_INTEGRATED | (object(device).sub_device ? ZE_DEVICE_PROPERTY_FLAG_SUBDEVICE : 0);
    p->coreClockRate = 1500;
    p->maxMemAllocSize = largest_allocation;
    p->maxHardwareContexts = 1;
    p->maxCommandQueuePriority = 0;
    p->numThreadsPerEU = 8;
    p->physicalEUSimdWidth = 8;
    p->numEUsPerSubslice = 8;
    p->numSubslicesPerSlice = 2;
    p->numSlices = object(device).tiles;
    // A clock of nanoseconds: cycles in a second, or nanoseconds in a cycle.
    p->timerResolution = p->stype == ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES_1_2 ? 1'000'000'000 : 1;
    p->timestampValidBits = p->kernelTimestampValidBits = 64;
    std::memset(p->uuid.id, 0x17, sizeof p->uuid.id);
    p->uuid.id[15] = uint8_t(p->uuid.id[15] + p->subdeviceId);
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

ze_result_t get_module_properties(ze_device_handle_t, ze_device_module_properties_t* p) {
    p->spirvVersionSupported = ZE_MAKE_VERSION(1, 4);
    p->flags = ZE_DEVICE_MODULE_FLAG_FP16 | ZE_DEVICE_MODULE_FLAG_INT64_ATOMICS;
    if (has_fp64()) p->flags |= ZE_DEVICE_MODULE_FLAG_FP64;
    const ze_device_fp_flags_t all = ZE_DEVICE_FP_FLAG_DENORM | ZE_DEVICE_FP_FLAG_INF_NAN |
                                     ZE_DEVICE_FP_FLAG_ROUND_TO_NEAREST | ZE_DEVICE_FP_FLAG_FMA;
    p->fp16flags = p->fp32flags = all;
    p->fp64flags = has_fp64() ? all : 0;
    p->maxArgumentsSize = 2048;
    p->printfBufferSize = 1 << 20;
    std::memset(p->nativeKernelSupported.id, 0, sizeof p->nativeKernelSupported.id);
    return ZE_RESULT_SUCCESS;
}

ze_result_t get_memory_properties(ze_device_handle_t device, uint32_t* count, ze_device_memory_properties_t* p) {
    if (!answer_one(count, p)) return ZE_RESULT_SUCCESS;
    p->flags = 0;
    p->maxClockRate = 1600;
    p->maxBusWidth = 128;
    p->totalSize = memory_bytes * object(device).tiles;
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

bool has_fp64() { return setting("CUTTLE_ZE_TEST_FP64", 1); }

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
    table.pfnGetSubDevices = get_sub_devices;
    table.pfnCanAccessPeer = can_access_peer;
    table.pfnGetProperties = get_properties;
    table.pfnGetComputeProperties = get_compute_properties;
    table.pfnGetModuleProperties = get_module_properties;
    table.pfnGetMemoryProperties = get_memory_properties;
    table.pfnGetMemoryAccessProperties = get_memory_access;
    table.pfnGetCacheProperties = get_cache_properties;
    table.pfnGetCommandQueueGroupProperties = get_queue_groups;
    table.pfnGetStatus = get_status;
    table.pfnPciGetPropertiesExt = get_pci_properties;
}

} // namespace level_zero_driver
