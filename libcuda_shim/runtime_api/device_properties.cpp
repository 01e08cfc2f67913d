#include "runtime_api/bodies.h"

namespace cudart::body {
namespace {

/// Reads attributes of one device, by their numbers in CUdevice_attribute.
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
    p.major = get(75);
    p.minor = get(76);
    p.multiProcessorCount = get(16);
    p.warpSize = get(10);
    p.maxThreadsPerBlock = get(1);
    get.list(p.maxThreadsDim, 2);
    get.list(p.maxGridSize, 5);
    p.maxThreadsPerMultiProcessor = get(39);
    p.maxBlocksPerMultiProcessor = get(106);
    p.regsPerBlock = get(12);
    p.regsPerMultiprocessor = get(82);
    p.concurrentKernels = get(31);
    p.computePreemptionSupported = get(90);
    p.cooperativeLaunch = get(95);
    p.clusterLaunch = get(120);
    p.unifiedFunctionPointers = get(129);
    p.streamPrioritiesSupported = get(78);
    p.asyncEngineCount = get(40);
}

void memory(cudaDeviceProp& p, const Attributes& get) {
    p.sharedMemPerBlock = size_t(get(8));
    p.sharedMemPerMultiprocessor = size_t(get(81));
    p.sharedMemPerBlockOptin = size_t(get(97));
    p.reservedSharedMemPerBlock = size_t(get(111));
    p.totalConstMem = size_t(get(9));
    p.memPitch = size_t(get(11));
    p.memoryBusWidth = get(37);
    p.l2CacheSize = get(38);
    p.persistingL2CacheMaxSize = get(108);
    p.accessPolicyMaxWindowSize = get(109);
    p.globalL1CacheSupported = get(79);
    p.localL1CacheSupported = get(80);
    p.canMapHostMemory = get(19);
    p.unifiedAddressing = get(41);
    p.managedMemory = get(83);
    p.hostNativeAtomicSupported = get(86);
    p.pageableMemoryAccess = get(88);
    p.concurrentManagedAccess = get(89);
    p.canUseHostPointerForRegisteredMem = get(91);
    p.hostRegisterSupported = get(99);
    p.pageableMemoryAccessUsesHostPageTables = get(100);
    p.directManagedMemAccessFromHost = get(101);
    p.hostRegisterReadOnlySupported = get(113);
    p.memoryPoolsSupported = get(115);
    p.memoryPoolSupportedHandleTypes = unsigned(get(119));
    p.gpuDirectRDMASupported = get(116);
    p.gpuDirectRDMAFlushWritesOptions = unsigned(get(117));
    p.gpuDirectRDMAWritesOrdering = get(118);
    p.timelineSemaphoreInteropSupported = get(114);
    p.ipcEventSupported = get(125);
    p.ECCEnabled = get(32);
}

void textures(cudaDeviceProp& p, const Attributes& get) {
    p.textureAlignment = size_t(get(14));
    p.texturePitchAlignment = size_t(get(51));
    p.surfaceAlignment = size_t(get(30));
    p.maxTexture1D = get(21);
    p.maxTexture1DMipmap = get(77);
    get.list(p.maxTexture2D, 22);
    get.list(p.maxTexture2DMipmap, 73);
    get.list(p.maxTexture2DLinear, 70);
    get.list(p.maxTexture2DGather, 45);
    get.list(p.maxTexture3D, 24);
    get.list(p.maxTexture3DAlt, 47);
    p.maxTextureCubemap = get(52);
    get.list(p.maxTexture1DLayered, 42);
    get.list(p.maxTexture2DLayered, 27);
    get.list(p.maxTextureCubemapLayered, 53);
    p.maxSurface1D = get(55);
    get.list(p.maxSurface2D, 56);
    get.list(p.maxSurface3D, 58);
    get.list(p.maxSurface1DLayered, 61);
    get.list(p.maxSurface2DLayered, 63);
    p.maxSurfaceCubemap = get(66);
    get.list(p.maxSurfaceCubemapLayered, 67);
    p.sparseCudaArraySupported = get(112);
    p.deferredMappingCudaArraySupported = get(121);
}

void board(cudaDeviceProp& p, const Attributes& get) {
    p.integrated = get(18);
    p.pciBusID = get(33);
    p.pciDeviceID = get(34);
    p.pciDomainID = get(50);
    p.tccDriver = get(35);
    p.isMultiGpuBoard = get(84);
    p.multiGpuBoardGroupID = get(85);
    p.deviceNumaConfig = get(130);
    p.deviceNumaId = get(131);
    p.mpsEnabled = get(133);
    p.hostNumaId = get(134);
    p.gpuPciDeviceID = unsigned(get(139));
    p.gpuPciSubsystemID = unsigned(get(140));
    p.hostNumaMultinodeIpcSupported = get(143);
}

} // namespace

void cudaGetDeviceProperties(cudaDeviceProp* prop, int device) {
    require(prop, cudaErrorInvalidValue);
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
    *prop = out;
}

} // namespace cudart::body
