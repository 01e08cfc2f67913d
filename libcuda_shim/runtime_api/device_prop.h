#pragma once

#include "runtime_api/types.h"

namespace cudart {

// What CUDA 13 took out, and what it put in.
#if CUTTLE_CUDART_VERSION >= 13000
#define UNTIL_12(members)
#define SINCE_13(members) members
#else
#define UNTIL_12(members) members
#define SINCE_13(members)
#endif

struct cudaDeviceProp {
    char name[256];
    cudaUUID_t uuid;
    char luid[8];
    unsigned int luidDeviceNodeMask;
    size_t totalGlobalMem, sharedMemPerBlock;
    int regsPerBlock, warpSize;
    size_t memPitch;
    int maxThreadsPerBlock, maxThreadsDim[3], maxGridSize[3];
    UNTIL_12(int clockRate;)
    size_t totalConstMem;
    int major, minor;
    size_t textureAlignment, texturePitchAlignment;
    UNTIL_12(int deviceOverlap;)
    int multiProcessorCount;
    UNTIL_12(int kernelExecTimeoutEnabled;)
    int integrated, canMapHostMemory;
    UNTIL_12(int computeMode;)
    int maxTexture1D, maxTexture1DMipmap;
    UNTIL_12(int maxTexture1DLinear;)
    int maxTexture2D[2], maxTexture2DMipmap[2], maxTexture2DLinear[3];
    int maxTexture2DGather[2], maxTexture3D[3], maxTexture3DAlt[3], maxTextureCubemap, maxTexture1DLayered[2];
    int maxTexture2DLayered[3], maxTextureCubemapLayered[2];
    int maxSurface1D, maxSurface2D[2], maxSurface3D[3], maxSurface1DLayered[2], maxSurface2DLayered[3];
    int maxSurfaceCubemap, maxSurfaceCubemapLayered[2];
    size_t surfaceAlignment;
    int concurrentKernels, ECCEnabled, pciBusID, pciDeviceID, pciDomainID, tccDriver, asyncEngineCount;
    int unifiedAddressing;
    UNTIL_12(int memoryClockRate;)
    int memoryBusWidth, l2CacheSize, persistingL2CacheMaxSize, maxThreadsPerMultiProcessor;
    int streamPrioritiesSupported, globalL1CacheSupported, localL1CacheSupported;
    size_t sharedMemPerMultiprocessor;
    int regsPerMultiprocessor, managedMemory, isMultiGpuBoard, multiGpuBoardGroupID, hostNativeAtomicSupported;
    UNTIL_12(int singleToDoublePrecisionPerfRatio;)
    int pageableMemoryAccess, concurrentManagedAccess, computePreemptionSupported, canUseHostPointerForRegisteredMem;
    int cooperativeLaunch;
    UNTIL_12(int cooperativeMultiDeviceLaunch;)
    size_t sharedMemPerBlockOptin;
    int pageableMemoryAccessUsesHostPageTables, directManagedMemAccessFromHost, maxBlocksPerMultiProcessor;
    int accessPolicyMaxWindowSize;
    size_t reservedSharedMemPerBlock;
    int hostRegisterSupported, sparseCudaArraySupported, hostRegisterReadOnlySupported;
    int timelineSemaphoreInteropSupported, memoryPoolsSupported, gpuDirectRDMASupported;
    unsigned int gpuDirectRDMAFlushWritesOptions;
    int gpuDirectRDMAWritesOrdering;
    unsigned int memoryPoolSupportedHandleTypes;
    int deferredMappingCudaArraySupported, ipcEventSupported, clusterLaunch, unifiedFunctionPointers;
    SINCE_13(int deviceNumaConfig; int deviceNumaId; int mpsEnabled; int hostNumaId; unsigned int gpuPciDeviceID;
             unsigned int gpuPciSubsystemID; int hostNumaMultinodeIpcSupported; int reserved[56];)
    UNTIL_12(int reserved[63];)
};

#undef UNTIL_12
#undef SINCE_13

#if CUTTLE_CUDART_VERSION < 13000
/// What CUDA 11 calls cudaDeviceProp: CUDA 12 added members at its end.
struct cudaDeviceProp_v1 {
    unsigned char bytes[offsetof(cudaDeviceProp, hostRegisterSupported)];
};
#else
struct cudaDeviceProp_v1;
#endif

} // namespace cudart
