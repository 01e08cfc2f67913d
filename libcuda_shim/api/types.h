#pragma once

#include <cstddef>
#include <cstdint>

/// The driver API's binary interface, declared by ourselves: names, numbers and layouts are those of cuda.h 13.
/// Only what a body touches has a layout; the rest is opaque. tests/api compares all of it with a real cuda.h.
namespace shim {

using CUresult = int32_t;
using CUdevice = int;
using CUdeviceptr = unsigned long long;
using CUdeviceptr_v1 = unsigned int;
using cuuint32_t = uint32_t;
using cuuint64_t = uint64_t;
using CUtexObject = unsigned long long;
using CUsurfObject = unsigned long long;
using CUgraphConditionalHandle = cuuint64_t;
using CUmemGenericAllocationHandle = unsigned long long;
using CUlogIterator = unsigned int;

// Handles: what they point to is ours to choose.
#define CU_HANDLE(name) using name = struct name##_object*;
CU_HANDLE(CUcontext)
CU_HANDLE(CUmodule)
CU_HANDLE(CUfunction)
CU_HANDLE(CUlibrary)
CU_HANDLE(CUkernel)
CU_HANDLE(CUarray)
CU_HANDLE(CUmipmappedArray)
CU_HANDLE(CUtexref)
CU_HANDLE(CUsurfref)
CU_HANDLE(CUevent)
CU_HANDLE(CUstream)
CU_HANDLE(CUgraphicsResource)
CU_HANDLE(CUexternalMemory)
CU_HANDLE(CUexternalSemaphore)
CU_HANDLE(CUgraph)
CU_HANDLE(CUgraphNode)
CU_HANDLE(CUgraphExec)
CU_HANDLE(CUgraphDeviceNode)
CU_HANDLE(CUmemoryPool)
CU_HANDLE(CUuserObject)
CU_HANDLE(CUlinkState)
CU_HANDLE(CUgreenCtx)
CU_HANDLE(CUdevResourceDesc)
CU_HANDLE(CUasyncCallbackHandle)
CU_HANDLE(CUlogsCallbackHandle)
CU_HANDLE(CUeglStreamConnection)
#undef CU_HANDLE

// Enumerations are ints at the ABI; the values that we use follow below.
#define CU_ENUM(name) using name = int;
CU_ENUM(CUaddress_mode)
CU_ENUM(CUarray_format)
CU_ENUM(CUatomicOperation)
CU_ENUM(CUcoredumpSettings)
CU_ENUM(CUdevResourceType)
CU_ENUM(CUdevice_P2PAttribute)
CU_ENUM(CUdevice_attribute)
CU_ENUM(CUdriverProcAddressQueryResult)
CU_ENUM(CUexecAffinityType)
CU_ENUM(CUfilter_mode)
CU_ENUM(CUflushGPUDirectRDMAWritesScope)
CU_ENUM(CUflushGPUDirectRDMAWritesTarget)
CU_ENUM(CUfunc_cache)
CU_ENUM(CUfunctionLoadingState)
CU_ENUM(CUfunction_attribute)
CU_ENUM(CUgraphExecUpdateResult)
CU_ENUM(CUgraphInstantiateResult)
CU_ENUM(CUgraphMem_attribute)
CU_ENUM(CUgraphNodeType)
CU_ENUM(CUjitInputType)
CU_ENUM(CUjit_option)
CU_ENUM(CUlaunchAttributeID)
CU_ENUM(CUlibraryOption)
CU_ENUM(CUlimit)
CU_ENUM(CUlogLevel)
CU_ENUM(CUmemAccess_flags)
CU_ENUM(CUmemAllocationGranularity_flags)
CU_ENUM(CUmemAllocationHandleType)
CU_ENUM(CUmemAllocationType)
CU_ENUM(CUmemLocationType)
CU_ENUM(CUmemPool_attribute)
CU_ENUM(CUmemRangeHandleType)
CU_ENUM(CUmem_advise)
CU_ENUM(CUmem_range_attribute)
CU_ENUM(CUmemcpy3DOperandType)
CU_ENUM(CUmemcpySrcAccessOrder)
CU_ENUM(CUmemorytype)
CU_ENUM(CUmoduleLoadingMode)
CU_ENUM(CUmulticastGranularity_flags)
CU_ENUM(CUoutput_mode)
CU_ENUM(CUpointer_attribute)
CU_ENUM(CUprocessState)
CU_ENUM(CUresourceViewFormat)
CU_ENUM(CUresourcetype)
CU_ENUM(CUsharedconfig)
CU_ENUM(CUstreamBatchMemOpType)
CU_ENUM(CUstreamCaptureMode)
CU_ENUM(CUstreamCaptureStatus)
CU_ENUM(CUtensorMapDataType)
CU_ENUM(CUtensorMapFloatOOBfill)
CU_ENUM(CUtensorMapIm2ColWideMode)
CU_ENUM(CUtensorMapInterleave)
CU_ENUM(CUtensorMapL2promotion)
CU_ENUM(CUtensorMapSwizzle)
CU_ENUM(CUGLDeviceList)
CU_ENUM(EGLint)
#undef CU_ENUM
using CUkernelNodeAttrID = CUlaunchAttributeID;
using CUstreamAttrID = CUlaunchAttributeID;

// Structures that no body looks into yet.
struct CU_DEV_SM_RESOURCE_GROUP_PARAMS;
struct CUarrayMapInfo;
struct CUasyncNotificationInfo;
struct CUcheckpointCheckpointArgs;
struct CUcheckpointLockArgs;
struct CUcheckpointRestoreArgs;
struct CUcheckpointUnlockArgs;
struct CUctxCigParam;
struct CUmemDecompressParams;
struct CUmulticastObjectProp;
union CUlaunchAttributeValue;
using CUkernelNodeAttrValue = CUlaunchAttributeValue;
using CUstreamAttrValue = CUlaunchAttributeValue;

// Other interfaces' types, in the prototypes of interoperability only.
using GLuint = unsigned int;
using GLenum = unsigned int;
using EGLImageKHR = void*;
using EGLStreamKHR = void*;
using EGLSyncKHR = void*;
using VdpDevice = uint32_t;
using VdpOutputSurface = uint32_t;
using VdpVideoSurface = uint32_t;
using VdpGetProcAddress = int(VdpDevice device, uint32_t function, void** pointer);

using CUasyncCallback = void (*)(CUasyncNotificationInfo* info, void* data, CUasyncCallbackHandle handle);
using CUhostFn = void (*)(void* data);
using CUlogsCallback = void (*)(void* data, CUlogLevel level, char* message, size_t length);
using CUoccupancyB2DSize = size_t (*)(int block_size);
using CUstreamCallback = void (*)(CUstream stream, CUresult status, void* data);

struct CUuuid {
    char bytes[16];
};

struct CUipcEventHandle {
    char reserved[64];
};

struct CUipcMemHandle {
    char reserved[64];
};

struct CUeglFrame {
    void* planes[3];
    unsigned int width, height, depth, pitch, planeCount, numChannels;
    int frameType, eglColorFormat, cuFormat;
};

struct CUdevprop {
    int maxThreadsPerBlock, maxThreadsDim[3], maxGridSize[3];
    int sharedMemPerBlock, totalConstantMemory, SIMDWidth, memPitch, regsPerBlock, clockRate, textureAlign;
};

struct CUdevSmResource {
    unsigned int smCount, minSmPartitionSize, smCoscheduledAlignment;
};

/// What is between `type` and `sm` is ours to choose.
struct CUdevResource {
    CUdevResourceType type;
    unsigned char internal[92];
    union {
        CUdevSmResource sm;
        unsigned char reserved[48];
    };
};

struct CUexecAffinityParam {
    CUexecAffinityType type;
    unsigned int smCount;
};

struct CUctxCreateParams {
    CUexecAffinityParam* execAffinityParams;
    int numExecAffinityParams;
    CUctxCigParam* cigParams;
};

struct CUDA_MEMCPY2D {
    size_t srcXInBytes, srcY;
    CUmemorytype srcMemoryType;
    const void* srcHost;
    CUdeviceptr srcDevice;
    CUarray srcArray;
    size_t srcPitch;
    size_t dstXInBytes, dstY;
    CUmemorytype dstMemoryType;
    void* dstHost;
    CUdeviceptr dstDevice;
    CUarray dstArray;
    size_t dstPitch;
    size_t WidthInBytes, Height;
};

struct CUDA_MEMCPY3D {
    size_t srcXInBytes, srcY, srcZ, srcLOD;
    CUmemorytype srcMemoryType;
    const void* srcHost;
    CUdeviceptr srcDevice;
    CUarray srcArray;
    void* reserved0;
    size_t srcPitch, srcHeight;
    size_t dstXInBytes, dstY, dstZ, dstLOD;
    CUmemorytype dstMemoryType;
    void* dstHost;
    CUdeviceptr dstDevice;
    CUarray dstArray;
    void* reserved1;
    size_t dstPitch, dstHeight;
    size_t WidthInBytes, Height, Depth;
};

/// As CUDA_MEMCPY3D, with a context where that has reserved words.
struct CUDA_MEMCPY3D_PEER {
    size_t srcXInBytes, srcY, srcZ, srcLOD;
    CUmemorytype srcMemoryType;
    const void* srcHost;
    CUdeviceptr srcDevice;
    CUarray srcArray;
    CUcontext srcContext;
    size_t srcPitch, srcHeight;
    size_t dstXInBytes, dstY, dstZ, dstLOD;
    CUmemorytype dstMemoryType;
    void* dstHost;
    CUdeviceptr dstDevice;
    CUarray dstArray;
    CUcontext dstContext;
    size_t dstPitch, dstHeight;
    size_t WidthInBytes, Height, Depth;
};

/// The descriptors of CUDA 2, with 32-bit sizes and addresses.
struct CUDA_MEMCPY2D_v1 {
    unsigned int srcXInBytes, srcY;
    CUmemorytype srcMemoryType;
    const void* srcHost;
    CUdeviceptr_v1 srcDevice;
    CUarray srcArray;
    unsigned int srcPitch;
    unsigned int dstXInBytes, dstY;
    CUmemorytype dstMemoryType;
    void* dstHost;
    CUdeviceptr_v1 dstDevice;
    CUarray dstArray;
    unsigned int dstPitch;
    unsigned int WidthInBytes, Height;
};

struct CUDA_MEMCPY3D_v1 {
    unsigned int srcXInBytes, srcY, srcZ, srcLOD;
    CUmemorytype srcMemoryType;
    const void* srcHost;
    CUdeviceptr_v1 srcDevice;
    CUarray srcArray;
    void* reserved0;
    unsigned int srcPitch, srcHeight;
    unsigned int dstXInBytes, dstY, dstZ, dstLOD;
    CUmemorytype dstMemoryType;
    void* dstHost;
    CUdeviceptr_v1 dstDevice;
    CUarray dstArray;
    void* reserved1;
    unsigned int dstPitch, dstHeight;
    unsigned int WidthInBytes, Height, Depth;
};

struct CUDA_ARRAY_DESCRIPTOR {
    size_t Width, Height;
    CUarray_format Format;
    unsigned int NumChannels;
};

struct CUDA_ARRAY_DESCRIPTOR_v1 {
    unsigned int Width, Height;
    CUarray_format Format;
    unsigned int NumChannels;
};

struct CUDA_ARRAY3D_DESCRIPTOR {
    size_t Width, Height, Depth;
    CUarray_format Format;
    unsigned int NumChannels, Flags;
};

struct CUDA_ARRAY3D_DESCRIPTOR_v1 {
    unsigned int Width, Height, Depth;
    CUarray_format Format;
    unsigned int NumChannels, Flags;
};

struct CUDA_ARRAY_MEMORY_REQUIREMENTS {
    size_t size, alignment;
    unsigned int reserved[4];
};

struct CUDA_ARRAY_SPARSE_PROPERTIES {
    struct {
        unsigned int width, height, depth;
    } tileExtent;
    unsigned int miptailFirstLevel;
    unsigned long long miptailSize;
    unsigned int flags, reserved[4];
};

struct CUDA_RESOURCE_DESC {
    CUresourcetype resType;
    union {
        struct {
            CUarray hArray;
        } array;
        struct {
            CUmipmappedArray hMipmappedArray;
        } mipmap;
        struct {
            CUdeviceptr devPtr;
            CUarray_format format;
            unsigned int numChannels;
            size_t sizeInBytes;
        } linear;
        struct {
            CUdeviceptr devPtr;
            CUarray_format format;
            unsigned int numChannels;
            size_t width, height, pitchInBytes;
        } pitch2D;
        int reserved[32];
    } res;
    unsigned int flags;
};

struct CUDA_TEXTURE_DESC {
    CUaddress_mode addressMode[3];
    CUfilter_mode filterMode;
    unsigned int flags, maxAnisotropy;
    CUfilter_mode mipmapFilterMode;
    float mipmapLevelBias, minMipmapLevelClamp, maxMipmapLevelClamp, borderColor[4];
    int reserved[12];
};

struct CUDA_RESOURCE_VIEW_DESC {
    CUresourceViewFormat format;
    size_t width, height, depth;
    unsigned int firstMipmapLevel, lastMipmapLevel, firstLayer, lastLayer, reserved[16];
};

struct CUmemLocation {
    CUmemLocationType type;
    int id;
};

struct CUmemcpyAttributes {
    CUmemcpySrcAccessOrder srcAccessOrder;
    CUmemLocation srcLocHint, dstLocHint;
    unsigned int flags;
};

struct CUextent3D {
    size_t width, height, depth;
};

struct CUoffset3D {
    size_t x, y, z;
};

struct CUmemcpy3DOperand {
    CUmemcpy3DOperandType type;
    union {
        struct {
            CUdeviceptr ptr;
            size_t rowLength, layerHeight; ///< 0: as the box
            CUmemLocation locHint;
        } ptr;
        struct {
            CUarray array;
            CUoffset3D offset;
        } array;
    } op;
};

struct CUDA_MEMCPY3D_BATCH_OP {
    CUmemcpy3DOperand src, dst;
    CUextent3D extent;
    CUmemcpySrcAccessOrder srcAccessOrder;
    unsigned int flags;
};

struct CUmemPoolProps {
    CUmemAllocationType allocType;
    CUmemAllocationHandleType handleTypes;
    CUmemLocation location;
    void* win32SecurityAttributes;
    size_t maxSize;
    unsigned short usage;
    unsigned char reserved[54];
};

struct CUmemAllocationProp {
    CUmemAllocationType type;
    CUmemAllocationHandleType requestedHandleTypes;
    CUmemLocation location;
    void* win32HandleMetaData;
    struct {
        unsigned char compressionType, gpuDirectRDMACapable;
        unsigned short usage;
        unsigned char reserved[4];
    } allocFlags;
};

struct CUmemAccessDesc {
    CUmemLocation location;
    CUmemAccess_flags flags;
};

struct CUmemPoolPtrExportData {
    unsigned char reserved[64];
};

struct alignas(64) CUtensorMap {
    cuuint64_t opaque[16];
};

struct CUaccessPolicyWindow {
    void* base_ptr;
    size_t num_bytes;
    float hitRatio;
    int hitProp, missProp; ///< CUaccessProperty
};

union CUlaunchAttributeValue {
    char pad[64];
    CUaccessPolicyWindow accessPolicyWindow;
    int syncPolicy; ///< CUsynchronizationPolicy
    struct {
        unsigned char default_, remote;
    } memSyncDomainMap;
    int memSyncDomain; ///< CUlaunchMemSyncDomain
    int cooperative;
    struct {
        unsigned int x, y, z;
    } clusterDim;
    int programmaticStreamSerializationAllowed;
    struct {
        CUevent event;
        int flags;
        int triggerAtBlockStart;
    } programmaticEvent;
    struct {
        CUevent event;
        int flags;
    } launchCompletionEvent;
    int priority;
    unsigned int sharedMemCarveout;
    struct {
        int deviceUpdatable;
        CUgraphDeviceNode devNode;
    } deviceUpdatableKernelNode;
};

struct CUlaunchAttribute {
    CUlaunchAttributeID id;
    char pad[4];
    CUlaunchAttributeValue value;
};

struct CUDA_LAUNCH_PARAMS {
    CUfunction function;
    unsigned int gridDimX, gridDimY, gridDimZ;
    unsigned int blockDimX, blockDimY, blockDimZ;
    unsigned int sharedMemBytes;
    CUstream hStream;
    void** kernelParams;
};

struct CUlaunchConfig {
    unsigned int gridDimX, gridDimY, gridDimZ;
    unsigned int blockDimX, blockDimY, blockDimZ;
    unsigned int sharedMemBytes;
    CUstream hStream;
    CUlaunchAttribute* attrs;
    unsigned int numAttrs;
};

struct CUDA_KERNEL_NODE_PARAMS_v1 {
    CUfunction func;
    unsigned int gridDimX, gridDimY, gridDimZ;
    unsigned int blockDimX, blockDimY, blockDimZ;
    unsigned int sharedMemBytes;
    void** kernelParams;
    void** extra;
};

struct CUDA_KERNEL_NODE_PARAMS {
    CUfunction func;
    unsigned int gridDimX, gridDimY, gridDimZ;
    unsigned int blockDimX, blockDimY, blockDimZ;
    unsigned int sharedMemBytes;
    void** kernelParams;
    void** extra;
    CUkernel kern;
    CUcontext ctx;
};

struct CUDA_MEMSET_NODE_PARAMS {
    CUdeviceptr dst;
    size_t pitch;
    unsigned int value, elementSize;
    size_t width, height;
};

struct CUDA_HOST_NODE_PARAMS {
    CUhostFn fn;
    void* userData;
};

struct CUDA_MEM_ALLOC_NODE_PARAMS {
    CUmemPoolProps poolProps;
    const CUmemAccessDesc* accessDescs;
    size_t accessDescCount, bytesize;
    CUdeviceptr dptr;
};

/// A descriptor of memory, or of a semaphore, of another interface: Linux has file descriptors.
union CUexternalHandle {
    int fd;
    struct {
        void* handle;
        const void* name;
    } win32;
    const void* nvSciObject;
};

struct CUDA_EXTERNAL_MEMORY_HANDLE_DESC {
    int type; ///< CUexternalMemoryHandleType
    CUexternalHandle handle;
    unsigned long long size;
    unsigned int flags, reserved[16];
};

struct CUDA_EXTERNAL_MEMORY_BUFFER_DESC {
    unsigned long long offset, size;
    unsigned int flags, reserved[16];
};

struct CUDA_EXTERNAL_MEMORY_MIPMAPPED_ARRAY_DESC {
    unsigned long long offset;
    CUDA_ARRAY3D_DESCRIPTOR arrayDesc;
    unsigned int numLevels, reserved[16];
};

struct CUDA_EXTERNAL_SEMAPHORE_HANDLE_DESC {
    int type; ///< CUexternalSemaphoreHandleType
    CUexternalHandle handle;
    unsigned int flags, reserved[16];
};

struct CUDA_EXTERNAL_SEMAPHORE_SIGNAL_PARAMS {
    struct {
        struct {
            unsigned long long value;
        } fence;
        unsigned long long nvSciSync;
        struct {
            unsigned long long key;
        } keyedMutex;
        unsigned int reserved[12];
    } params;
    unsigned int flags, reserved[16];
};

struct CUDA_EXTERNAL_SEMAPHORE_WAIT_PARAMS {
    struct {
        struct {
            unsigned long long value;
        } fence;
        unsigned long long nvSciSync;
        struct {
            unsigned long long key;
            unsigned int timeoutMs;
        } keyedMutex;
        unsigned int reserved[10];
    } params;
    unsigned int flags, reserved[16];
};

struct CUDA_EXT_SEM_SIGNAL_NODE_PARAMS {
    CUexternalSemaphore* extSemArray;
    const CUDA_EXTERNAL_SEMAPHORE_SIGNAL_PARAMS* paramsArray;
    unsigned int numExtSems;
};

struct CUDA_EXT_SEM_WAIT_NODE_PARAMS {
    CUexternalSemaphore* extSemArray;
    const CUDA_EXTERNAL_SEMAPHORE_WAIT_PARAMS* paramsArray;
    unsigned int numExtSems;
};

struct CUgraphEdgeData {
    unsigned char from_port, to_port, type, reserved[5];
};

struct CUDA_GRAPH_INSTANTIATE_PARAMS {
    cuuint64_t flags;
    CUstream hUploadStream;
    CUgraphNode hErrNode_out;
    CUgraphInstantiateResult result_out;
};

struct CUgraphExecUpdateResultInfo {
    CUgraphExecUpdateResult result;
    CUgraphNode errorNode, errorFromNode;
};

struct CUDA_CONDITIONAL_NODE_PARAMS {
    CUgraphConditionalHandle handle;
    int type; ///< CUgraphConditionalNodeType
    unsigned int size;
    CUgraph* phGraph_out;
    CUcontext ctx;
};

/// The first member of each form says which it is.
union CUstreamBatchMemOpParams {
    CUstreamBatchMemOpType operation;
    struct {
        CUstreamBatchMemOpType operation;
        CUdeviceptr address;
        union {
            cuuint32_t value;
            cuuint64_t value64;
        };
        unsigned int flags;
        CUdeviceptr alias;
    } waitValue, writeValue;
    struct {
        CUstreamBatchMemOpType operation;
        unsigned int flags;
    } flushRemoteWrites, memoryBarrier;
    cuuint64_t pad[6];
};

struct CUDA_BATCH_MEM_OP_NODE_PARAMS {
    CUcontext ctx;
    unsigned int count;
    CUstreamBatchMemOpParams* paramArray;
    unsigned int flags;
};

struct CUgraphNodeParams {
    CUgraphNodeType type;
    int reserved0[3];
    union {
        long long reserved1[29];
        CUDA_KERNEL_NODE_PARAMS kernel;
        struct {
            int flags, reserved;
            CUcontext copyCtx;
            CUDA_MEMCPY3D copyParams;
        } memcpy;
        CUDA_MEMSET_NODE_PARAMS memset; ///< followed by a context
        CUDA_HOST_NODE_PARAMS host;
        CUDA_MEM_ALLOC_NODE_PARAMS alloc;
        CUDA_CONDITIONAL_NODE_PARAMS conditional;
        CUDA_BATCH_MEM_OP_NODE_PARAMS memOp;
        CUDA_EXT_SEM_SIGNAL_NODE_PARAMS extSemSignal;
        CUDA_EXT_SEM_WAIT_NODE_PARAMS extSemWait;
        struct {
            CUdeviceptr dptr;
        } free;
        struct {
            CUgraph graph;
            int ownership;
        } graph;
        struct {
            CUevent event;
        } eventWait, eventRecord;
    };
    long long reserved2;
};

} // namespace shim
