#include "program.h"

#ifdef __CUDACC__
extern "C" {
__managed__ int total = 3;
__managed__ int squares[32];
}
struct Node {
    int value;
    Node* next;
};
extern "C" __global__ void walk(Node* list) {
    int sum = 0;
    for (Node* n = list; n; n = n->next) sum += n->value, n->value *= 2;
    if (threadIdx.x == 0) total += sum;
}
extern "C" __global__ void square() { squares[threadIdx.x] = threadIdx.x * threadIdx.x; }
#else
struct Node {
    int value;
    Node* next;
};
#define total (*managed_symbol<int>("total"))
#define squares (managed_symbol<int>("squares"))
#endif

int main() {
    Node* first = nullptr;
    for (int i = 0; i < 100; i++) {
        Node* n;
        CHECK(cudaMallocManaged((void**)&n, sizeof(Node)));
        n->value = i;
        n->next = first;
        first = n;
    }
    EXPECT(total == 3);
    LAUNCH(walk, 1, 1, 0, 0)(first);
    LAUNCH(square, 1, 32, 0, 0)();
    CHECK(cudaGetLastError());
    CHECK(cudaDeviceSynchronize());
    int sum = 0;
    for (Node* n = first; n;) {
        sum += n->value;
        Node* next = n->next;
        CHECK(cudaFree(n));
        n = next;
    }
    std::printf("total %d doubled %d square %d\n", int(total), sum, squares[31]);
    EXPECT(total == 3 + 4950 && sum == 9900 && squares[31] == 961);
    return passed();
}
