// Relocatable device code: this file and rdc_other.cu are compiled apart and linked by the device linker.
#include "program.h"

#ifdef __CUDACC__
extern __device__ int shared_state[4];
extern __constant__ float factor;
__device__ int next_ticket(int* counter);
__device__ float scaled(float x);
typedef float (*Transform)(float);
extern __device__ Transform chosen;
static __device__ int own = 1000;   // rdc_other.cu has a variable of the same name

extern "C" __global__ void rdc_kernel(float* out, int* tickets) {
    int i = threadIdx.x;
    out[i] = scaled(float(i)) + chosen(1.0f) + own;
    tickets[i] = next_ticket(&shared_state[1]);
}
#endif

int set_factor(float value);

int main() {
    DeviceArray<float> out(32);
    DeviceArray<int> tickets(32);
    CHECK(cudaError_t(set_factor(2.5f)));
    LAUNCH(rdc_kernel, 1, 32, 0, 0)(out.data, tickets.data);
    CHECK(cudaGetLastError());
    std::vector<float> o = out.download();
    unsigned seen = 0;
    for (int t : tickets.download()) seen |= 1u << (t - 7);
    for (int i = 0; i < 32; i++) EXPECT(o[i] == i * 2.5f + 2000 + 101 + 1000);
    EXPECT(seen == 0xffffffffu);
    std::printf("first %.1f last %.1f\n", o[0], o[31]);
    return passed();
}
