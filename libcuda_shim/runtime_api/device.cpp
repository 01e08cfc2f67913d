#include "api/constants.h"
#include "runtime_api/bodies.h"
#include "runtime_api/channel.h"
#include "runtime_api/context.h"
#include "runtime_api/device_prop.h"

// Devices, peers, versions, the profiler and the driver's entry points.
namespace cudart::body {
namespace {

/// What cudaRuntimeGetVersion says, and the version that driver functions are asked for.
constexpr int runtime_version = CUTTLE_CUDART_VERSION;
// cudaEnablePerThreadDefaultStream
constexpr unsigned long long per_thread_entry_points = 2;
// cudaDeviceMapHost
constexpr unsigned int map_host = 8;

void require_device(int device) {
    int count = 0;
    check(cuDeviceGetCount(&count));
    require(device >= 0 && device < count, cudaErrorInvalidDevice);
}

} // namespace

void cudaGetDeviceCount(int* count) {
    require(count, cudaErrorInvalidValue);
    *count = 0;
    initialise();
    check(cuDeviceGetCount(count));
    require(*count > 0, cudaErrorNoDevice);
}

void cudaGetDevice(int* device) {
    require(device, cudaErrorInvalidValue);
    *device = current_device();
}

void cudaSetDevice(int device) { select_device(device); }

void cudaInitDevice(int device, unsigned int deviceFlags, unsigned int flags) {
    // cudaInitDeviceFlagsAreValid: deviceFlags are to be taken over.
    require(flags <= 1, cudaErrorInvalidValue);
    require_device(device);
    if (flags) check(cuDevicePrimaryCtxSetFlags_v2(device, deviceFlags));
    primary_context(device);
}

void cudaDeviceSynchronize() { check(cuCtxSynchronize()); }

void cudaDeviceReset() { reset_device(); }

void cudaDeviceGetLimit(size_t* pValue, cudaLimit limit) { check(cuCtxGetLimit(pValue, limit)); }

void cudaDeviceSetLimit(cudaLimit limit, size_t value) { check(cuCtxSetLimit(limit, value)); }

void cudaDeviceGetCacheConfig(cudaFuncCache* pCacheConfig) { check(cuCtxGetCacheConfig(pCacheConfig)); }

void cudaDeviceSetCacheConfig(cudaFuncCache cacheConfig) { check(cuCtxSetCacheConfig(cacheConfig)); }

void cudaDeviceGetSharedMemConfig(cudaSharedMemConfig* pConfig) { check(cuCtxGetSharedMemConfig(pConfig)); }

void cudaDeviceSetSharedMemConfig(cudaSharedMemConfig config) { check(cuCtxSetSharedMemConfig(config)); }

void cudaDeviceGetStreamPriorityRange(int* leastPriority, int* greatestPriority) {
    check(cuCtxGetStreamPriorityRange(leastPriority, greatestPriority));
}

void cudaCtxResetPersistingL2Cache() { check(cuCtxResetPersistingL2Cache()); }

void cudaGetDeviceFlags(unsigned int* flags) {
    require(flags, cudaErrorInvalidValue);
    CUcontext context = nullptr;
    check(cuCtxGetCurrent(&context));
    int active = 0;
    check(context ? cuCtxGetFlags(flags) : cuDevicePrimaryCtxGetState(current_device(), flags, &active));
    if (!context && !*flags) *flags = map_host; // as long as nothing else was asked for
}

void cudaSetDeviceFlags(unsigned int flags) { check(cuDevicePrimaryCtxSetFlags_v2(current_device(), flags)); }

void cudaDeviceGetAttribute(int* value, cudaDeviceAttr attr, int device) {
    require(value, cudaErrorInvalidValue);
    require_device(device);
    check(cuDeviceGetAttribute(value, attr, device));
}

void cudaDeviceGetByPCIBusId(int* device, const char* pciBusId) { check(cuDeviceGetByPCIBusId(device, pciBusId)); }

void cudaDeviceGetPCIBusId(char* pciBusId, int len, int device) {
    require_device(device);
    check(cuDeviceGetPCIBusId(pciBusId, len, device));
}

void cudaDeviceCanAccessPeer(int* canAccessPeer, int device, int peerDevice) {
    require_device(device);
    require_device(peerDevice);
    check(cuDeviceCanAccessPeer(canAccessPeer, device, peerDevice));
}

void cudaDeviceEnablePeerAccess(int peerDevice, unsigned int flags) {
    require_device(peerDevice);
    check(cuCtxEnablePeerAccess(primary_context(peerDevice), flags));
}

void cudaDeviceDisablePeerAccess(int peerDevice) {
    require_device(peerDevice);
    check(cuCtxDisablePeerAccess(primary_context(peerDevice)));
}

void cudaDeviceFlushGPUDirectRDMAWrites(cudaFlushGPUDirectRDMAWritesTarget target,
                                        cudaFlushGPUDirectRDMAWritesScope scope) {
    check(cuFlushGPUDirectRDMAWrites(target, scope));
}

void cudaProfilerInitialize(const char* configFile, const char* outputFile, cudaOutputMode_t outputMode) {
    check(cuProfilerInitialize(configFile, outputFile, outputMode));
}

void cudaSetValidDevices(int* device_arr, int len) {
    int count = 0;
    check(cuDeviceGetCount(&count));
    require(len >= 0 && len <= count && (device_arr || !len), cudaErrorInvalidValue);
    for (int i = 0; i < len; ++i) require_device(device_arr[i]);
    prefer_device(len ? device_arr[0] : 0);
}

void cudaDeviceGetP2PAtomicCapabilities(unsigned int* capabilities, const cudaAtomicOperation* operations,
                                        unsigned int count, int srcDevice, int dstDevice) {
    check(cuDeviceGetP2PAtomicCapabilities(capabilities, operations, count, srcDevice, dstDevice));
}

void cudaDeviceGetHostAtomicCapabilities(unsigned int* capabilities, const cudaAtomicOperation* operations,
                                         unsigned int count, int device) {
    check(cuDeviceGetHostAtomicCapabilities(capabilities, operations, count, device));
}

void cudaDeviceRegisterAsyncNotification(int device, cudaAsyncCallback callbackFunc, void* userData,
                                         cudaAsyncCallbackHandle_t* callback) {
    check(cuDeviceRegisterAsyncNotification(device, callbackFunc, userData, callback));
}

void cudaDeviceUnregisterAsyncNotification(int device, cudaAsyncCallbackHandle_t callback) {
    check(cuDeviceUnregisterAsyncNotification(device, callback));
}

void cudaDeviceGetP2PAttribute(int* value, cudaDeviceP2PAttr attr, int srcDevice, int dstDevice) {
    require_device(srcDevice);
    require_device(dstDevice);
    check(cuDeviceGetP2PAttribute(value, attr, srcDevice, dstDevice));
}

void cudaDriverGetVersion(int* driverVersion) {
    require(driverVersion, cudaErrorInvalidValue);
    check(cuDriverGetVersion(driverVersion));
}

void cudaRuntimeGetVersion(int* runtimeVersion) {
    require(runtimeVersion, cudaErrorInvalidValue);
    *runtimeVersion = runtime_version;
}

void cudaProfilerStart() { check(cuProfilerStart()); }

void cudaProfilerStop() { check(cuProfilerStop()); }

void cudaGetDriverEntryPointByVersion(const char* symbol, void** funcPtr, unsigned int cudaVersion,
                                      unsigned long long flags, cudaDriverEntryPointQueryResult* driverStatus) {
    require(symbol && funcPtr, cudaErrorInvalidValue);
    if (!flags && per_thread()) flags = per_thread_entry_points;
    cudaDriverEntryPointQueryResult status = 0;
    const CUresult result = cuGetProcAddress_v2(symbol, funcPtr, int(cudaVersion), flags, &status);
    if (driverStatus) *driverStatus = status;
    // A name that is not there is an answer, where the caller listens to it.
    if (driverStatus && status && result == cudaErrorSymbolNotFound) return;
    check(result);
}

void cudaGetDriverEntryPoint(const char* symbol, void** funcPtr, unsigned long long flags,
                             cudaDriverEntryPointQueryResult* driverStatus) {
    cudaGetDriverEntryPointByVersion(symbol, funcPtr, runtime_version, flags, driverStatus);
}

void cudaGetExportTable(const void** ppExportTable, const cudaUUID_t* pExportTableId) {
    check(cuGetExportTable(ppExportTable, pExportTableId));
}

void cudaThreadExchangeStreamCaptureMode(cudaStreamCaptureMode* mode) {
    check(cuThreadExchangeStreamCaptureMode(mode));
}

// The first device that is at least what is asked for; else the first one.
void cudaChooseDevice(int* device, const cudaDeviceProp* prop) {
    require(device && prop, cudaErrorInvalidValue);
    int count = 0;
    check(cuDeviceGetCount(&count));
    const auto fits = [&](int candidate) {
        int major = 0, minor = 0;
        size_t memory = 0;
        check(cuDeviceGetAttribute(&major, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR, candidate));
        check(cuDeviceGetAttribute(&minor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR, candidate));
        check(cuDeviceTotalMem_v2(&memory, candidate));
        return (major > prop->major || (major == prop->major && minor >= prop->minor)) &&
               memory >= prop->totalGlobalMem;
    };
    *device = 0;
    for (int candidate = 0; candidate < count; ++candidate)
        if (fits(candidate)) {
            *device = candidate;
            return;
        }
}

void cudaDeviceGetTexture1DLinearMaxWidth(size_t* maxWidthInElements, const cudaChannelFormatDesc* fmtDesc,
                                          int device) {
    require(fmtDesc, cudaErrorInvalidValue);
    const ElementFormat element = format_of(*fmtDesc);
    check(cuDeviceGetTexture1DLinearMaxWidth(maxWidthInElements, element.format, element.channels, device));
}

// Only of CUDA 13, as are functions of like name in the driver API.
void cudaLogsCurrent(cudaLogIterator* iterator_out, unsigned int flags) { check(cuLogsCurrent(iterator_out, flags)); }

void cudaLogsDumpToFile(cudaLogIterator* iterator, const char* pathToFile, unsigned int flags) {
    check(cuLogsDumpToFile(iterator, pathToFile, flags));
}

void cudaLogsDumpToMemory(cudaLogIterator* iterator, char* buffer, size_t* size, unsigned int flags) {
    check(cuLogsDumpToMemory(iterator, buffer, size, flags));
}

void cudaLogsRegisterCallback(cudaLogsCallback_t callbackFunc, void* userData, cudaLogsCallbackHandle* callback_out) {
    check(cuLogsRegisterCallback(callbackFunc, userData, callback_out));
}

void cudaLogsUnregisterCallback(cudaLogsCallbackHandle callback) { check(cuLogsUnregisterCallback(callback)); }

} // namespace cudart::body
