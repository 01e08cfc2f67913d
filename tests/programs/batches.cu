#include "program.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

// Copies, prefetches and discards in batches, arrays to arrays, and what may not be in a batch. CUDA 13.

namespace {

constexpr int width = 16, height = 8, depth = 4;

extern "C" __global__ void fill(unsigned char* bytes, int count, int step) {
    for (int i = threadIdx.x + blockIdx.x * blockDim.x; i < count; i += blockDim.x * gridDim.x)
        bytes[i] = (unsigned char)(i * step % 251);
}

unsigned digest(const std::vector<unsigned char>& bytes) {
    unsigned hash = 2166136261u;
    for (unsigned char byte : bytes) hash = (hash ^ byte) * 16777619u;
    return hash;
}

cudaMemcpy3DOperand memory(void* pointer, size_t row = 0, size_t layer = 0) {
    cudaMemcpy3DOperand operand{};
    operand.type = cudaMemcpyOperandTypePointer;
    operand.op.ptr.ptr = pointer;
    operand.op.ptr.rowLength = row;
    operand.op.ptr.layerHeight = layer;
    return operand;
}

cudaMemcpy3DOperand texels(cudaArray_t array, size_t x, size_t y, size_t z) {
    cudaMemcpy3DOperand operand{};
    operand.type = cudaMemcpyOperandTypeArray;
    operand.op.array.array = array;
    operand.op.array.offset = {x, y, z};
    return operand;
}

cudaMemcpy3DBatchOp copy(cudaMemcpy3DOperand from, cudaMemcpy3DOperand to, cudaExtent extent) {
    cudaMemcpy3DBatchOp op{};
    op.src = from;
    op.dst = to;
    op.extent = extent;
    op.srcAccessOrder = cudaMemcpySrcAccessOrderStream;
    return op;
}

void boxes(cudaStream_t stream) {
    DeviceArray<unsigned char> from(4096), to(4096);
    fill<<<4, 64, 0, stream>>>(from.data, 4096, 7);
    CHECK(cudaMemsetAsync(to.data, 0xee, 4096, stream));
    cudaArray_t array;
    const cudaChannelFormatDesc format = cudaCreateChannelDesc<float>();
    CHECK(cudaMalloc3DArray(&array, &format, make_cudaExtent(width, height, depth)));
    cudaMemcpy3DBatchOp list[] = {
        copy(memory(from.data, 16), memory(to.data, 32, 8), make_cudaExtent(8, 4, 2)),
        copy(memory(from.data), texels(array, 0, 0, 0), make_cudaExtent(width, height, depth)),
        copy(texels(array, 8, 4, 2), memory(to.data + 2048, 12), make_cudaExtent(8, 4, 2)),
    };
    CHECK(cudaMemcpy3DBatchAsync(3, list, 0, stream));
    CHECK(cudaStreamSynchronize(stream));
    std::printf("boxes %08x\n", digest(to.download()));
    list[2].extent.width = 9;
    std::printf("beyond the array %d, on the default stream %d, flags %d\n",
                cudaMemcpy3DBatchAsync(1, &list[2], 0, stream), cudaMemcpy3DBatchAsync(1, list, 0, 0),
                cudaMemcpy3DBatchAsync(1, list, 1, stream));
    (void)cudaGetLastError();
    CHECK(cudaFreeArray(array));
}

void ranges(cudaStream_t stream) {
    constexpr size_t bytes = 1 << 20;
    unsigned char *first, *second;
    CHECK(cudaMallocManaged(&first, bytes));
    CHECK(cudaMallocManaged(&second, bytes));
    std::memset(first, 1, bytes);
    void* pointers[] = {first, second};
    size_t sizes[] = {bytes, bytes}, starts[] = {0, 1};
    cudaMemLocation places[2] = {};
    places[0].type = cudaMemLocationTypeDevice;
    places[1].type = cudaMemLocationTypeHost;
    CHECK(cudaMemDiscardBatchAsync(pointers + 1, sizes, 1, 0, stream));
    CHECK(cudaMemPrefetchBatchAsync(pointers, sizes, 2, places, starts, 2, 0, stream));
    fill<<<4, 64, 0, stream>>>(second, int(bytes), 3);
    CHECK(cudaMemDiscardAndPrefetchBatchAsync(pointers, sizes, 1, places, starts, 1, 0, stream));
    fill<<<4, 64, 0, stream>>>(first, int(bytes), 5);
    CHECK(cudaStreamSynchronize(stream));
    std::printf("ranges %08x %08x\n", digest({first, first + bytes}), digest({second, second + bytes}));
    cudaMemLocationType last[2];
    for (int i = 0; i < 2; i++)
        CHECK(cudaMemRangeGetAttribute(&last[i], sizeof last[i], cudaMemRangeAttributeLastPrefetchLocationType,
                                       pointers[i], bytes));
    std::printf("last prefetched to %d %d\n", last[0], last[1]);
    starts[0] = 1;
    std::printf("no place for the first %d, none at all %d\n",
                cudaMemPrefetchBatchAsync(pointers, sizes, 2, places, starts, 2, 0, stream),
                cudaMemPrefetchBatchAsync(pointers, sizes, 2, places, starts, 0, 0, stream));
    (void)cudaGetLastError();
    CHECK(cudaFree(first));
    CHECK(cudaFree(second));
}

void arrays() {
    cudaArray_t wide, narrow;
    const cudaChannelFormatDesc format = cudaCreateChannelDesc<unsigned char>();
    CHECK(cudaMallocArray(&wide, &format, 64, 4));
    CHECK(cudaMallocArray(&narrow, &format, 32, 8));
    std::vector<unsigned char> bytes(256), back(256);
    for (int i = 0; i < 256; i++) bytes[i] = (unsigned char)(i * 11);
    CHECK(cudaMemcpy2DToArray(wide, 0, 0, bytes.data(), 64, 64, 4, cudaMemcpyHostToDevice));
    CHECK(cudaMemcpyArrayToArray(narrow, 0, 0, wide, 0, 0, 256, cudaMemcpyDeviceToDevice));
    CHECK(cudaMemcpy2DFromArray(back.data(), 32, narrow, 0, 0, 32, 8, cudaMemcpyDeviceToHost));
    std::printf("arrays %08x, as they were %d\n", digest(back), back == bytes);
    CHECK(cudaFreeArray(wide));
    CHECK(cudaFreeArray(narrow));
}

} // namespace

int main() {
    cudaStream_t stream;
    CHECK(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking));
    boxes(stream);
    ranges(stream);
    arrays();
    CHECK(cudaStreamDestroy(stream));
    return passed();
}
