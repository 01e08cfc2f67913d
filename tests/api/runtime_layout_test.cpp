#include "runtime_api/types.h"

#include <gtest/gtest.h>

// Our declarations of the runtime API against NVIDIA's header, where it is installed.
#if __has_include(<cuda_runtime_api.h>)
#include <cuda_runtime_api.h>

#if CUDART_VERSION / 1000 == CUTTLE_CUDART_VERSION / 1000
#define SAME_SIZE(type)                                                                                                \
    static_assert(sizeof(cudart::type) == sizeof(::type) && alignof(cudart::type) == alignof(::type), #type)
#define SAME_OFFSET(type, member)                                                                                      \
    static_assert(offsetof(cudart::type, member) == offsetof(::type, member), #type "::" #member)

SAME_SIZE(cudaChannelFormatDesc);
SAME_SIZE(cudaExtent);
#if CUTTLE_CUDART_VERSION < 13000
SAME_SIZE(cudaLaunchParams);
#endif
SAME_SIZE(cudaExternalMemoryHandleDesc);
SAME_SIZE(cudaExternalMemoryBufferDesc);
SAME_SIZE(cudaExternalMemoryMipmappedArrayDesc);
SAME_SIZE(cudaExternalSemaphoreHandleDesc);
SAME_SIZE(cudaExternalSemaphoreSignalParams);
SAME_SIZE(cudaExternalSemaphoreWaitParams);
SAME_SIZE(cudaExternalSemaphoreSignalNodeParams);
SAME_SIZE(cudaHostNodeParams);
SAME_SIZE(cudaIpcEventHandle_t);
SAME_SIZE(cudaIpcMemHandle_t);
SAME_SIZE(cudaKernelNodeParams);
SAME_SIZE(cudaLaunchAttribute);
SAME_SIZE(cudaLaunchConfig_t);
SAME_SIZE(cudaMemAccessDesc);
SAME_SIZE(cudaMemAllocNodeParams);
SAME_SIZE(cudaMemLocation);
SAME_SIZE(cudaMemPoolProps);
SAME_SIZE(cudaMemPoolPtrExportData);
SAME_SIZE(cudaMemcpy3DParms);
SAME_SIZE(cudaMemcpy3DPeerParms);
SAME_SIZE(cudaMemsetParams);
SAME_SIZE(cudaPitchedPtr);
SAME_SIZE(cudaPointerAttributes);
SAME_SIZE(cudaPos);
SAME_SIZE(cudaResourceDesc);
SAME_SIZE(cudaResourceViewDesc);
SAME_SIZE(cudaArrayMemoryRequirements);
SAME_SIZE(dim3);

SAME_OFFSET(cudaDeviceProp, totalGlobalMem);
SAME_OFFSET(cudaDeviceProp, maxGridSize);
SAME_OFFSET(cudaDeviceProp, textureAlignment);
SAME_OFFSET(cudaDeviceProp, maxTexture2DGather);
SAME_OFFSET(cudaDeviceProp, maxTextureCubemapLayered);
SAME_OFFSET(cudaDeviceProp, maxSurfaceCubemapLayered);
SAME_OFFSET(cudaDeviceProp, unifiedAddressing);
SAME_OFFSET(cudaDeviceProp, sharedMemPerMultiprocessor);
SAME_OFFSET(cudaDeviceProp, sharedMemPerBlockOptin);
SAME_OFFSET(cudaDeviceProp, reservedSharedMemPerBlock);
SAME_OFFSET(cudaExternalMemoryHandleDesc, flags);
SAME_OFFSET(cudaExternalMemoryMipmappedArrayDesc, numLevels);
SAME_OFFSET(cudaExternalSemaphoreWaitParams, flags);
SAME_OFFSET(cudaFuncAttributes, maxThreadsPerBlock);
SAME_OFFSET(cudaKernelNodeParams, sharedMemBytes);
SAME_OFFSET(cudaKernelNodeParams, extra);
SAME_OFFSET(cudaLaunchConfig_t, dynamicSmemBytes);
SAME_OFFSET(cudaLaunchConfig_t, numAttrs);
SAME_OFFSET(cudaMemcpy3DParms, dstArray);
SAME_OFFSET(cudaMemcpy3DParms, kind);
SAME_OFFSET(cudaMemcpy3DPeerParms, dstDevice);
SAME_OFFSET(cudaPointerAttributes, hostPointer);
SAME_OFFSET(cudaResourceDesc, res.linear.sizeInBytes);
SAME_OFFSET(cudaResourceDesc, res.pitch2D.pitchInBytes);
SAME_OFFSET(cudaTextureDesc, readMode);
SAME_OFFSET(cudaTextureDesc, maxAnisotropy);
#if CUDART_VERSION >= 12000
SAME_SIZE(cudaFuncAttributes);
SAME_SIZE(cudaGraphEdgeData);
SAME_SIZE(cudaGraphNodeParams);
SAME_OFFSET(cudaGraphNodeParams, kernel.extra);
SAME_OFFSET(cudaGraphNodeParams, memcpy.copyParams);
SAME_OFFSET(cudaGraphNodeParams, memset.height);
SAME_OFFSET(cudaGraphNodeParams, alloc.dptr);
SAME_OFFSET(cudaGraphNodeParams, conditional.phGraph_out);
SAME_SIZE(cudaGraphExecUpdateResultInfo);
SAME_SIZE(cudaGraphInstantiateParams);
SAME_SIZE(cudaMemcpyAttributes);
SAME_SIZE(cudaTextureDesc);
SAME_SIZE(cudaDeviceProp);
SAME_OFFSET(cudaDeviceProp, memoryPoolSupportedHandleTypes);
SAME_OFFSET(cudaFuncAttributes, nonPortableClusterSizeAllowed);
SAME_OFFSET(cudaTextureDesc, seamlessCubemap);
#else
// Beginnings of what CUDA 12 has.
static_assert(sizeof(cudart::cudaDeviceProp_v1) == sizeof(::cudaDeviceProp));
static_assert(sizeof(cudart::cudaFuncAttributes_v1) <= sizeof(::cudaFuncAttributes));
static_assert(sizeof(cudart::cudaTextureDesc_v1) == sizeof(::cudaTextureDesc));
SAME_SIZE(surfaceReference);
SAME_SIZE(textureReference);
SAME_OFFSET(textureReference, channelDesc);
SAME_OFFSET(textureReference, maxMipmapLevelClamp);
#endif
#if CUDART_VERSION >= 13000
SAME_OFFSET(cudaDeviceProp, hostNumaMultinodeIpcSupported);
SAME_OFFSET(cudaResourceDesc, flags);
#else
SAME_OFFSET(cudaDeviceProp, clockRate);
SAME_OFFSET(cudaDeviceProp, computeMode);
SAME_OFFSET(cudaDeviceProp, maxTexture1DLinear);
SAME_OFFSET(cudaDeviceProp, memoryClockRate);
SAME_OFFSET(cudaDeviceProp, cooperativeMultiDeviceLaunch);
#endif

// errors.def has CUDA 13's, some of which are newer than CUDA 12.
#if CUDART_VERSION >= 13000
TEST(RuntimeLayout, ErrorsHaveTheirNumbers) {
#define RT_ERROR(number, name, text) EXPECT_EQ(number, int(::name)) << #name;
#include "runtime_api/errors.def"
#undef RT_ERROR
}
#endif

TEST(RuntimeLayout, DirectionsAndChannelKinds) {
    EXPECT_EQ(int(cudart::cudaMemcpyDefault), int(::cudaMemcpyDefault));
    EXPECT_EQ(int(cudart::cudaMemcpyDeviceToHost), int(::cudaMemcpyDeviceToHost));
    EXPECT_EQ(int(cudart::cudaChannelFormatKindFloat), int(::cudaChannelFormatKindFloat));
    EXPECT_EQ(int(cudart::cudaChannelFormatKindNone), int(::cudaChannelFormatKindNone));
}
#else
TEST(RuntimeLayout, HeaderIsOfThisVersion) { GTEST_SKIP() << "the header found is of another version of CUDA"; }
#endif
#else
TEST(RuntimeLayout, HeaderIsInstalled) { GTEST_SKIP() << "no cuda_runtime_api.h of this version"; }
#endif
