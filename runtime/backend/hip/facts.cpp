#include "backend/hip/facts.h"

#include "backend/hip/loader.h"

#include <algorithm>
#include <array>

namespace rt::backend::hip {

namespace {

std::string text_of(const char* bytes, size_t limit) { return {bytes, std::find(bytes, bytes + limit, '\0')}; }

/// LLVM's name of the processor: the runtime's without the features that are on or off.
std::string processor_of(int device) {
    const Loader& hip = loader();
    // Some room, should a later version of the structure be longer.
    std::array<char, 4096> properties{};
    const bool newer = hip.hipGetDevicePropertiesR0600 != nullptr;
    const auto query = newer ? hip.hipGetDevicePropertiesR0600 : hip.hipGetDeviceProperties;
    check(query(properties.data(), device), "asking for a device's processor");
    const char* name = properties.data() + (newer ? processor_offset_6 : processor_offset_5);
    const std::string full = text_of(name, processor_name_bytes);
    return full.substr(0, full.find(':'));
}

uint32_t attribute(int device, hipDeviceAttribute_t which) {
    int value = 0;
    check(loader().hipDeviceGetAttribute(&value, which, device), "asking for a device's attribute");
    return uint32_t(std::max(0, value));
}

} // namespace

DeviceFacts describe_device(int device) {
    const Loader& hip = loader();
    const auto ask = [&](hipDeviceAttribute_t which) { return attribute(device, which); };
    DeviceFacts facts;
    std::array<char, 256> name{};
    check(hip.hipDeviceGetName(name.data(), int(name.size()), device), "asking for a device's name");
    facts.name = text_of(name.data(), name.size());
    hipUUID uuid{};
    check(hip.hipDeviceGetUuid(&uuid, device), "asking for a device's uuid");
    std::copy(std::begin(uuid.bytes), std::end(uuid.bytes), facts.uuid.begin());
    size_t memory = 0;
    check(hip.hipDeviceTotalMem(&memory, device), "asking for a device's memory");
    facts.memory_bytes = memory;
    facts.pci_domain = int32_t(ask(hipDeviceAttributePciDomainID));
    facts.pci_bus = int32_t(ask(hipDeviceAttributePciBusId));
    facts.pci_device = int32_t(ask(hipDeviceAttributePciDeviceId));
    facts.multiprocessors = std::max(1u, ask(hipDeviceAttributeMultiprocessorCount));
    facts.clock_khz = ask(hipDeviceAttributeClockRate);
    facts.memory_clock_khz = ask(hipDeviceAttributeMemoryClockRate);
    facts.memory_bus_bits = ask(hipDeviceAttributeMemoryBusWidth);
    facts.l2_bytes = ask(hipDeviceAttributeL2CacheSize);
    facts.max_threads_per_block = std::clamp(ask(hipDeviceAttributeMaxThreadsPerBlock), 1u, 1024u);
    facts.max_threads_per_multiprocessor =
        std::max(facts.max_threads_per_block, ask(hipDeviceAttributeMaxThreadsPerMultiProcessor));
    const uint32_t shared = ask(hipDeviceAttributeMaxSharedMemoryPerBlock);
    facts.shared_bytes_per_block = std::min<uint32_t>(shared, 48 << 10);
    facts.shared_bytes_per_block_optin = shared;
    // CUDA takes 1 KiB of each block for itself.
    facts.shared_bytes_per_multiprocessor =
        std::max(shared, ask(hipDeviceAttributeMaxSharedMemoryPerMultiprocessor)) + 1024;
    facts.registers_per_block = std::max(65536u, ask(hipDeviceAttributeMaxRegistersPerBlock));
    facts.integrated = ask(hipDeviceAttributeIntegrated);
    facts.managed_memory = ask(hipDeviceAttributeManagedMemory);
    facts.concurrent_managed_access = ask(hipDeviceAttributeConcurrentManagedAccess);
    facts.pageable_memory_access = ask(hipDeviceAttributePageableMemoryAccess);
    facts.cooperative_launch = hip.hipModuleLaunchCooperativeKernel && ask(hipDeviceAttributeCooperativeLaunch);
    facts.target.arch = ptx::Arch::amdgcn;
    facts.target.cpu = processor_of(device);
    return facts;
}

uint32_t lanes_of_wave(int device) { return attribute(device, hipDeviceAttributeWarpSize); }

} // namespace rt::backend::hip
