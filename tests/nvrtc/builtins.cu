// One use of each name that NVRTC knows by itself. Never run: what counts is that it compiles.
struct Memory {
    double* d;
    float* f;
    int* n;
    unsigned* u;
    long long* l;
    unsigned long long* ul;
    unsigned short* us;
    float4* f4;
};

// By a function's name: of a double and of a float, with the suffix and without.
#define ONE(name) m.d[i] += name(m.d[0]); m.f[i] += name##f(m.f[0]) + name(m.f[1]);
#define TWO(name) m.d[i] += name(m.d[0], m.d[1]); m.f[i] += name##f(m.f[0], m.f[1]) + name(m.f[1], m.f[2]);

__device__ void one_argument(Memory m, int i) {
    ONE(acos) ONE(acosh) ONE(asin) ONE(asinh) ONE(atan) ONE(atanh) ONE(cbrt) ONE(ceil) ONE(cos) ONE(cosh) ONE(cospi)
    ONE(erf) ONE(erfc) ONE(erfcinv) ONE(erfcx) ONE(erfinv) ONE(exp) ONE(exp10) ONE(exp2) ONE(expm1) ONE(fabs) ONE(floor)
    ONE(lgamma) ONE(log) ONE(log10) ONE(log1p) ONE(log2) ONE(logb) ONE(nearbyint) ONE(normcdf) ONE(normcdfinv) ONE(rcbrt)
    ONE(rint) ONE(round) ONE(rsqrt) ONE(sin) ONE(sinh) ONE(sinpi) ONE(sqrt) ONE(tan) ONE(tanh) ONE(tgamma) ONE(trunc)
}

__device__ void more_arguments(Memory m, int i) {
    double *d = m.d;
    float *f = m.f;
    int *n = m.n;
    TWO(atan2) TWO(copysign) TWO(fdim) TWO(fmax) TWO(fmin) TWO(fmod) TWO(hypot) TWO(nextafter) TWO(pow) TWO(remainder)
    f[i] += fmaf(f[0], f[1], f[2]) + fma(f[0], f[1], f[2]) + rhypotf(f[0], f[1]) + fdividef(f[0], f[1]) + pow(f[0], n[0]);
    d[i] += fma(d[0], d[1], d[2]) + rhypot(d[0], d[1]) + pow(d[0], n[0]);
    n[i] += ilogb(d[0]) + ilogbf(f[0]) + lrint(d[0]) + lrintf(f[0]) + lround(d[0]) + lroundf(f[0]);
    m.l[i] += llrint(d[0]) + llround(d[0]) + llrintf(f[0]) + llroundf(f[0]) + llabs(m.l[0]) + labs((long)n[0]);
    d[i] += frexp(d[0], n) + ldexp(d[0], n[0]) + scalbn(d[0], n[0]) + scalbln(d[0], (long)n[0]) + modf(d[0], d + 1);
    f[i] += frexpf(f[0], n) + ldexpf(f[0], n[0]) + scalbnf(f[0], n[0]) + modff(f[0], f + 1) + remquof(f[0], f[1], n);
    d[i] += remquo(d[0], d[1], n) + norm(3, d) + rnorm(3, d) + norm3d(d[0], d[1], d[2]) + rnorm3d(d[0], d[1], d[2]);
    d[i] += norm4d(d[0], d[1], d[2], d[3]) + rnorm4d(d[0], d[1], d[2], d[3]);
    f[i] += normf(3, f) + rnormf(3, f) + norm3df(f[0], f[1], f[2]) + rnorm3df(f[0], f[1], f[2]);
    f[i] += norm4df(f[0], f[1], f[2], f[3]) + rnorm4df(f[0], f[1], f[2], f[3]);
    sincos(d[0], d + 1, d + 2), sincosf(f[0], f + 1, f + 2), sincospi(d[0], d + 1, d + 2), sincospif(f[0], f + 1, f + 2);
    n[i] += isnan(f[0]) + isinf(f[0]) + isfinite(f[0]) + signbit(f[0]);
    n[i] += isnan(d[0]) + isinf(d[0]) + isfinite(d[0]) + signbit(d[0]);
    n[i] += min(n[0], n[1]) + max(n[0], n[1]) + min(m.u[0], m.u[1]) + max(n[0], m.u[1]) + abs(n[0]) + umin(m.u[0], 1u);
    m.l[i] += min(m.l[0], m.l[1]) + max(m.ul[0], m.ul[1]) + llmin(m.l[0], m.l[1]) + ullmax(m.ul[0], m.ul[1]);
    d[i] += min(d[0], d[1]) + max(d[0], f[1]) + abs(d[0]);
    f[i] += min(f[0], f[1]) + max(f[0], f[1]) + abs(f[0]);
}

#define ROUNDED(r)                                                                                                     \
    f[i] += __fadd_##r(f[0], f[1]) + __fsub_##r(f[0], f[1]) + __fmul_##r(f[0], f[1]) + __fdiv_##r(f[0], f[1]);         \
    f[i] += __frcp_##r(f[0]) + __fsqrt_##r(f[0]) + __fmaf_##r(f[0], f[1], f[2]) + __fmaf_ieee_##r(f[0], f[1], f[2]);   \
    d[i] += __dadd_##r(d[0], d[1]) + __dsub_##r(d[0], d[1]) + __dmul_##r(d[0], d[1]) + __ddiv_##r(d[0], d[1]);         \
    d[i] += __drcp_##r(d[0]) + __dsqrt_##r(d[0]) + __fma_##r(d[0], d[1], d[2]);                                        \
    n[i] += __float2int_##r(f[0]) + __float2uint_##r(f[0]) + __double2int_##r(d[0]) + __double2uint_##r(d[0]);         \
    m.l[i] += __float2ll_##r(f[0]) + __float2ull_##r(f[0]) + __double2ll_##r(d[0]) + __double2ull_##r(d[0]);           \
    f[i] += __double2float_##r(d[0]) + __int2float_##r(n[0]) + __uint2float_##r(u[0]);                                 \
    f[i] += __ll2float_##r(m.l[0]) + __ull2float_##r(m.ul[0]);                                                         \
    d[i] += __ll2double_##r(m.l[0]) + __ull2double_##r(m.ul[0]);

__device__ void arithmetic(Memory m, int i) {
    double *d = m.d;
    float *f = m.f;
    int *n = m.n;
    unsigned *u = m.u;
    ROUNDED(rn) ROUNDED(rz) ROUNDED(ru) ROUNDED(rd)
    f[i] += __sinf(f[0]) + __cosf(f[0]) + __tanf(f[0]) + __expf(f[0]) + __exp10f(f[0]) + __logf(f[0]) + __log2f(f[0]);
    f[i] += __log10f(f[0]) + __powf(f[0], f[1]) + __fdividef(f[0], f[1]) + __saturatef(f[0]) + __frsqrt_rn(f[0]);
    __sincosf(f[0], f + 1, f + 2);
    d[i] += __int2double_rn(n[0]) + __uint2double_rn(u[0]) + __hiloint2double(n[0], n[1]) + __longlong_as_double(m.l[0]);
    m.l[i] += __double_as_longlong(d[0]);
    n[i] += __double2hiint(d[0]) + __double2loint(d[0]) + __float_as_int(f[0]) + __float_as_uint(f[0]);
    f[i] += __int_as_float(n[0]) + __uint_as_float(u[0]);
    u[i] += __brev(u[0]) + __brevll(m.ul[0]) + __clz(n[0]) + __clzll(m.l[0]) + __ffs(n[0]) + __ffsll(m.l[0]);
    u[i] += __popc(u[0]) + __popcll(m.ul[0]) + __byte_perm(u[0], u[1], u[2]) + __mulhi(n[0], n[1]) + __umulhi(u[0], u[1]);
    m.ul[i] += __mul64hi(m.l[0], m.l[1]) + __umul64hi(m.ul[0], m.ul[1]);
    u[i] += __mul24(n[0], n[1]) + __umul24(u[0], u[1]) + __sad(n[0], n[1], u[2]) + __usad(u[0], u[1], u[2]);
    u[i] += __hadd(n[0], n[1]) + __rhadd(n[0], n[1]) + __uhadd(u[0], u[1]) + __urhadd(u[0], u[1]);
    u[i] += __funnelshift_l(u[0], u[1], 2) + __funnelshift_r(u[0], u[1], 2) + __funnelshift_lc(u[0], u[1], 2);
    u[i] += __funnelshift_rc(u[0], u[1], 2) + __dp4a(n[0], n[1], n[2]) + __dp4a(u[0], u[1], u[2]);
    u[i] += __dp2a_lo(n[0], n[1], n[2]) + __dp2a_hi(u[0], u[1], u[2]);
    u[i] += __dp4a(make_char4(1, 2, 3, 4), make_char4(1, 2, 3, 4), 0);
    u[i] += __vadd2(u[0], u[1]) + __vsub4(u[0], u[1]) + __vaddss2(u[0], u[1]) + __vsubus4(u[0], u[1]) + __vabs2(u[0]);
    u[i] += __vavgs2(u[0], u[1]) + __vmaxs2(u[0], u[1]) + __vminu4(u[0], u[1]) + __vcmpeq4(u[0], u[1]) + __vneg4(u[0]);
    u[i] += __vsetgtu4(u[0], u[1]) + __vsads2(u[0], u[1]) + __vabsdiffu4(u[0], u[1]) + __vhaddu2(u[0], u[1]);
}

template <class T> __device__ void integer_atomics(T* p) {
    p[0] += atomicAdd(p, p[1]) + atomicMin(p, p[1]) + atomicMax_block(p, p[1]) + atomicAnd_system(p, p[1]);
    p[0] += atomicOr(p, p[1]) + atomicXor_block(p, p[1]) + atomicExch_system(p, p[1]) + atomicCAS(p, p[1], p[2]);
    p[0] += atomicAdd_block(p, p[1]) + atomicAdd_system(p, p[1]) + atomicCAS_block(p, p[1], p[2]);
}

__device__ void atomics(Memory m, int i) {
    integer_atomics(m.n);
    integer_atomics(m.u);
    integer_atomics(m.ul);
    m.u[i] += atomicSub(m.u, m.u[1]) + atomicInc(m.u, m.u[1]) + atomicDec_block(m.u, m.u[1]) + atomicSub(m.n, m.n[1]);
    m.f[i] += atomicAdd(m.f, m.f[1]) + atomicAdd_system(m.f, m.f[1]) + atomicExch(m.f, m.f[1]);
    m.d[i] += atomicAdd(m.d, m.d[1]) + atomicAdd_block(m.d, m.d[1]);
    m.l[i] += atomicMin(m.l, m.l[1]) + atomicMax(m.l, m.l[1]);
    m.us[i] += atomicCAS(m.us, m.us[1], m.us[2]);
}

template <class T> __device__ void exchange(T* p, unsigned* u) {
    p[0] += __shfl_sync(~0u, p[1], 3) + __shfl_up_sync(~0u, p[1], 1) + __shfl_down_sync(~0u, p[1], 1, 16);
    p[0] += __shfl_xor_sync(~0u, p[1], 1) + __ldg(p + 1) + __ldcg(p) + __ldca(p) + __ldcs(p) + __ldcv(p) + __ldlu(p);
    int all;
    u[0] += __match_any_sync(~0u, p[0]) + __match_all_sync(~0u, p[0], &all) + all;
    __stwb(p, p[1]), __stcg(p, p[1]), __stcs(p, p[1]), __stwt(p, p[1]);
}

__device__ void threads(Memory m, int i) {
    __shared__ int shared[32];
    exchange(m.n, m.u), exchange(m.u, m.u), exchange(m.l, m.u), exchange(m.ul, m.u), exchange(m.f, m.u), exchange(m.d, m.u);
    __syncthreads(), __syncwarp(), __syncwarp(0xff), __threadfence(), __threadfence_block(), __threadfence_system();
    m.u[i] += __syncthreads_and(i) + __syncthreads_or(i) + __syncthreads_count(i) + __ballot_sync(~0u, i) + __any_sync(~0u, i);
    m.u[i] += __all_sync(~0u, i) + __activemask() + __reduce_add_sync(~0u, m.u[0]) + __reduce_max_sync(~0u, m.n[0]);
    m.u[i] += __reduce_min_sync(~0u, m.u[0]) + __reduce_and_sync(~0u, m.u[0]) + __reduce_or_sync(~0u, m.u[0]);
    m.u[i] += __reduce_xor_sync(~0u, m.u[0]) + __isGlobal(m.n) + __isShared(m.n) + __isConstant(m.n) + __isLocal(m.n);
    m.ul[i] += __cvta_generic_to_global(m.n) + __cvta_generic_to_shared(shared + i);
    m.l[i] += clock() + clock64();
    __nanosleep(10);
}

extern "C" __global__ void __launch_bounds__(256, 2) all(Memory m, const __grid_constant__ int2 pair, cudaTextureObject_t texture,
                                                         cudaSurfaceObject_t surface) {
    extern __shared__ __align__(16) float dynamic[];
    const int i = threadIdx.x + blockIdx.y * blockDim.x;
    one_argument(m, i), more_arguments(m, i), arithmetic(m, i), atomics(m, i), threads(m, i);
    void* memory = malloc(16);
    memset(memory, 0, 16), memcpy(memory, m.n, 16), free(memory);
    printf("%d %f\n", m.n[0], m.f[0]);
    assert(m.n[0] == 0);
    if (m.n[5] == 77) __trap();
    if (m.n[6] == 88) __brkpt();
    const dim3 grid = gridDim;
    const uint3 thread = threadIdx;
    const float4 four = make_float4(1, 2, 3, 4);
    const int2 two = {1, 2};
    const uchar4 bytes = make_uchar4(1, 2, 3, 4);
    const double2 doubles = make_double2(1, 2);
    const longlong2 longs = make_longlong2(1, 2);
    m.n[i] += warpSize + grid.x + thread.y + int(four.w) + two.y + bytes.z + int(doubles.x) + int(longs.y) + pair.x;
    m.f[i] += __ldg(m.f4).w + dynamic[i];
    m.f[i] += tex1Dfetch<float>(texture, i) + tex1D<float>(texture, 1.f) + tex2D<float4>(texture, 1.f, 2.f).x;
    m.f[i] += tex3D<float>(texture, 1.f, 2.f, 3.f) + tex2DLod<float2>(texture, 1.f, 2.f, 0.f).y;
    m.f[i] += tex2DLayered<float>(texture, 1.f, 2.f, 3) + texCubemap<float>(texture, 1.f, 2.f, 3.f);
    m.n[i] += surf2Dread<int>(surface, 4 * i, 0) + surf1Dread<int>(surface, 4 * i, cudaBoundaryModeClamp);
    surf2Dwrite(i, surface, 4 * i, 0);
    surf3Dwrite(make_float2(1, 2), surface, 8 * i, 0, 1, cudaBoundaryModeZero);
}
