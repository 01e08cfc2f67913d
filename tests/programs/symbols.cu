#include "program.h"

#ifdef __CUDACC__
extern "C" {
__device__ int counter = 5;
__device__ double grid_values[16];
__device__ int answers[3] = {40, 41, 42};
__device__ int* cursor = &answers[1];
__device__ const char* message = "from the device";
}
extern "C" __global__ void use_symbols(char* text) {
    int i = threadIdx.x;
    grid_values[i] = grid_values[i] * 2 + *cursor;
    __syncthreads();   // everybody has read the cursor
    if (i == 0) {
        counter += answers[2];
        cursor = &answers[0];
        for (int k = 0; k < 16; k++) text[k] = message[k];
    }
}
#endif

int main() {
    double values[16], back[16];
    for (int i = 0; i < 16; i++) values[i] = i * 0.5;
    CHECK(cudaMemcpyToSymbol(SYMBOL(grid_values), values, sizeof values));
    DeviceArray<char> text(16);
    LAUNCH(use_symbols, 1, 16, 0, 0)(text.data);
    CHECK(cudaGetLastError());
    int count = 0;
    CHECK(cudaMemcpyFromSymbol(&count, SYMBOL(counter), sizeof count));
    CHECK(cudaMemcpyFromSymbol(back, SYMBOL(grid_values), sizeof back));
    int last = 0;
    CHECK(cudaMemcpyFromSymbol(&last, SYMBOL(answers), sizeof last, 2 * sizeof(int)));
    void* address = nullptr;
    size_t size = 0;
    CHECK(cudaGetSymbolAddress(&address, SYMBOL(answers)));
    CHECK(cudaGetSymbolSize(&size, SYMBOL(answers)));
    int middle = 0;
    CHECK(cudaMemcpy(&middle, (char*)address + 4, 4, cudaMemcpyDeviceToHost));
    std::printf("counter %d last %d middle %d size %d text %s\n", count, last, middle, int(size), text.download().data());
    EXPECT(count == 47 && last == 42 && middle == 41 && size == 12);
    for (int i = 0; i < 16; i++) EXPECT(back[i] == i + 41);
    return passed();
}
