// Launches from kernels: a sort that launches itself for both halves, and sorts small pieces in a block.
#include "program.h"

#ifdef __CUDACC__
constexpr int small = 128, deepest = 16;

__global__ void bitonic(uint32_t* data, int n) {
    __shared__ uint32_t tile[small];
    const int i = threadIdx.x;
    tile[i] = i < n ? data[i] : 0xffffffffu;
    for (int size = 2; size <= small; size *= 2)
        for (int stride = size / 2; stride > 0; stride /= 2) {
            __syncthreads();
            const int other = i ^ stride;
            if (other > i && (tile[i] > tile[other]) == ((i & size) == 0)) {
                const uint32_t t = tile[i];
                tile[i] = tile[other];
                tile[other] = t;
            }
        }
    __syncthreads();
    if (i < n) data[i] = tile[i];
}

__global__ void selection(uint32_t* data, int n) {
    for (int i = 0; i + 1 < n; i++) {
        int least = i;
        for (int j = i + 1; j < n; j++)
            if (data[j] < data[least]) least = j;
        const uint32_t t = data[i];
        data[i] = data[least];
        data[least] = t;
    }
}

__global__ void quicksort(uint32_t* data, int n, int depth) {
    const uint32_t pivot = data[n / 2];
    int left = 0, right = n - 1;
    while (left <= right) {
        while (data[left] < pivot) left++;
        while (data[right] > pivot) right--;
        if (left > right) break;
        const uint32_t t = data[left];
        data[left++] = data[right];
        data[right--] = t;
    }
    struct {
        uint32_t* data;
        int n;
    } parts[2] = {{data, right + 1}, {data + left, n - left}};
    for (int i = 0; i < 2; i++) {
        if (parts[i].n < 2) continue;
        cudaStream_t stream;
        cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
        if (parts[i].n <= small)
            bitonic<<<1, small, 0, stream>>>(parts[i].data, parts[i].n);
        else if (depth >= deepest)
            selection<<<1, 1, 0, stream>>>(parts[i].data, parts[i].n);
        else
            quicksort<<<1, 1, 0, stream>>>(parts[i].data, parts[i].n, depth + 1);
        cudaStreamDestroy(stream);
    }
}
#endif

int main() {
    constexpr int n = 20000;
    std::vector<uint32_t> host(n);
    for (int i = 0; i < n; i++) host[i] = hash32(i) % 1000003;
    uint64_t before = 0, after = 0;
    for (uint32_t x : host) before += x;
    DeviceArray<uint32_t> data(host);
    quicksort<<<1, 1>>>(data.data, n, 0);
    CHECK(cudaGetLastError());
    CHECK(cudaDeviceSynchronize());
    host = data.download();
    for (int i = 1; i < n; i++) EXPECT(host[i - 1] <= host[i]);
    for (uint32_t x : host) after += x;
    EXPECT(before == after);
    std::printf("first %u last %u digest %016llx\n", host[0], host[n - 1], (unsigned long long)digest(host));
    return passed();
}
