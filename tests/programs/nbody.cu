#include "program.h"

#ifndef __CUDACC__
struct float4 { float x, y, z, w; };
#else
// All-pairs gravity with tiles of bodies in shared memory. 1 / sqrtf compiles to correctly rounded instructions.
extern "C" __global__ void nbody_step(const float4* in, float4* velocity, float4* out, int n, float dt) {
    __shared__ float4 tile[128];
    int i = blockIdx.x * 128 + threadIdx.x;
    float4 me = in[i < n ? i : 0];
    float ax = 0, ay = 0, az = 0;
    for (int base = 0; base < n; base += 128) {
        int j = base + threadIdx.x;
        tile[threadIdx.x] = j < n ? in[j] : make_float4(0, 0, 0, 0);
        __syncthreads();
        for (int k = 0; k < 128; k++) {
            float4 o = tile[k];
            float dx = o.x - me.x, dy = o.y - me.y, dz = o.z - me.z;
            float d2 = dx * dx + dy * dy + dz * dz + 0.01f;
            float inv = 1.0f / sqrtf(d2), s = o.w * inv * inv * inv;
            ax += dx * s, ay += dy * s, az += dz * s;
        }
        __syncthreads();
    }
    if (i >= n) return;
    float4 v = velocity[i];
    v.x += ax * dt, v.y += ay * dt, v.z += az * dt;
    velocity[i] = v;
    out[i] = make_float4(me.x + v.x * dt, me.y + v.y * dt, me.z + v.z * dt, me.w);
}
#endif

int main() {
    const int n = 500, steps = 3;
    std::vector<float4> bodies(n), still(n);
    for (int i = 0; i < n; i++) {
        bodies[i] = {unit_float(4 * i), unit_float(4 * i + 1), unit_float(4 * i + 2), 0.5f + unit_float(4 * i + 3)};
        still[i] = {0, 0, 0, 0};
    }
    DeviceArray<float4> a(bodies), b(n), v(still);
    for (int s = 0; s < steps; s++)
        LAUNCH(nbody_step, (n + 127) / 128, 128, 0, 0)(s % 2 ? b.data : a.data, v.data, s % 2 ? a.data : b.data, n, 1e-4f);
    CHECK(cudaGetLastError());
    std::vector<float4> out = b.download(), velocity = v.download();
    double px = 0, py = 0, pz = 0, moved = 0;   // momentum stays near zero
    for (int i = 0; i < n; i++) {
        px += double(velocity[i].x) * bodies[i].w, py += double(velocity[i].y) * bodies[i].w;
        pz += double(velocity[i].z) * bodies[i].w;
        moved += std::fabs(out[i].x - bodies[i].x);
    }
    EXPECT(std::fabs(px) < 1e-2 && std::fabs(py) < 1e-2 && std::fabs(pz) < 1e-2 && moved > 0);
    std::printf("body 0 %.9g %.9g %.9g digest %016llx\n", out[0].x, out[0].y, out[0].z, (unsigned long long)digest(out));
    return passed();
}
