#include "runtime_api/types.h"

#include <gtest/gtest.h>

// Our declarations of the runtime API against NVIDIA's header, where it is installed.
#if __has_include(<cuda_runtime_api.h>)
#include <cuda_runtime_api.h>

#if CUDART_VERSION >= 13000
#define SAME_SIZE(type)                                                                                                \
    static_assert(sizeof(cudart::type) == sizeof(::type) && alignof(cudart::type) == alignof(::type), #type)
#define SAME_OFFSET(type, member)                                                                                      \
    static_assert(offsetof(cudart::type, member) == offsetof(::type, member), #type "::" #member)

SAME_SIZE(cudaChannelFormatDesc);
SAME_SIZE(cudaDeviceProp);
SAME_SIZE(cudaExtent);
SAME_SIZE(cudaFuncAttributes);
SAME_SIZE(cudaGraphEdgeData);
SAME_SIZE(cudaGraphExecUpdateResultInfo);
SAME_SIZE(cudaGraphInstantiateParams);
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
SAME_SIZE(cudaMemcpyAttributes);
SAME_SIZE(cudaMemsetParams);
SAME_SIZE(cudaPitchedPtr);
SAME_SIZE(cudaPointerAttributes);
SAME_SIZE(cudaPos);
SAME_SIZE(cudaResourceDesc);
SAME_SIZE(cudaResourceViewDesc);
SAME_SIZE(cudaTextureDesc);
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
SAME_OFFSET(cudaDeviceProp, memoryPoolSupportedHandleTypes);
SAME_OFFSET(cudaDeviceProp, hostNumaMultinodeIpcSupported);
SAME_OFFSET(cudaFuncAttributes, maxThreadsPerBlock);
SAME_OFFSET(cudaFuncAttributes, nonPortableClusterSizeAllowed);
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
SAME_OFFSET(cudaResourceDesc, flags);
SAME_OFFSET(cudaTextureDesc, readMode);
SAME_OFFSET(cudaTextureDesc, maxAnisotropy);
SAME_OFFSET(cudaTextureDesc, seamlessCubemap);

TEST(RuntimeLayout, ErrorsHaveTheirNumbers) {
#define RT_ERROR(number, name, text) EXPECT_EQ(number, int(::name)) << #name;
#include "runtime_api/errors.def"
#undef RT_ERROR
}

TEST(RuntimeLayout, DirectionsAndChannelKinds) {
    EXPECT_EQ(int(cudart::cudaMemcpyDefault), int(::cudaMemcpyDefault));
    EXPECT_EQ(int(cudart::cudaMemcpyDeviceToHost), int(::cudaMemcpyDeviceToHost));
    EXPECT_EQ(int(cudart::cudaChannelFormatKindFloat), int(::cudaChannelFormatKindFloat));
    EXPECT_EQ(int(cudart::cudaChannelFormatKindNone), int(::cudaChannelFormatKindNone));
}
#endif
#endif
