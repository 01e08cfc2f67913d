#include "backend/level_zero/facts.h"

#include "ptx/spirv_target.h"
#include "rt/error.h"

#include <algorithm>
#include <vector>

namespace rt::backend::level_zero {

namespace {

uint32_t compute_group(const Loader& ze, ze_device_handle_t device) {
    const auto groups = all_of(ze.zeDeviceGetCommandQueueGroupProperties, device, "asking for groups of queues");
    for (uint32_t i = 0; i < groups.size(); i++)
        if (groups[i].flags & ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COMPUTE) return i;
    throw Error(Status::not_supported, "level_zero: a device without a queue for kernels");
}

/// Whether queues of a group take kernels all of whose groups must be resident.
bool takes_cooperative_kernels(const Loader& ze, ze_device_handle_t device, uint32_t ordinal) {
    const auto groups = all_of(ze.zeDeviceGetCommandQueueGroupProperties, device, "asking for groups of queues");
    return groups.at(ordinal).flags & ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COOPERATIVE_KERNELS;
}

/// Whether it has them, or its driver emulates them, as Intel's does where it is asked to.
bool has_doubles(const Loader& ze, ze_device_handle_t device) {
    ze_device_module_properties_t properties;
    check(ze.zeDeviceGetModuleProperties(device, &properties), "asking what modules may have");
    return properties.flags & ZE_DEVICE_MODULE_FLAG_FP64;
}

/// The engines for copies alone go on while kernels keep the others busy.
uint32_t side_group(const Loader& ze, ze_device_handle_t device) {
    const auto groups = all_of(ze.zeDeviceGetCommandQueueGroupProperties, device, "asking for groups of queues");
    for (uint32_t i = 0; i < groups.size(); i++)
        if ((groups[i].flags & ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COPY) &&
            !(groups[i].flags & ZE_COMMAND_QUEUE_GROUP_PROPERTY_FLAG_COMPUTE))
            return i;
    return compute_group(ze, device);
}

void describe_memory(const Loader& ze, ze_device_handle_t device, DeviceFacts& facts) {
    for (const auto& memory : all_of(ze.zeDeviceGetMemoryProperties, device, "asking for a device's memories")) {
        facts.memory_bytes += memory.totalSize;
        facts.memory_clock_khz = std::max(facts.memory_clock_khz, memory.maxClockRate * 1000);
        facts.memory_bus_bits = std::max(facts.memory_bus_bits, memory.maxBusWidth);
    }
    for (const auto& cache : all_of(ze.zeDeviceGetCacheProperties, device, "asking for a device's caches"))
        facts.l2_bytes = uint32_t(std::max<uint64_t>(facts.l2_bytes, std::min<uint64_t>(cache.cacheSize, INT32_MAX)));
    ze_device_memory_access_properties_t access;
    check(ze.zeDeviceGetMemoryAccessProperties(device, &access), "asking how memory can be reached");
    facts.managed_memory = access.sharedSingleDeviceAllocCapabilities & ZE_MEMORY_ACCESS_CAP_FLAG_RW;
    facts.concurrent_managed_access = access.sharedSingleDeviceAllocCapabilities & ZE_MEMORY_ACCESS_CAP_FLAG_CONCURRENT;
    facts.pageable_memory_access = access.sharedSystemAllocCapabilities & ZE_MEMORY_ACCESS_CAP_FLAG_RW;
}

void describe_groups(const Loader& ze, ze_device_handle_t device, const ze_device_properties_t& properties,
                     DeviceFacts& facts) {
    ze_device_compute_properties_t compute;
    check(ze.zeDeviceGetComputeProperties(device, &compute), "asking for a device's limits");
    facts.multiprocessors = std::max(1u, properties.numSlices * properties.numSubslicesPerSlice);
    facts.max_threads_per_block = std::clamp(compute.maxTotalGroupSize, 1u, 1024u);
    // A hardware thread runs a sub-group, our warp of 32.
    const uint32_t resident = properties.numEUsPerSubslice * properties.numThreadsPerEU * 32;
    facts.max_threads_per_multiprocessor = std::max(facts.max_threads_per_block, resident);
    const uint32_t local = std::min<uint32_t>(compute.maxSharedLocalMemory, 1 << 30);
    facts.shared_bytes_per_block = std::min<uint32_t>(local, 48 << 10);
    facts.shared_bytes_per_block_optin = local;
    facts.shared_bytes_per_multiprocessor = local + 1024; // CUDA takes 1 KiB of each block for itself
    facts.registers_per_block = 128 * facts.max_threads_per_block;
}

void identify(const Loader& ze, ze_device_handle_t device, unsigned index, const ze_device_properties_t& properties,
              DeviceFacts& facts) {
    facts.name = std::string(properties.name, std::find(properties.name, std::end(properties.name), '\0'));
    std::copy(std::begin(properties.uuid), std::end(properties.uuid), facts.uuid.begin());
    ze_pci_ext_properties_t pci;
    if (ze.zeDevicePciGetPropertiesExt(device, &pci) == ZE_RESULT_SUCCESS) {
        facts.pci_domain = int32_t(pci.address.domain);
        facts.pci_bus = int32_t(pci.address.bus);
        facts.pci_device = int32_t(pci.address.device);
    } else {
        facts.pci_domain = 0x7fff; // of no machine, so that it is nobody else's
        facts.pci_device = int32_t(index);
    }
    facts.clock_khz = properties.coreClockRate * 1000;
    facts.integrated = properties.flags & ZE_DEVICE_PROPERTY_FLAG_INTEGRATED;
}

} // namespace

Description describe_device(ze_device_handle_t device, unsigned index) {
    const Loader& ze = loader();
    ze_device_properties_t properties;
    check(ze.zeDeviceGetProperties(device, &properties), "asking for a device's properties");
    Description result;
    identify(ze, device, index, properties, result.facts);
    describe_memory(ze, device, result.facts);
    describe_groups(ze, device, properties, result.facts);
    result.facts.target.arch = ptx::Arch::spirv;
    if (!has_doubles(ze, device)) result.facts.target.cpu = ptx::no_fp64;
    result.driver.largest_allocation = properties.maxMemAllocSize;
    result.driver.compute_ordinal = compute_group(ze, device);
    result.driver.side_ordinal = side_group(ze, device);
    result.facts.cooperative_launch = takes_cooperative_kernels(ze, device, result.driver.compute_ordinal);
    result.driver.ticks_per_second = std::max<uint64_t>(1, properties.timerResolution);
    return result;
}

bool on_one_card(const DeviceFacts& a, const DeviceFacts& b) {
    return a.pci_domain == b.pci_domain && a.pci_bus == b.pci_bus && a.pci_device == b.pci_device;
}

} // namespace rt::backend::level_zero
