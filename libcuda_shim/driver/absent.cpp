#include "api/bodies.h"
#include "driver/array.h"
#include "driver/copies.h"
#include "driver/handles.h"
#include "rt/graph.h"

// What no device of ours has, with the answers of an H100's driver, which mostly has it neither (tests/probe).
namespace shim {
namespace {

void check(CUtexref reference) {
    unsigned flags = 0;
    driver::cuTexRefGetFlags(&flags, reference);
}

} // namespace

Status driver::of_32_bits() {
    throw Error(Status::invalid_context, "this form of the function is for contexts with addresses of 32 bits");
}

Status driver::of_32_bits(CUmodule module) {
    module_of(module);
    return of_32_bits();
}

Status driver::of_32_bits(CUarray array) {
    array_of(array);
    return of_32_bits();
}

Status driver::of_32_bits(CUtexref reference) {
    check(reference);
    return of_32_bits();
}

Status driver::no_multicast() { throw Error(Status::not_supported, "no device takes part in multicasts"); }

Status driver::no_profiler_files() {
    throw Error(Status::not_supported, "profilers are set up by their own means, not by files");
}

Status driver::no_graphics_resource(CUgraphicsResource) {
    throw Error(Status::invalid_handle, "no resource of a graphics library");
}

Status driver::cuGraphicsMapResources(unsigned int count, CUgraphicsResource* resources, CUstream) {
    require_value(count && resources, "no list of resources");
    return no_graphics_resource(resources[0]);
}

Status driver::cuGraphicsUnmapResources(unsigned int count, CUgraphicsResource* resources, CUstream stream) {
    return cuGraphicsMapResources(count, resources, stream);
}

Status driver::cuLibraryGetUnifiedFunction(void** function, CUlibrary library, const char* symbol) {
    if (!library) throw Error(Status::invalid_handle, "no library");
    require_value(function && symbol, "nowhere to put the function, or no name");
    throw Error(Status::invalid_value, std::string("no function that host and device share: ") + symbol);
}

Status driver::cuParamSetTexRef(CUfunction function, int, CUtexref reference) {
    function_of(function);
    check(reference);
    throw Error(Status::invalid_value, "texture references belong to their module, and to no function");
}

// The form before 11.7, which the driver must be configured for.
Status driver::cuStreamBatchMemOp(CUstream stream, unsigned int count, CUstreamBatchMemOpParams*, unsigned int) {
    rt::capture::forbid(stream_of(stream));
    require_value(count <= 255, "too many operations");
    throw Error(Status::not_supported, "memory operations have a second form, which is supported");
}

Status driver::cuMemBatchDecompressAsync(CUmemDecompressParams*, size_t, unsigned int, size_t*, CUstream stream) {
    uncaptured_stream_of(stream);
    throw Error(Status::not_supported, "no device decompresses"); // MEM_DECOMPRESS_ALGORITHM_MASK is 0
}

// The attribute GPU_DIRECT_RDMA_FLUSH_WRITES_OPTIONS is 0.
Status driver::cuFlushGPUDirectRDMAWrites(CUflushGPUDirectRDMAWritesTarget target,
                                          CUflushGPUDirectRDMAWritesScope scope) {
    constexpr int current_context = 0, to_owner = 100, to_all = 200;
    require_value(target == current_context && (scope == to_owner || scope == to_all), "unknown target or scope");
    throw Error(Status::not_supported, "no other device writes past the host");
}

// The attribute DMA_BUF_SUPPORTED is 0.
Status driver::cuMemGetHandleForAddressRange(void* handle, CUdeviceptr address, size_t bytes, CUmemRangeHandleType type,
                                             unsigned long long flags) {
    constexpr size_t page = 4096;
    require_value(handle && type == 1 && flags == 0 && bytes && address % page == 0 && bytes % page == 0,
                  "not whole pages, not a file descriptor, or nowhere to put it");
    check_device_range(address, bytes);
    throw Error(Status::not_supported, "memory is not given as files for other devices");
}

} // namespace shim
