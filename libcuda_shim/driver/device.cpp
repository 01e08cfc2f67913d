#include "api/bodies.h"
#include "api/constants.h"
#include "driver/handles.h"
#include "rt/platform.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <mutex>

namespace shim {
namespace {

int attribute_of(rt::Device& device, int attribute) {
    if (auto value = device.attribute(attribute)) return *value;
    throw Error(Status::invalid_value, fmt::format("unknown device attribute {}", attribute));
}

void copy_text(char* to, int length, const std::string& text) {
    const size_t n = std::min(size_t(length) - 1, text.size());
    std::memcpy(to, text.data(), n);
    to[n] = 0;
}

// CUatomicOperationCapability
constexpr unsigned is_signed = 1, is_unsigned = 2, as_reduction = 4, of_32_bits = 8, of_64_bits = 16;
/// By CUatomicOperation: what the host's own atomic operations and a device's in the same memory do to each other. A
/// CPU device has the host's.
constexpr unsigned host_atomics[] = {
    is_signed | is_unsigned | as_reduction | of_32_bits | of_64_bits, // integer addition
    is_signed | is_unsigned | as_reduction | of_32_bits | of_64_bits, // minimum
    is_signed | is_unsigned | as_reduction | of_32_bits | of_64_bits, // maximum
    is_unsigned | as_reduction | of_32_bits,                          // increment
    is_unsigned | as_reduction | of_32_bits,                          // decrement
    is_unsigned | as_reduction | of_32_bits | of_64_bits,             // and
    is_unsigned | as_reduction | of_32_bits | of_64_bits,             // or
    is_unsigned | as_reduction | of_32_bits | of_64_bits,             // xor
    is_unsigned | of_32_bits | of_64_bits,                            // exchange
    is_unsigned | of_32_bits | of_64_bits,                            // compare and swap
    is_signed | as_reduction | of_32_bits | of_64_bits,               // floating-point addition
    0,                                                                // and minimum
    0,                                                                // and maximum: PTX has none for one number
};

void give_atomics(unsigned* capabilities, const CUatomicOperation* operations, unsigned count, bool native) {
    for (unsigned i = 0; i < count; ++i) {
        const auto operation = unsigned(operations[i]);
        require_value(operation < std::size(host_atomics), "unknown atomic operation");
        capabilities[i] = native ? host_atomics[operation] : 0;
    }
}

/// Who asked to be told when the system wants memory of a device back, which it does from none of ours.
struct Notifications {
    struct Asked {
        int device;
        CUasyncCallback function;
        void* data;
    };
    std::mutex mutex;
    std::map<CUasyncCallbackHandle, std::unique_ptr<Asked>> asked;
};

Notifications& notifications() {
    static Notifications& all = *new Notifications;
    return all;
}

} // namespace

Status driver::cuDeviceGet(CUdevice* device, int ordinal) {
    CUdevice& found = out(device, "device");
    found = device_of(ordinal).ordinal();
    return Status::success;
}

Status driver::cuDeviceGetCount(int* count) {
    out(count, "count") = rt::Platform::get().device_count();
    return Status::success;
}

Status driver::cuDeviceGetName(char* name, int length, CUdevice dev) {
    require_value(name && length > 0, "no room for the name");
    copy_text(name, length, device_of(dev).facts().name);
    return Status::success;
}

Status driver::cuDeviceGetUuid(CUuuid* uuid, CUdevice dev) {
    const auto& bytes = device_of(dev).facts().uuid;
    std::memcpy(out(uuid, "uuid").bytes, bytes.data(), bytes.size());
    return Status::success;
}

Status driver::cuDeviceTotalMem_v2(size_t* bytes, CUdevice dev) {
    out(bytes, "bytes") = device_of(dev).facts().memory_bytes;
    return Status::success;
}

// More than fits is given as the most that does.
Status driver::cuDeviceTotalMem(unsigned int* bytes, CUdevice dev) {
    constexpr uint64_t most = std::numeric_limits<unsigned>::max();
    out(bytes, "bytes") = unsigned(std::min<uint64_t>(device_of(dev).facts().memory_bytes, most));
    return Status::success;
}

Status driver::cuDeviceGetLuid(char* luid, unsigned int* nodes, CUdevice dev) {
    require_value(luid && nodes, "nowhere to put the identifier");
    device_of(dev);
    throw Error(Status::not_supported, "locally unique identifiers are of Windows");
}

Status driver::cuDeviceGetHostAtomicCapabilities(unsigned int* capabilities, const CUatomicOperation* operations,
                                                 unsigned int count, CUdevice dev) {
    require_value(capabilities && operations && count, "no list of operations");
    const bool native = attribute_of(device_of(dev), CU_DEVICE_ATTRIBUTE_HOST_NATIVE_ATOMIC_SUPPORTED) != 0;
    give_atomics(capabilities, operations, count, native);
    return Status::success;
}

Status driver::cuDeviceGetP2PAtomicCapabilities(unsigned int* capabilities, const CUatomicOperation* operations,
                                                unsigned int count, CUdevice source, CUdevice destination) {
    require_value(capabilities && operations && count, "no list of operations");
    device_of(source);
    device_of(destination);
    if (source == destination) throw Error(Status::invalid_device, "one device is no pair");
    int native = 0;
    cuDeviceGetP2PAttribute(&native, CU_DEVICE_P2P_ATTRIBUTE_NATIVE_ATOMIC_SUPPORTED, source, destination);
    give_atomics(capabilities, operations, count, native != 0);
    return Status::success;
}

Status driver::cuDeviceRegisterAsyncNotification(CUdevice dev, CUasyncCallback function, void* data,
                                                 CUasyncCallbackHandle* handle) {
    rt::Device& device = device_of(dev);
    require_value(function && handle, "no function, or nowhere to put the handle");
    auto asked = std::make_unique<Notifications::Asked>(Notifications::Asked{device.ordinal(), function, data});
    *handle = reinterpret_cast<CUasyncCallbackHandle>(asked.get());
    Notifications& all = notifications();
    std::lock_guard lock(all.mutex);
    all.asked.emplace(*handle, std::move(asked));
    return Status::success;
}

Status driver::cuDeviceUnregisterAsyncNotification(CUdevice dev, CUasyncCallbackHandle handle) {
    rt::Device& device = device_of(dev);
    Notifications& all = notifications();
    std::lock_guard lock(all.mutex);
    const auto found = all.asked.find(handle);
    require_value(found != all.asked.end() && found->second->device == device.ordinal(),
                  "nothing was registered under this handle, or for another device");
    all.asked.erase(found);
    return Status::success;
}

Status driver::cuDeviceGetAttribute(int* value, CUdevice_attribute attribute, CUdevice dev) {
    out(value, "pi") = attribute_of(device_of(dev), attribute);
    return Status::success;
}

Status driver::cuDeviceComputeCapability(int* major, int* minor, CUdevice dev) {
    const int capability = device_of(dev).compute_capability();
    out(major, "major") = capability / 10;
    out(minor, "minor") = capability % 10;
    return Status::success;
}

Status driver::cuDeviceGetProperties(CUdevprop* properties, CUdevice dev) {
    rt::Device& device = device_of(dev);
    CUdevprop p{};
    p.maxThreadsPerBlock = attribute_of(device, CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
    for (int i = 0; i < 3; ++i) {
        p.maxThreadsDim[i] = attribute_of(device, CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X + i);
        p.maxGridSize[i] = attribute_of(device, CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X + i);
    }
    p.sharedMemPerBlock = attribute_of(device, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK);
    p.totalConstantMemory = attribute_of(device, CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY);
    p.SIMDWidth = attribute_of(device, CU_DEVICE_ATTRIBUTE_WARP_SIZE);
    p.memPitch = attribute_of(device, CU_DEVICE_ATTRIBUTE_MAX_PITCH);
    p.regsPerBlock = attribute_of(device, CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK);
    p.clockRate = int(device.facts().clock_khz);
    p.textureAlign = attribute_of(device, CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT);
    out(properties, "prop") = p;
    return Status::success;
}

Status driver::cuDeviceGetPCIBusId(char* text, int length, CUdevice dev) {
    const auto& facts = device_of(dev).facts();
    const std::string id = fmt::format("{:04X}:{:02X}:{:02X}.0", facts.pci_domain, facts.pci_bus, facts.pci_device);
    require_value(text && length > int(id.size()), "no room for the bus id");
    copy_text(text, length, id);
    return Status::success;
}

// domain:bus:device.function, domain:bus:device or bus:device.function, all hexadecimal.
Status driver::cuDeviceGetByPCIBusId(CUdevice* dev, const char* text) {
    require_value(dev && text, "no bus id, or nowhere to put the device");
    unsigned domain = 0, bus = 0, device = 0, function = 0;
    const bool full = std::sscanf(text, "%x:%x:%x.%x", &domain, &bus, &device, &function) >= 3;
    if (!full) domain = 0;
    require_value(full || std::sscanf(text, "%x:%x.%x", &bus, &device, &function) >= 2, "not a PCI bus id");
    rt::Platform& platform = rt::Platform::get();
    for (int i = 0; i < platform.device_count(); ++i) {
        const auto& facts = platform.device(i).facts();
        if (facts.pci_domain != int(domain) || facts.pci_bus != int(bus) || facts.pci_device != int(device)) continue;
        *dev = i;
        return Status::success;
    }
    throw Error(Status::invalid_device, fmt::format("no device at {}", text));
}

// Restricting a context to some multiprocessors (type 0) is not offered, nor anything else.
Status driver::cuDeviceGetExecAffinitySupport(int* supported, CUexecAffinityType, CUdevice dev) {
    device_of(dev);
    out(supported, "pi") = 0;
    return Status::success;
}

// ---- Primary context

Status driver::cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice dev) {
    rt::Device& device = device_of(dev);
    out(context, "pctx");
    device.retain_primary();
    *context = handle_of(device.primary());
    return Status::success;
}

Status driver::cuDevicePrimaryCtxRelease_v2(CUdevice dev) {
    device_of(dev).release_primary();
    return Status::success;
}

Status driver::cuDevicePrimaryCtxReset_v2(CUdevice dev) {
    device_of(dev).reset_primary();
    return Status::success;
}

// The first form is for contexts that are not there yet.
Status driver::cuDevicePrimaryCtxSetFlags(CUdevice dev, unsigned int flags) {
    if (device_of(dev).primary_active()) throw Error(Status::primary_context_active, "the primary context is active");
    return cuDevicePrimaryCtxSetFlags_v2(dev, flags);
}

Status driver::cuDevicePrimaryCtxSetFlags_v2(CUdevice dev, unsigned int flags) {
    rt::Device& device = device_of(dev);
    require_value((flags & ~unsigned(CU_CTX_FLAGS_MASK)) == 0, "unknown context flags");
    device.set_primary_flags(flags);
    return Status::success;
}

Status driver::cuDevicePrimaryCtxGetState(CUdevice dev, unsigned int* flags, int* active) {
    rt::Device& device = device_of(dev);
    out(flags, "flags") = device.primary_flags();
    out(active, "active") = device.primary_active();
    return Status::success;
}

} // namespace shim
