// The functions of libamdhip64.so that Cuttle's back end calls.
#include "hip_device.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <llvm/BinaryFormat/ELF.h>

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace rt::backend::hip {

#define HIP_FN(name, parameters) EXPORT hipError_t name parameters;
#define HIP_NEWER_FN(name, parameters) EXPORT hipError_t name parameters;
#include "backend/hip/functions.def"
EXPORT const char* hipGetErrorString(hipError_t);

namespace {

using namespace amdgpu;

constexpr uint32_t lds_bytes = 64 << 10, most_threads = 1024, threads_per_unit = 2048;

/// Stops where there was no stream to run on are not expected: host calls and copies throw nothing.
hipError_t add(hipStream_t stream, std::function<void()> command) {
    if (!stream) {
        command();
        return hipSuccess;
    }
    stream->add(std::move(command));
    return hipSuccess;
}

template <class T> hipError_t fill(hipStream_t stream, void* to, T value, size_t count) {
    return add(stream, [=] { std::fill_n(static_cast<T*>(to), count, value); });
}

/// The size of an ELF file, whose section headers come last.
size_t bytes_of(const void* image) {
    llvm::ELF::Elf64_Ehdr header;
    std::memcpy(&header, image, sizeof header);
    if (!header.checkMagic()) return 0;
    return header.e_shoff + size_t{header.e_shnum} * header.e_shentsize;
}

std::atomic<int> live_events = 0;

bool is_device(int device) { return device >= 0 && device < device_count(); }

hipError_t describe(void* properties, int device, size_t bytes, size_t processor_at) {
    if (!is_device(device)) return hipErrorInvalidDevice;
    std::memset(properties, 0, bytes);
    const std::string name = device_processor().name + (device_processor().gfx9 ? ":sramecc+:xnack-" : "");
    std::memcpy(static_cast<char*>(properties) + processor_at, name.c_str(), name.size() + 1);
    return hipSuccess;
}

hipError_t launch(hipFunction_t function, std::array<uint32_t, 3> grid, std::array<uint32_t, 3> block, unsigned shared,
                  hipStream_t stream, void** parameters, bool cooperative) {
    const Kernel& kernel = *function->kernel;
    const uint64_t threads = uint64_t{block[0]} * block[1] * block[2];
    if (threads == 0 || uint64_t{grid[0]} * grid[1] * grid[2] == 0) return hipErrorInvalidConfiguration;
    if (threads > std::min(most_threads, kernel.max_flat_workgroup_size)) return hipErrorInvalidConfiguration;
    if (kernel.descriptor.group_segment_fixed_size + shared > lds_bytes) return hipErrorInvalidValue;
    Dispatch dispatch;
    dispatch.kernel = &kernel;
    dispatch.groups = grid;
    dispatch.threads = block;
    dispatch.dynamic_lds_bytes = shared;
    dispatch.all_resident = cooperative;
    unsigned number = 0;
    for (const Argument& argument : kernel.arguments) {
        if (argument.kind.starts_with("hidden_")) continue;
        dispatch.arguments.resize(std::max<size_t>(dispatch.arguments.size(), argument.offset + argument.size));
        std::memcpy(dispatch.arguments.data() + argument.offset, parameters[number++], argument.size);
    }
    const int device = stream ? stream->device() : current_device();
    return add(stream, [device, dispatch = std::move(dispatch)]() mutable {
        dispatch.memory = device_memory().ranges(device);
        run(dispatch);
    });
}

} // namespace

hipError_t hipInit(unsigned flags) { return flags ? hipErrorInvalidValue : hipSuccess; }
hipError_t hipRuntimeGetVersion(int* version) { return *version = 60000000, hipSuccess; }
hipError_t hipGetDeviceCount(int* count) {
    if (!__builtin_cpu_supports("avx2")) return hipErrorNoDevice; // what the emulator is compiled for
    return *count = device_count(), hipSuccess;
}
hipError_t hipSetDevice(int device) {
    if (!is_device(device)) return hipErrorInvalidDevice;
    return current_device() = device, hipSuccess;
}
hipError_t hipGetDevice(int* device) { return *device = current_device(), hipSuccess; }
hipError_t hipGetLastError() { return hipSuccess; }
const char* hipGetErrorString(hipError_t error) {
    thread_local std::string text;
    const bool of_a_kernel = error == hipErrorIllegalAddress || error == hipErrorLaunchFailure;
    text = of_a_kernel ? fault_text() : fmt::format("HIP error {}", uint32_t(error));
    return text.c_str();
}

hipError_t hipDeviceGetName(char* name, int bytes, int) {
    std::snprintf(name, size_t(bytes), "Cuttle's emulated %s", device_processor().name.c_str());
    return hipSuccess;
}
hipError_t hipDeviceGetUuid(hipUUID* uuid, int device) {
    std::memcpy(uuid->bytes, "GPU-cuttle-emul", 16);
    uuid->bytes[15] = char(device);
    return hipSuccess;
}
hipError_t hipDeviceTotalMem(size_t* bytes, int) { return *bytes = DeviceMemory::total, hipSuccess; }
hipError_t hipDeviceGetAttribute(int* value, hipDeviceAttribute_t attribute, int device) {
    if (!is_device(device)) return hipErrorInvalidDevice;
    struct Row {
        hipDeviceAttribute_t attribute;
        int value;
    };
    const Row rows[] = {
        {hipDeviceAttributeClockRate, 2500000},
        {hipDeviceAttributeConcurrentManagedAccess, 1},
        {hipDeviceAttributeCooperativeLaunch, 1},
        {hipDeviceAttributeIntegrated, 0},
        {hipDeviceAttributeL2CacheSize, 6 << 20},
        {hipDeviceAttributeManagedMemory, 1},
        {hipDeviceAttributeMaxThreadsPerBlock, most_threads},
        {hipDeviceAttributeMaxThreadsPerMultiProcessor, threads_per_unit},
        {hipDeviceAttributeMemoryBusWidth, 384},
        {hipDeviceAttributeMemoryClockRate, 1249000},
        {hipDeviceAttributeMultiprocessorCount, 4},
        {hipDeviceAttributePageableMemoryAccess, 0},
        {hipDeviceAttributePciBusId, 0x31 + device},
        {hipDeviceAttributePciDeviceId, 0},
        {hipDeviceAttributePciDomainID, 0},
        {hipDeviceAttributeMaxRegistersPerBlock, 65536},
        {hipDeviceAttributeMaxSharedMemoryPerBlock, lds_bytes},
        {hipDeviceAttributeWarpSize, int(device_processor().lanes)},
        {hipDeviceAttributeMaxSharedMemoryPerMultiprocessor, lds_bytes},
    };
    for (const Row& row : rows)
        if (row.attribute == attribute) return *value = row.value, hipSuccess;
    return hipErrorInvalidValue;
}
hipError_t hipDeviceSetLimit(hipLimit_t limit, size_t) {
    return limit == hipLimitStackSize ? hipSuccess : hipErrorNotSupported;
}
hipError_t hipDeviceCanAccessPeer(int* can, int device, int peer) {
    if (!is_device(device) || !is_device(peer)) return hipErrorInvalidDevice;
    return *can = device != peer, hipSuccess;
}
hipError_t hipDeviceEnablePeerAccess(int peer, unsigned flags) {
    if (flags || !is_device(peer) || peer == current_device()) return hipErrorInvalidValue;
    return device_memory().let_reach(current_device(), peer, true) ? hipSuccess : hipErrorPeerAccessAlreadyEnabled;
}
hipError_t hipDeviceDisablePeerAccess(int peer) {
    return device_memory().let_reach(current_device(), peer, false) ? hipSuccess : hipErrorPeerAccessNotEnabled;
}
hipError_t hipDeviceGetStreamPriorityRange(int* least, int* greatest) { return *least = 1, *greatest = -1, hipSuccess; }
hipError_t hipGetDeviceProperties(void* properties, int device) {
    return describe(properties, device, properties_bytes_5, processor_offset_5);
}
hipError_t hipGetDevicePropertiesR0600(void* properties, int device) {
    return describe(properties, device, properties_bytes_6, processor_offset_6);
}

hipError_t hipMemGetInfo(size_t* free, size_t* total) {
    return *free = device_memory().free_bytes(current_device()), *total = DeviceMemory::total, hipSuccess;
}
hipError_t hipMalloc(void** address, size_t bytes) {
    return (*address = device_memory().allocate(bytes, current_device())) ? hipSuccess : hipErrorOutOfMemory;
}
hipError_t hipHostMalloc(void** address, size_t bytes, unsigned) {
    return (*address = device_memory().allocate(bytes, -1)) ? hipSuccess : hipErrorOutOfMemory;
}
hipError_t hipMallocManaged(void** address, size_t bytes, unsigned flags) {
    if (flags != hipMemAttachGlobal) return hipErrorInvalidValue;
    return hipHostMalloc(address, bytes, 0);
}
hipError_t hipFree(void* address) { return device_memory().release(address) ? hipSuccess : hipErrorInvalidValue; }
hipError_t hipHostFree(void* address) { return hipFree(address); }

hipError_t hipMemcpy(void* to, const void* from, size_t bytes, hipMemcpyKind) {
    return std::memmove(to, from, bytes), hipSuccess;
}
hipError_t hipMemcpyAsync(void* to, const void* from, size_t bytes, hipMemcpyKind, hipStream_t stream) {
    return add(stream, [=] { std::memmove(to, from, bytes); });
}
hipError_t hipMemcpy2DAsync(void* to, size_t to_pitch, const void* from, size_t from_pitch, size_t width, size_t height,
                            hipMemcpyKind, hipStream_t stream) {
    if (width > to_pitch || width > from_pitch) return hipErrorInvalidValue;
    return add(stream, [=] {
        for (size_t row = 0; row < height; row++)
            std::memmove(static_cast<char*>(to) + row * to_pitch, static_cast<const char*>(from) + row * from_pitch,
                         width);
    });
}
hipError_t hipMemsetD8Async(hipDeviceptr_t to, unsigned char value, size_t count, hipStream_t stream) {
    return fill(stream, to, value, count);
}
hipError_t hipMemsetD16Async(hipDeviceptr_t to, unsigned short value, size_t count, hipStream_t stream) {
    return fill(stream, to, value, count);
}
hipError_t hipMemsetD32Async(hipDeviceptr_t to, int value, size_t count, hipStream_t stream) {
    return fill(stream, to, value, count);
}

hipError_t hipStreamCreateWithPriority(hipStream_t* stream, unsigned, int) {
    return *stream = new ihipStream_t, hipSuccess;
}
hipError_t hipStreamDestroy(hipStream_t stream) { return delete stream, hipSuccess; }
hipError_t hipStreamQuery(hipStream_t stream) { return stream->query(); }
hipError_t hipStreamSynchronize(hipStream_t stream) { return stream->synchronize(); }
hipError_t hipStreamWaitEvent(hipStream_t stream, hipEvent_t event, unsigned) {
    if (!event->point) return hipSuccess;
    return add(stream, [point = event->point] { point->wait(); });
}
hipError_t hipLaunchHostFunc(hipStream_t stream, hipHostFn_t function, void* argument) {
    return add(stream, [=] { function(argument); });
}

hipError_t hipEventCreateWithFlags(hipEvent_t* event, unsigned flags) {
    live_events++;
    *event = new ihipEvent_t;
    (*event)->timing = !(flags & hipEventDisableTiming);
    return hipSuccess;
}
hipError_t hipEventDestroy(hipEvent_t event) { return live_events--, delete event, hipSuccess; }
/// For tests: how many there are.
EXPORT int emulatorEvents() { return live_events; }
hipError_t hipEventRecord(hipEvent_t event, hipStream_t stream) {
    if (stream) return event->point = stream->mark(), hipSuccess;
    event->point = std::make_shared<Point>();
    event->point->reach(hipSuccess);
    return hipSuccess;
}
hipError_t hipEventQuery(hipEvent_t event) { return event->point ? event->point->query() : hipSuccess; }
hipError_t hipEventSynchronize(hipEvent_t event) { return event->point ? event->point->wait() : hipSuccess; }
hipError_t hipEventElapsedTime(float* milliseconds, hipEvent_t from, hipEvent_t to) {
    if (!from->point || !to->point || !from->timing || !to->timing) return hipErrorInvalidHandle;
    for (hipEvent_t event : {from, to})
        if (event->point->query() == hipErrorNotReady) return hipErrorNotReady;
    *milliseconds = std::chrono::duration<float, std::milli>(to->point->time - from->point->time).count();
    return hipSuccess;
}

hipError_t hipModuleLoadData(hipModule_t* module, const void* image) {
    const size_t bytes = bytes_of(image);
    if (!bytes) return hipErrorInvalidImage;
    try {
        auto loaded = std::make_unique<ihipModule_t>(std::span(static_cast<const uint8_t*>(image), bytes));
        if (loaded->code.processor().name != device_processor().name) return hipErrorNoBinaryForGpu;
        *module = loaded.release();
        return hipSuccess;
    } catch (const std::exception& error) {
        fmt::print(stderr, "amdgpu_emulator: {}\n", error.what());
        return hipErrorInvalidImage;
    }
}
hipError_t hipModuleUnload(hipModule_t module) { return delete module, hipSuccess; }
hipError_t hipModuleGetFunction(hipFunction_t* function, hipModule_t module, const char* name) {
    const Kernel* kernel = module->code.kernel(name);
    if (!kernel) return hipErrorNotFound;
    ihipModuleSymbol_t& symbol = module->functions[name];
    symbol.kernel = kernel;
    return *function = &symbol, hipSuccess;
}
hipError_t hipModuleGetGlobal(hipDeviceptr_t* address, size_t* bytes, hipModule_t module, const char* name) {
    const Symbol* variable = module->code.variable(name);
    if (!variable) return hipErrorNotFound;
    return *address = reinterpret_cast<void*>(variable->address), *bytes = variable->size, hipSuccess;
}
hipError_t hipModuleLaunchKernel(hipFunction_t function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                                 unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared,
                                 hipStream_t stream, void** parameters, void** extra) {
    if (extra) return hipErrorInvalidValue;
    return launch(function, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared, stream, parameters, false);
}
hipError_t hipModuleLaunchCooperativeKernel(hipFunction_t function, unsigned grid_x, unsigned grid_y, unsigned grid_z,
                                            unsigned block_x, unsigned block_y, unsigned block_z, unsigned shared,
                                            hipStream_t stream, void** parameters) {
    return launch(function, {grid_x, grid_y, grid_z}, {block_x, block_y, block_z}, shared, stream, parameters, true);
}
hipError_t hipModuleOccupancyMaxActiveBlocksPerMultiprocessor(int* blocks, hipFunction_t function, int block_threads,
                                                              size_t dynamic_shared) {
    const size_t shared = function->kernel->descriptor.group_segment_fixed_size + dynamic_shared;
    if (block_threads <= 0 || uint32_t(block_threads) > most_threads || shared > lds_bytes)
        return *blocks = 0, hipSuccess;
    const size_t by_threads = threads_per_unit / size_t(block_threads);
    return *blocks = int(shared ? std::min(by_threads, lds_bytes / shared) : by_threads), hipSuccess;
}

} // namespace rt::backend::hip
