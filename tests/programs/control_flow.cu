#include "program.h"

#ifdef __CUDACC__
// Dense switches (jump tables), loops with several exits, short circuits, goto into the middle.
extern "C" __global__ void control(const int* in, int* out, int n) {
    int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= n) return;
    int v = in[i], r = 0;
    switch (v & 15) {
    case 0: r = v * 3; break;
    case 1: r = v ^ 0x55;   // falls through
    case 2: r += 17; break;
    case 3: for (int k = 0; k < (v >> 4 & 7); k++) { if (k == 5) goto done; r += k * k; } break;
    case 4: r = -v; break;
    case 5: r = v / 3; break;
    case 6: r = v % 7; break;
    case 7: r = v < 500 && (v & 32) ? 1 : v > 900 || (v & 64) ? 2 : 3; break;
    case 8: r = __popc(v); break;
    case 9: r = v << 3; break;
    case 10: r = __clz(v); break;
    case 11: while (v > 1) { v = v & 1 ? 3 * v + 1 : v / 2; if (++r > 100) break; } break;
    case 12: r = 1; do { r *= 3; v -= 100; if (r > 5000) continue; r++; } while (v > 0); break;
    default: r = 99; break;
    }
    r += 1000;
done:
    out[i] = r;
}
#endif

static int reference(int v) {
    int r = 0;
    switch (v & 15) {
    case 0: r = v * 3; break;
    case 1: r = v ^ 0x55; r += 17; break;
    case 2: r += 17; break;
    case 3: for (int k = 0; k < (v >> 4 & 7); k++) { if (k == 5) return r; r += k * k; } break;
    case 4: r = -v; break;
    case 5: r = v / 3; break;
    case 6: r = v % 7; break;
    case 7: r = (v < 500 && (v & 32)) ? 1 : (v > 900 || (v & 64)) ? 2 : 3; break;
    case 8: r = __builtin_popcount(unsigned(v)); break;
    case 9: r = v << 3; break;
    case 10: r = v ? __builtin_clz(unsigned(v)) : 32; break;
    case 11: while (v > 1) { v = v & 1 ? 3 * v + 1 : v / 2; if (++r > 100) break; } break;
    case 12: r = 1; do { r *= 3; v -= 100; if (r > 5000) continue; r++; } while (v > 0); break;
    default: r = 99; break;
    }
    return r + 1000;
}

int main() {
    const int n = 4096;
    std::vector<int> in(n);
    for (int i = 0; i < n; i++) in[i] = int(hash32(i) % 1024);
    DeviceArray<int> din(in), dout(n);
    LAUNCH(control, (n + 127) / 128, 128, 0, 0)(din.data, dout.data, n);
    CHECK(cudaGetLastError());
    std::vector<int> out = dout.download();
    for (int i = 0; i < n; i++) EXPECT(out[i] == reference(in[i]));
    std::printf("digest %016llx\n", (unsigned long long)digest(out));
    return passed();
}
