// The kernels of kernels.cuh and further_kernels.cuh as a programmer of OpenCL writes them, for PoCL: same algorithms,
// same work-groups. reduce_shfl is reduce_shared here, as PoCL's processors have no
// sub-groups. Left out: scan_lookback, as work-groups may not wait for each other, radix_pass, whose ballots OpenCL 1.2
// does not have, and mma_tile.
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
#define LOCAL_BARRIER barrier(CLK_LOCAL_MEM_FENCE)
#define TILE 16

kernel void saxpy(int n, float a, global const float* x, global const float* y, global float* z) {
    int i = get_global_id(0);
    if (i < n) z[i] = a * x[i] + y[i];
}

kernel void sgemm_tiled(int n, global const float* A, global const float* B, global float* C) {
    local float as[TILE][TILE], bs[TILE][TILE];
    int tx = get_local_id(0), ty = get_local_id(1);
    int row = get_group_id(1) * TILE + ty, col = get_group_id(0) * TILE + tx;
    float sum = 0;
    for (int t = 0; t < n / TILE; t++) {
        as[ty][tx] = A[row * n + t * TILE + tx];
        bs[ty][tx] = B[(t * TILE + ty) * n + col];
        LOCAL_BARRIER;
#pragma unroll
        for (int k = 0; k < TILE; k++) sum += as[ty][k] * bs[k][tx];
        LOCAL_BARRIER;
    }
    C[row * n + col] = sum;
}

kernel void sgemm_naive(int n, global const float* A, global const float* B, global float* C) {
    int col = get_global_id(0), row = get_global_id(1);
    if (row >= n || col >= n) return;
    float sum = 0;
    for (int k = 0; k < n; k++) sum += A[row * n + k] * B[k * n + col];
    C[row * n + col] = sum;
}

kernel void reduce_shared(int n, global const float* in, global float* out) {
    local float s[256];
    int t = get_local_id(0), i = get_group_id(0) * 512 + t;
    s[t] = (i < n ? in[i] : 0.0f) + (i + 256 < n ? in[i + 256] : 0.0f);
    LOCAL_BARRIER;
    for (int d = 128; d > 0; d >>= 1) {
        if (t < d) s[t] += s[t + d];
        LOCAL_BARRIER;
    }
    if (t == 0) out[get_group_id(0)] = s[0];
}

kernel void stencil2d(int n, global const float* in, global float* out) {
    local float s[TILE + 2][TILE + 2];
    int tx = get_local_id(0), ty = get_local_id(1), x = get_group_id(0) * TILE + tx, y = get_group_id(1) * TILE + ty;
    int lx = tx + 1, ly = ty + 1;
    s[ly][lx] = in[y * n + x];
    if (tx == 0) s[ly][0] = x > 0 ? in[y * n + x - 1] : 0.0f;
    if (tx == TILE - 1) s[ly][TILE + 1] = x < n - 1 ? in[y * n + x + 1] : 0.0f;
    if (ty == 0) s[0][lx] = y > 0 ? in[(y - 1) * n + x] : 0.0f;
    if (ty == TILE - 1) s[TILE + 1][lx] = y < n - 1 ? in[(y + 1) * n + x] : 0.0f;
    LOCAL_BARRIER;
    out[y * n + x] = 0.5f * s[ly][lx] + 0.125f * (s[ly - 1][lx] + s[ly + 1][lx] + s[ly][lx - 1] + s[ly][lx + 1]);
}

kernel void nbody(int n, global const float4* pos, global float4* acc) {
    local float4 near[256];
    int i = get_global_id(0), t = get_local_id(0);
    float4 p = pos[i];
    float ax = 0, ay = 0, az = 0;
    for (int base = 0; base < n; base += 256) {
        near[t] = pos[base + t];
        LOCAL_BARRIER;
        for (int k = 0; k < 256; k++) {
            float dx = near[k].x - p.x, dy = near[k].y - p.y, dz = near[k].z - p.z;
            float inv = native_rsqrt(dx * dx + dy * dy + dz * dz + 0.01f), s = near[k].w * inv * inv * inv;
            ax += dx * s;
            ay += dy * s;
            az += dz * s;
        }
        LOCAL_BARRIER;
    }
    acc[i] = (float4)(ax, ay, az, 0.0f);
}

float normal(float d) {
    float k = 1.0f / (1.0f + 0.2316419f * fabs(d));
    float tail = 0.39894228f * exp(-0.5f * d * d) *
                 (k * (0.31938153f + k * (-0.356563782f + k * (1.781477937f + k * (-1.821255978f + k * 1.330274429f)))));
    return d > 0 ? 1.0f - tail : tail;
}
kernel void blackscholes(int n, float r, float v, global const float* S, global const float* X, global const float* T,
                         global float* call, global float* put) {
    int i = get_global_id(0);
    if (i >= n) return;
    float s = S[i], x = X[i], t = T[i], root = sqrt(t);
    float d1 = (log(s / x) + (r + 0.5f * v * v) * t) / (v * root), d2 = d1 - v * root;
    float c1 = normal(d1), c2 = normal(d2), e = exp(-r * t);
    call[i] = s * c1 - x * e * c2;
    put[i] = x * e * (1.0f - c2) - s * (1.0f - c1);
}

kernel void histogram(int n, global const uchar* in, global uint* out) {
    local uint counts[256];
    int t = get_local_id(0), step = get_global_size(0);
    counts[t] = 0;
    LOCAL_BARRIER;
    for (int i = get_global_id(0); i < n; i += step) atomic_inc(&counts[in[i]]);
    LOCAL_BARRIER;
    atomic_add(&out[t], counts[t]);
}

kernel void mandelbrot(int n, int most, global int* out) {
    int px = get_global_id(0), py = get_global_id(1);
    if (px >= n || py >= n) return;
    float cx = -2.0f + 3.0f * px / n, cy = -1.5f + 3.0f * py / n, x = 0, y = 0;
    int count = 0;
    while (count < most && x * x + y * y < 4.0f) {
        float next = x * x - y * y + cx;
        y = 2 * x * y + cy;
        x = next;
        count++;
    }
    out[py * n + px] = count;
}

kernel void spmv(int rows, global const int* begins, global const int* columns, global const float* values,
                 global const float* x, global float* y) {
    int r = get_global_id(0);
    if (r >= rows) return;
    float sum = 0;
    for (int j = begins[r]; j < begins[r + 1]; j++) sum += values[j] * x[columns[j]];
    y[r] = sum;
}

kernel void bitonic(int n, global const uint* in, global uint* out) {
    local uint s[1024];
    int t = get_local_id(0), base = get_group_id(0) * 1024;
    s[t] = in[base + t];
    s[t + 512] = in[base + t + 512];
    for (int size = 2; size <= 1024; size <<= 1)
        for (int stride = size >> 1; stride > 0; stride >>= 1) {
            LOCAL_BARRIER;
            int at = 2 * t - (t & (stride - 1));
            bool up = size == 1024 || (t & (size >> 1)) == 0;
            uint a = s[at], b = s[at + stride];
            if ((a > b) == up) {
                s[at] = b;
                s[at + stride] = a;
            }
        }
    LOCAL_BARRIER;
    out[base + t] = s[t];
    out[base + t + 512] = s[t + 512];
}

kernel void stencil3d_f64(int n, global const double* in, global double* out) {
    int x = get_global_id(0), y = get_global_id(1);
    if (x < 1 || x >= n - 1 || y < 1 || y >= n - 1) return;
    int plane = n * n, i = y * n + x + plane;
    double below = in[i - plane], here = in[i];
    for (int z = 1; z < n - 1; z++, i += plane) {
        double above = in[i + plane];
        out[i] = 0.4 * here + 0.1 * (above + below + in[i - 1] + in[i + 1] + in[i - n] + in[i + n]);
        below = here;
        here = above;
    }
}

int reversed(int x) {
    int turned = 0;
#pragma unroll
    for (int bit = 0; bit < 9; bit++) turned |= (x >> bit & 1) << (8 - bit);
    return turned;
}
kernel void fft512(int n, global const float2* in, global const float2* twiddle, global float2* out) {
    local float2 s[512];
    int t = get_local_id(0), base = get_group_id(0) * 512;
    s[reversed(t)] = in[base + t];
    s[reversed(t + 256)] = in[base + t + 256];
    for (int half_size = 1; half_size < 512; half_size <<= 1) {
        LOCAL_BARRIER;
        int k = t & (half_size - 1), a = 2 * t - k, b = a + half_size;
        float2 w = twiddle[k * (256 / half_size)], u = s[a], v = s[b];
        float2 turned = (float2)(v.x * w.x - v.y * w.y, v.x * w.y + v.y * w.x);
        s[a] = u + turned;
        s[b] = u - turned;
    }
    LOCAL_BARRIER;
    out[base + t] = s[t];
    out[base + t + 256] = s[t + 256];
}

kernel void transpose(int n, global const float* in, global float* out) {
    local float tile[32][33];
    int tx = get_local_id(0), ty = get_local_id(1), x = get_group_id(0) * 32 + tx, y = get_group_id(1) * 32 + ty;
    for (int j = 0; j < 32; j += 8) tile[ty + j][tx] = in[(y + j) * n + x];
    LOCAL_BARRIER;
    x = get_group_id(1) * 32 + tx;
    y = get_group_id(0) * 32 + ty;
    for (int j = 0; j < 32; j += 8) out[(y + j) * n + x] = tile[tx][ty + j];
}

constant float taps[17] = {0.005f, 0.01f, 0.02f, 0.035f, 0.05f, 0.075f, 0.09f, 0.1f, 0.23f,
                           0.1f, 0.09f, 0.075f, 0.05f, 0.035f, 0.02f, 0.01f, 0.005f};
kernel void convolution(int n, global const float* in, global float* out) {
    local float s[256 + 16];
    int t = get_local_id(0), x = get_group_id(0) * 256 + t;
    global const float* row = in + get_group_id(1) * n;
    s[t] = row[max(x - 8, 0)];
    if (t < 16) s[t + 256] = row[min(x + 248, n - 1)];
    LOCAL_BARRIER;
    float sum = 0;
#pragma unroll
    for (int k = 0; k < 17; k++) sum += taps[k] * s[t + k];
    out[get_group_id(1) * n + x] = sum;
}

kernel void dot_int8(int columns, int words, global const int* weights, global const int* inputs, global int* out) {
    int column = get_global_id(0), batch = get_group_id(1);
    if (column >= columns) return;
    int sum = 0;
    for (int k = 0; k < words; k++) {
        int4 products = convert_int4(as_char4(weights[k * columns + column])) *
                        convert_int4(as_char4(inputs[batch * words + k]));
        sum += products.x + products.y + products.z + products.w;
    }
    out[batch * columns + column] = sum;
}

kernel void hash_strings(int count, global const int* begins, global const uchar* text, global ulong* out) {
    int i = get_global_id(0);
    if (i >= count) return;
    ulong hash = 14695981039346656037ul;
    for (int at = begins[i], end = begins[i + 1]; at < end; at++) hash = (hash ^ text[at]) * 1099511628211ul;
    hash ^= hash >> 33;
    hash *= 0xff51afd7ed558ccdul;
    hash ^= hash >> 33;
    out[i] = hash;
}

kernel void gather(int n, float scale, global const int* index, global const float* table, global float* out) {
    int i = get_global_id(0);
    if (i < n) out[i] = scale * table[index[i]];
}
