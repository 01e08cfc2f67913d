#include "api/constants.h"
#include "runtime_api/bodies.h"

#include <algorithm>
#include <cstddef>

namespace cudart::body {
namespace {

/// Reads attributes of one device.
class Attributes {
  public:
    explicit Attributes(CUdevice device) : device_(device) {}

    int operator()(CUdevice_attribute which) const {
        int value = 0;
        check(cuDeviceGetAttribute(&value, which, device_));
        return value;
    }
    /// Consecutive numbers into consecutive members.
    template <size_t n> void list(int (&out)[n], CUdevice_attribute first) const {
        for (size_t i = 0; i < n; ++i) out[i] = (*this)(first + CUdevice_attribute(i));
    }

  private:
    CUdevice device_;
};

void compute(cudaDeviceProp& p, const Attributes& get) {
    p.major = get(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
    p.minor = get(CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
    p.multiProcessorCount = get(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    p.warpSize = get(CU_DEVICE_ATTRIBUTE_WARP_SIZE);
    p.maxThreadsPerBlock = get(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
    get.list(p.maxThreadsDim, CU_DEVICE_ATTRIBUTE_MAX_BLOCK_DIM_X);
    get.list(p.maxGridSize, CU_DEVICE_ATTRIBUTE_MAX_GRID_DIM_X);
    p.maxThreadsPerMultiProcessor = get(CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR);
    p.maxBlocksPerMultiProcessor = get(CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR);
    p.regsPerBlock = get(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK);
    p.regsPerMultiprocessor = get(CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR);
    p.concurrentKernels = get(CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS);
    p.computePreemptionSupported = get(CU_DEVICE_ATTRIBUTE_COMPUTE_PREEMPTION_SUPPORTED);
    p.cooperativeLaunch = get(CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH);
    p.clusterLaunch = get(CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH);
    p.unifiedFunctionPointers = get(CU_DEVICE_ATTRIBUTE_UNIFIED_FUNCTION_POINTERS);
    p.streamPrioritiesSupported = get(CU_DEVICE_ATTRIBUTE_STREAM_PRIORITIES_SUPPORTED);
    p.asyncEngineCount = get(CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT);
}

void memory(cudaDeviceProp& p, const Attributes& get) {
    p.sharedMemPerBlock = size_t(get(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK));
    p.sharedMemPerMultiprocessor = size_t(get(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR));
    p.sharedMemPerBlockOptin = size_t(get(CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN));
    p.reservedSharedMemPerBlock = size_t(get(CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK));
    p.totalConstMem = size_t(get(CU_DEVICE_ATTRIBUTE_TOTAL_CONSTANT_MEMORY));
    p.memPitch = size_t(get(CU_DEVICE_ATTRIBUTE_MAX_PITCH));
    p.memoryBusWidth = get(CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH);
    p.l2CacheSize = get(CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE);
    p.persistingL2CacheMaxSize = get(CU_DEVICE_ATTRIBUTE_MAX_PERSISTING_L2_CACHE_SIZE);
    p.accessPolicyMaxWindowSize = get(CU_DEVICE_ATTRIBUTE_MAX_ACCESS_POLICY_WINDOW_SIZE);
    p.globalL1CacheSupported = get(CU_DEVICE_ATTRIBUTE_GLOBAL_L1_CACHE_SUPPORTED);
    p.localL1CacheSupported = get(CU_DEVICE_ATTRIBUTE_LOCAL_L1_CACHE_SUPPORTED);
    p.canMapHostMemory = get(CU_DEVICE_ATTRIBUTE_CAN_MAP_HOST_MEMORY);
    p.unifiedAddressing = get(CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING);
    p.managedMemory = get(CU_DEVICE_ATTRIBUTE_MANAGED_MEMORY);
    p.hostNativeAtomicSupported = get(CU_DEVICE_ATTRIBUTE_HOST_NATIVE_ATOMIC_SUPPORTED);
    p.pageableMemoryAccess = get(CU_DEVICE_ATTRIBUTE_PAGEABLE_MEMORY_ACCESS);
    p.concurrentManagedAccess = get(CU_DEVICE_ATTRIBUTE_CONCURRENT_MANAGED_ACCESS);
    p.canUseHostPointerForRegisteredMem = get(CU_DEVICE_ATTRIBUTE_CAN_USE_HOST_POINTER_FOR_REGISTERED_MEM);
    p.hostRegisterSupported = get(CU_DEVICE_ATTRIBUTE_HOST_REGISTER_SUPPORTED);
    p.pageableMemoryAccessUsesHostPageTables = get(CU_DEVICE_ATTRIBUTE_PAGEABLE_MEMORY_ACCESS_USES_HOST_PAGE_TABLES);
    p.directManagedMemAccessFromHost = get(CU_DEVICE_ATTRIBUTE_DIRECT_MANAGED_MEM_ACCESS_FROM_HOST);
    p.hostRegisterReadOnlySupported = get(CU_DEVICE_ATTRIBUTE_READ_ONLY_HOST_REGISTER_SUPPORTED);
    p.memoryPoolsSupported = get(CU_DEVICE_ATTRIBUTE_MEMORY_POOLS_SUPPORTED);
    p.memoryPoolSupportedHandleTypes = unsigned(get(CU_DEVICE_ATTRIBUTE_MEMPOOL_SUPPORTED_HANDLE_TYPES));
    p.gpuDirectRDMASupported = get(CU_DEVICE_ATTRIBUTE_GPU_DIRECT_RDMA_SUPPORTED);
    p.gpuDirectRDMAFlushWritesOptions = unsigned(get(CU_DEVICE_ATTRIBUTE_GPU_DIRECT_RDMA_FLUSH_WRITES_OPTIONS));
    p.gpuDirectRDMAWritesOrdering = get(CU_DEVICE_ATTRIBUTE_GPU_DIRECT_RDMA_WRITES_ORDERING);
    p.timelineSemaphoreInteropSupported = get(CU_DEVICE_ATTRIBUTE_TIMELINE_SEMAPHORE_INTEROP_SUPPORTED);
    p.ipcEventSupported = get(CU_DEVICE_ATTRIBUTE_IPC_EVENT_SUPPORTED);
    p.ECCEnabled = get(CU_DEVICE_ATTRIBUTE_ECC_ENABLED);
}

void textures(cudaDeviceProp& p, const Attributes& get) {
    p.textureAlignment = size_t(get(CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT));
    p.texturePitchAlignment = size_t(get(CU_DEVICE_ATTRIBUTE_TEXTURE_PITCH_ALIGNMENT));
    p.surfaceAlignment = size_t(get(CU_DEVICE_ATTRIBUTE_SURFACE_ALIGNMENT));
    p.maxTexture1D = get(CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE1D_WIDTH);
    p.maxTexture1DMipmap = get(CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE1D_MIPMAPPED_WIDTH);
    get.list(p.maxTexture2D, CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE2D_WIDTH);
    get.list(p.maxTexture2DMipmap, CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE2D_MIPMAPPED_WIDTH);
    get.list(p.maxTexture2DLinear, CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE2D_LINEAR_WIDTH);
    get.list(p.maxTexture2DGather, CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE2D_GATHER_WIDTH);
    get.list(p.maxTexture3D, CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE3D_WIDTH);
    get.list(p.maxTexture3DAlt, CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE3D_WIDTH_ALTERNATE);
    p.maxTextureCubemap = get(CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURECUBEMAP_WIDTH);
    get.list(p.maxTexture1DLayered, CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE1D_LAYERED_WIDTH);
    get.list(p.maxTexture2DLayered, CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE2D_LAYERED_WIDTH);
    get.list(p.maxTextureCubemapLayered, CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURECUBEMAP_LAYERED_WIDTH);
    p.maxSurface1D = get(CU_DEVICE_ATTRIBUTE_MAXIMUM_SURFACE1D_WIDTH);
    get.list(p.maxSurface2D, CU_DEVICE_ATTRIBUTE_MAXIMUM_SURFACE2D_WIDTH);
    get.list(p.maxSurface3D, CU_DEVICE_ATTRIBUTE_MAXIMUM_SURFACE3D_WIDTH);
    get.list(p.maxSurface1DLayered, CU_DEVICE_ATTRIBUTE_MAXIMUM_SURFACE1D_LAYERED_WIDTH);
    get.list(p.maxSurface2DLayered, CU_DEVICE_ATTRIBUTE_MAXIMUM_SURFACE2D_LAYERED_WIDTH);
    p.maxSurfaceCubemap = get(CU_DEVICE_ATTRIBUTE_MAXIMUM_SURFACECUBEMAP_WIDTH);
    get.list(p.maxSurfaceCubemapLayered, CU_DEVICE_ATTRIBUTE_MAXIMUM_SURFACECUBEMAP_LAYERED_WIDTH);
    p.sparseCudaArraySupported = get(CU_DEVICE_ATTRIBUTE_SPARSE_CUDA_ARRAY_SUPPORTED);
    p.deferredMappingCudaArraySupported = get(CU_DEVICE_ATTRIBUTE_DEFERRED_MAPPING_CUDA_ARRAY_SUPPORTED);
}

void board(cudaDeviceProp& p, const Attributes& get) {
    p.integrated = get(CU_DEVICE_ATTRIBUTE_INTEGRATED);
    p.pciBusID = get(CU_DEVICE_ATTRIBUTE_PCI_BUS_ID);
    p.pciDeviceID = get(CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID);
    p.pciDomainID = get(CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID);
    p.tccDriver = get(CU_DEVICE_ATTRIBUTE_TCC_DRIVER);
    p.isMultiGpuBoard = get(CU_DEVICE_ATTRIBUTE_MULTI_GPU_BOARD);
    p.multiGpuBoardGroupID = get(CU_DEVICE_ATTRIBUTE_MULTI_GPU_BOARD_GROUP_ID);
}

#if CUTTLE_CUDART_VERSION < 13000
void until_12(cudaDeviceProp& p, const Attributes& get) {
    p.clockRate = get(CU_DEVICE_ATTRIBUTE_CLOCK_RATE);
    p.memoryClockRate = get(CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE);
    p.deviceOverlap = get(CU_DEVICE_ATTRIBUTE_GPU_OVERLAP);
    p.kernelExecTimeoutEnabled = get(CU_DEVICE_ATTRIBUTE_KERNEL_EXEC_TIMEOUT);
    p.computeMode = get(CU_DEVICE_ATTRIBUTE_COMPUTE_MODE);
    p.maxTexture1DLinear = get(CU_DEVICE_ATTRIBUTE_MAXIMUM_TEXTURE1D_LINEAR_WIDTH);
    p.singleToDoublePrecisionPerfRatio = get(CU_DEVICE_ATTRIBUTE_SINGLE_TO_DOUBLE_PRECISION_PERF_RATIO);
    p.cooperativeMultiDeviceLaunch = get(CU_DEVICE_ATTRIBUTE_COOPERATIVE_MULTI_DEVICE_LAUNCH);
}
#else
void since_13(cudaDeviceProp& p, const Attributes& get) {
    p.deviceNumaConfig = get(CU_DEVICE_ATTRIBUTE_NUMA_CONFIG);
    p.deviceNumaId = get(CU_DEVICE_ATTRIBUTE_NUMA_ID);
    p.mpsEnabled = get(CU_DEVICE_ATTRIBUTE_MPS_ENABLED);
    p.hostNumaId = get(CU_DEVICE_ATTRIBUTE_HOST_NUMA_ID);
    p.gpuPciDeviceID = unsigned(get(CU_DEVICE_ATTRIBUTE_GPU_PCI_DEVICE_ID));
    p.gpuPciSubsystemID = unsigned(get(CU_DEVICE_ATTRIBUTE_GPU_PCI_SUBSYSTEM_ID));
    p.hostNumaMultinodeIpcSupported = get(CU_DEVICE_ATTRIBUTE_HOST_NUMA_MULTINODE_IPC_SUPPORTED);
}
#endif

cudaDeviceProp properties(int device) {
    int count = 0;
    check(cuDeviceGetCount(&count));
    require(device >= 0 && device < count, cudaErrorInvalidDevice);
    cudaDeviceProp out{};
    check(cuDeviceGetName(out.name, int(sizeof out.name), device));
    check(cuDeviceTotalMem_v2(&out.totalGlobalMem, device));
    check(cuDeviceGetUuid(&out.uuid, device));
    const Attributes get(device);
    compute(out, get);
    memory(out, get);
    textures(out, get);
    board(out, get);
#if CUTTLE_CUDART_VERSION < 13000
    until_12(out, get);
#else
    since_13(out, get);
#endif
    return out;
}

} // namespace

void cudaGetDeviceProperties(cudaDeviceProp* prop, int device) {
    require(prop, cudaErrorInvalidValue);
    *prop = properties(device);
}

#if CUTTLE_CUDART_VERSION < 13000
void cudaGetDeviceProperties(cudaDeviceProp_v1* prop, int device) {
    require(prop, cudaErrorInvalidValue);
    const cudaDeviceProp all = properties(device);
    std::copy_n(reinterpret_cast<const unsigned char*>(&all), sizeof prop->bytes, prop->bytes);
}
#endif

} // namespace cudart::body
