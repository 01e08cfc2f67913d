#include "program.h"

#ifdef __CUDACC__
// Templates, and arrays indexed at run time, which live in local memory.
template <class T, int N> struct Window {
    T values[N];
    __device__ void push(T v, int at) { values[at % N] = v; }
    __device__ T median() {
        for (int i = 1; i < N; i++)
            for (int j = i; j > 0 && values[j - 1] > values[j]; j--) {
                T t = values[j];
                values[j] = values[j - 1];
                values[j - 1] = t;
            }
        return values[N / 2];
    }
};
template <class T, int N> __device__ void median_filter(const T* in, T* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    Window<T, N> w;
    for (int k = 0; k < N; k++) {
        int j = i + k - N / 2;
        w.push(in[j < 0 ? 0 : j >= n ? n - 1 : j], k + i);
    }
    out[i] = w.median();
}
extern "C" __global__ void median_int(const int* in, int* out, int n) { median_filter<int, 7>(in, out, n); }
extern "C" __global__ void median_double(const double* in, double* out, int n) { median_filter<double, 5>(in, out, n); }
extern "C" __global__ void median_byte(const signed char* in, signed char* out, int n) {
    median_filter<signed char, 9>(in, out, n);
}
#endif

#include <algorithm>
template <class T> std::vector<T> reference(const std::vector<T>& in, int width) {
    std::vector<T> out(in.size()), w(width);
    const int n = int(in.size());
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < width; k++) w[k] = in[std::min(std::max(i + k - width / 2, 0), n - 1)];
        std::sort(w.begin(), w.end());
        out[i] = w[width / 2];
    }
    return out;
}

int main() {
    const int n = 3000;
    std::vector<int> a(n);
    std::vector<double> b(n);
    std::vector<signed char> c(n);
    for (int i = 0; i < n; i++) a[i] = int(hash32(i)), b[i] = unit_float(i), c[i] = (signed char)hash32(i);
    DeviceArray<int> da(a), oa(n);
    DeviceArray<double> db(b), ob(n);
    DeviceArray<signed char> dc(c), oc(n);
    LAUNCH(median_int, 24, 128, 0, 0)(da.data, oa.data, n);
    LAUNCH(median_double, 24, 128, 0, 0)(db.data, ob.data, n);
    LAUNCH(median_byte, 24, 128, 0, 0)(dc.data, oc.data, n);
    CHECK(cudaGetLastError());
    EXPECT(oa.download() == reference(a, 7) && ob.download() == reference(b, 5) && oc.download() == reference(c, 9));
    std::printf("digest %016llx\n", (unsigned long long)digest(oa.download()));
    return passed();
}
