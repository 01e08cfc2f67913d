#include "program.h"

#ifdef __CUDACC__
// Static and dynamic shared memory in one kernel; reverses rows.
extern "C" __global__ void reverse_rows(const double* in, double* out, int width) {
    extern __shared__ double row[];
    __shared__ int rows_done;
    if (threadIdx.x == 0) rows_done = blockIdx.x;
    for (int x = threadIdx.x; x < width; x += blockDim.x) row[x] = in[blockIdx.x * width + x];
    __syncthreads();
    for (int x = threadIdx.x; x < width; x += blockDim.x) out[rows_done * width + x] = row[width - 1 - x];
}
#endif

int main() {
    const int rows = 20;
    for (int width : {33, 1000, 6000, 11000}) {
        std::vector<double> in(rows * width);
        for (size_t i = 0; i < in.size(); i++) in[i] = double(i) * 0.25;
        DeviceArray<double> din(in), dout(rows * width);
        int bytes = width * int(sizeof(double));
        if (bytes > 48 << 10) {   // more than the default limit: refused without the opt-in
            LAUNCH(reverse_rows, rows, 128, bytes, 0)(din.data, dout.data, width);
            cudaError_t status = cudaGetLastError();
            EXPECT(status == cudaErrorInvalidValue);
#ifdef __CUDACC__
            CHECK(cudaFuncSetAttribute(reverse_rows, cudaFuncAttributeMaxDynamicSharedMemorySize, bytes));
#else
            CHECK(cudaFuncSetAttribute("reverse_rows", cudaFuncAttributeMaxDynamicSharedMemorySize, bytes));
#endif
        }
        LAUNCH(reverse_rows, rows, 128, bytes, 0)(din.data, dout.data, width);
        CHECK(cudaGetLastError());
        std::vector<double> out = dout.download();
        for (int r = 0; r < rows; r++)
            for (int x = 0; x < width; x++) EXPECT(out[r * width + x] == in[r * width + width - 1 - x]);
        std::printf("width %d digest %016llx\n", width, (unsigned long long)digest(out));
    }
    return passed();
}
