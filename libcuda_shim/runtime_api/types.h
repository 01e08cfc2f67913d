#pragma once

#include "api/types.h"

#include <cstddef>

#ifndef CUTTLE_CUDART_VERSION
#error "set CUTTLE_CUDART_VERSION: 11080, 12090 or 13000"
#endif

/// The runtime API's binary interface, declared by ourselves over the driver API's: names, numbers and layouts are
/// those of driver_types.h and texture_types.h of CUTTLE_CUDART_VERSION. Handles of both are the same pointers (CUDA
/// runtime API, Interactions with the CUDA Driver API). tests/api compares all of it with the real headers.
namespace cudart {
using namespace shim;

using cudaError_t = int;
using cudaStream_t = CUstream;
using cudaEvent_t = CUevent;
using cudaArray_t = CUarray;
using cudaArray_const_t = CUarray;
using cudaMipmappedArray_t = CUmipmappedArray;
using cudaMipmappedArray_const_t = CUmipmappedArray;
using cudaGraph_t = CUgraph;
using cudaGraphNode_t = CUgraphNode;
using cudaGraphExec_t = CUgraphExec;
using cudaGraphConditionalHandle = CUgraphConditionalHandle;
using cudaMemPool_t = CUmemoryPool;
using cudaKernel_t = CUkernel;
using cudaUserObject_t = CUuserObject;
using cudaLibrary_t = CUlibrary;
using cudaExternalMemory_t = CUexternalMemory;
using cudaExternalSemaphore_t = CUexternalSemaphore;
using cudaLogIterator = CUlogIterator;
using cudaLogsCallback_t = CUlogsCallback;
using cudaArraySparseProperties = CUDA_ARRAY_SPARSE_PROPERTIES;
using cudaEglFrame = CUeglFrame;
using cudaFlushGPUDirectRDMAWritesScope = CUflushGPUDirectRDMAWritesScope;
using cudaFlushGPUDirectRDMAWritesTarget = CUflushGPUDirectRDMAWritesTarget;
using cudaGraphicsResource_t = CUgraphicsResource;
using cudaOutputMode_t = CUoutput_mode;
using cudaAtomicOperation = CUatomicOperation;
using cudaAsyncCallback = CUasyncCallback;
using cudaAsyncCallbackHandle_t = CUasyncCallbackHandle;
using cudaLogsCallbackHandle = CUlogsCallbackHandle;
using cudaFunction_t = CUfunction;
using cudaTextureObject_t = CUtexObject;
using cudaSurfaceObject_t = CUsurfObject;
using cudaHostFn_t = CUhostFn;
using cudaStreamCallback_t = void (*)(cudaStream_t stream, cudaError_t status, void* data);
using cudaIpcEventHandle_t = CUipcEventHandle;
using cudaIpcMemHandle_t = CUipcMemHandle;
using cudaUUID_t = CUuuid;

// Enumerations whose numbers the driver API shares.
using cudaDeviceAttr = CUdevice_attribute;
using cudaDeviceP2PAttr = CUdevice_P2PAttribute;
using cudaDriverEntryPointQueryResult = CUdriverProcAddressQueryResult;
using cudaFuncAttribute = CUfunction_attribute;
using cudaFuncCache = CUfunc_cache;
using cudaGraphExecUpdateResult = CUgraphExecUpdateResult;
using cudaGraphMemAttributeType = CUgraphMem_attribute;
using cudaGraphNodeType = CUgraphNodeType;
using cudaJitOption = CUjit_option;
using cudaLaunchAttributeID = CUlaunchAttributeID;
using cudaLibraryOption = CUlibraryOption;
using cudaLimit = CUlimit;
using cudaMemAccessFlags = CUmemAccess_flags;
using cudaMemAllocationHandleType = CUmemAllocationHandleType;
using cudaMemAllocationType = CUmemAllocationType;
using cudaMemPoolAttr = CUmemPool_attribute;
using cudaMemRangeAttribute = CUmem_range_attribute;
using cudaMemoryAdvise = CUmem_advise;
using cudaResourceViewFormat = CUresourceViewFormat;
using cudaSharedMemConfig = CUsharedconfig;
using cudaStreamCaptureMode = CUstreamCaptureMode;
using cudaStreamCaptureStatus = CUstreamCaptureStatus;
using cudaTextureAddressMode = CUaddress_mode;
using cudaTextureFilterMode = CUfilter_mode;

// Structures that are the driver API's under another name.
using cudaGraphEdgeData = CUgraphEdgeData;
using cudaGraphExecUpdateResultInfo = CUgraphExecUpdateResultInfo;
using cudaGraphInstantiateParams = CUDA_GRAPH_INSTANTIATE_PARAMS;
using cudaHostNodeParams = CUDA_HOST_NODE_PARAMS;
using cudaLaunchAttribute = CUlaunchAttribute;
using cudaLaunchAttributeValue = CUlaunchAttributeValue;
using cudaMemAccessDesc = CUmemAccessDesc;
using cudaMemLocation = CUmemLocation;
using cudaMemPoolProps = CUmemPoolProps;
using cudaMemPoolPtrExportData = CUmemPoolPtrExportData;
using cudaMemsetParams = CUDA_MEMSET_NODE_PARAMS;
using cudaMemAllocNodeParams = CUDA_MEM_ALLOC_NODE_PARAMS;
using cudaArrayMemoryRequirements = CUDA_ARRAY_MEMORY_REQUIREMENTS;
using cudaMemcpyAttributes = CUmemcpyAttributes;
using cudaMemcpy3DBatchOp = CUDA_MEMCPY3D_BATCH_OP;
using cudaExternalSemaphoreSignalParams = CUDA_EXTERNAL_SEMAPHORE_SIGNAL_PARAMS;
using cudaExternalSemaphoreWaitParams = CUDA_EXTERNAL_SEMAPHORE_WAIT_PARAMS;
using cudaExternalSemaphoreSignalNodeParams = CUDA_EXT_SEM_SIGNAL_NODE_PARAMS;
using cudaExternalSemaphoreWaitNodeParams = CUDA_EXT_SEM_WAIT_NODE_PARAMS;

enum cudaMemcpyKind : int { // NOLINT: the ABI's name
    cudaMemcpyHostToHost,
    cudaMemcpyHostToDevice,
    cudaMemcpyDeviceToHost,
    cudaMemcpyDeviceToDevice,
    cudaMemcpyDefault,
};

enum cudaChannelFormatKind : int { // NOLINT: the ABI's name
    cudaChannelFormatKindSigned,
    cudaChannelFormatKindUnsigned,
    cudaChannelFormatKindFloat,
    cudaChannelFormatKindNone,
};

enum : cudaError_t {
#define RT_ERROR(number, name, text) name = number,
#include "runtime_api/errors.def"
#undef RT_ERROR
};

struct dim3 {
    unsigned int x, y, z;
};

struct cudaExtent {
    size_t width, height, depth;
};

struct cudaPos {
    size_t x, y, z;
};

struct cudaPitchedPtr {
    void* ptr;
    size_t pitch, xsize, ysize;
};

/// Bits of each channel.
struct cudaChannelFormatDesc {
    int x, y, z, w;
    cudaChannelFormatKind f;
};

struct cudaMemcpy3DParms {
    cudaArray_t srcArray;
    cudaPos srcPos;
    cudaPitchedPtr srcPtr;
    cudaArray_t dstArray;
    cudaPos dstPos;
    cudaPitchedPtr dstPtr;
    cudaExtent extent;
    cudaMemcpyKind kind;
};

struct cudaMemcpy3DPeerParms {
    cudaArray_t srcArray;
    cudaPos srcPos;
    cudaPitchedPtr srcPtr;
    int srcDevice;
    cudaArray_t dstArray;
    cudaPos dstPos;
    cudaPitchedPtr dstPtr;
    int dstDevice;
    cudaExtent extent;
};

struct cudaExternalMemoryHandleDesc {
    int type;
    CUexternalHandle handle;
    unsigned long long size;
    unsigned int flags;
#if CUTTLE_CUDART_VERSION >= 13000
    unsigned int reserved[16];
#endif
};

struct cudaExternalMemoryBufferDesc {
    unsigned long long offset, size;
    unsigned int flags;
#if CUTTLE_CUDART_VERSION >= 13000
    unsigned int reserved[16];
#endif
};

struct cudaExternalMemoryMipmappedArrayDesc {
    unsigned long long offset;
    cudaChannelFormatDesc formatDesc;
    cudaExtent extent;
    unsigned int flags, numLevels;
#if CUTTLE_CUDART_VERSION >= 13000
    unsigned int reserved[16];
#endif
};

struct cudaExternalSemaphoreHandleDesc {
    int type;
    CUexternalHandle handle;
    unsigned int flags;
#if CUTTLE_CUDART_VERSION >= 13000
    unsigned int reserved[16];
#endif
};

/// Before CUDA 11.2.
struct cudaExternalSemaphoreSignalParams_v1 {
    struct {
        struct {
            unsigned long long value;
        } fence;
        unsigned long long nvSciSync;
        struct {
            unsigned long long key;
        } keyedMutex;
    } params;
    unsigned int flags;
};

struct cudaExternalSemaphoreWaitParams_v1 {
    struct {
        struct {
            unsigned long long value;
        } fence;
        unsigned long long nvSciSync;
        struct {
            unsigned long long key;
            unsigned int timeoutMs;
        } keyedMutex;
    } params;
    unsigned int flags;
};

struct cudaPointerAttributes {
    int type; ///< 0 unregistered, 1 host, 2 device, 3 managed
    int device;
    void *devicePointer, *hostPointer;
#if CUTTLE_CUDART_VERSION >= 13000
    long reserved[8];
#endif
};

struct cudaFuncAttributes {
    size_t sharedSizeBytes, constSizeBytes, localSizeBytes;
    int maxThreadsPerBlock, numRegs, ptxVersion, binaryVersion, cacheModeCA, maxDynamicSharedSizeBytes;
    int preferredShmemCarveout, clusterDimMustBeSet, requiredClusterWidth, requiredClusterHeight, requiredClusterDepth;
    int clusterSchedulingPolicyPreference, nonPortableClusterSizeAllowed, reserved[16];
};

struct cudaLaunchParams {
    void* func;
    dim3 gridDim, blockDim;
    void** args;
    size_t sharedMem;
    cudaStream_t stream;
};

struct cudaLaunchConfig_t {
    dim3 gridDim, blockDim;
    size_t dynamicSmemBytes;
    cudaStream_t stream;
    cudaLaunchAttribute* attrs;
    unsigned int numAttrs;
};

struct cudaKernelNodeParams {
    void* func;
    dim3 gridDim, blockDim;
    unsigned int sharedMemBytes;
    void **kernelParams, **extra;
};

/// Since CUDA 12. Where it has the driver's members, those are used.
struct cudaGraphNodeParams {
    cudaGraphNodeType type;
    int reserved0[3];
    union {
        long long reserved1[29];
        cudaKernelNodeParams kernel;
        struct {
            int flags, reserved[3];
            cudaMemcpy3DParms copyParams;
        } memcpy;
        struct {
            void* dst;
            size_t pitch;
            unsigned int value, elementSize;
            size_t width, height;
        } memset;
        cudaHostNodeParams host;
        struct {
            cudaGraph_t graph;
            int ownership;
        } graph;
        struct {
            cudaEvent_t event;
        } eventWait, eventRecord;
        cudaExternalSemaphoreSignalNodeParams extSemSignal;
        cudaExternalSemaphoreWaitNodeParams extSemWait;
        cudaMemAllocNodeParams alloc;
        struct {
            void* dptr;
        } free;
        struct {
            cudaGraphConditionalHandle handle;
            int type;
            unsigned int size;
            cudaGraph_t* phGraph_out;
        } conditional;
    };
    long long reserved2;
};

struct cudaResourceDesc {
    int resType; ///< as CUresourcetype
    union {
        struct {
            cudaArray_t array;
        } array;
        struct {
            cudaMipmappedArray_t mipmap;
        } mipmap;
        struct {
            void* devPtr;
            cudaChannelFormatDesc desc;
            size_t sizeInBytes;
        } linear;
        struct {
            void* devPtr;
            cudaChannelFormatDesc desc;
            size_t width, height, pitchInBytes;
        } pitch2D;
#if CUTTLE_CUDART_VERSION >= 13000
        int reserved[32];
#endif
    } res;
#if CUTTLE_CUDART_VERSION >= 13000
    unsigned int flags;
#endif
};

#if CUTTLE_CUDART_VERSION >= 13000
using cudaResourceViewDesc = CUDA_RESOURCE_VIEW_DESC;
#else
struct cudaResourceViewDesc {
    CUresourceViewFormat format;
    size_t width, height, depth;
    unsigned int firstMipmapLevel, lastMipmapLevel, firstLayer, lastLayer;
};
#endif

struct cudaTextureDesc {
    cudaTextureAddressMode addressMode[3];
    cudaTextureFilterMode filterMode;
    int readMode; ///< 0 as the element's type, 1 as normalised floats
    int sRGB;
    float borderColor[4];
    int normalizedCoords;
    unsigned int maxAnisotropy;
    cudaTextureFilterMode mipmapFilterMode;
    float mipmapLevelBias, minMipmapLevelClamp, maxMipmapLevelClamp;
    int disableTrilinearOptimization, seamlessCubemap;
};

/// What CUDA 11 calls cudaTextureDesc.
struct cudaTextureDesc_v1 {
    unsigned char bytes[offsetof(cudaTextureDesc, seamlessCubemap)];
};

/// What CUDA 11 calls cudaFuncAttributes.
struct cudaFuncAttributes_v1 {
    unsigned char bytes[offsetof(cudaFuncAttributes, clusterDimMustBeSet)];
};

/// Texture and surface references, CUDA 11's texture_types.h and surface_types.h.
struct textureReference {
    int normalized;
    cudaTextureFilterMode filterMode;
    cudaTextureAddressMode addressMode[3];
    cudaChannelFormatDesc channelDesc;
    int sRGB;
    unsigned int maxAnisotropy;
    cudaTextureFilterMode mipmapFilterMode;
    float mipmapLevelBias, minMipmapLevelClamp, maxMipmapLevelClamp;
    int disableTrilinearOptimization, reserved[14];
};

struct surfaceReference {
    cudaChannelFormatDesc channelDesc;
};

} // namespace cudart

#include "runtime_api/device_prop.h"
