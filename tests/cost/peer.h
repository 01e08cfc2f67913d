#pragma once

// What the kernels need to be compiled as HIP by a plain clang, without ROCm: clang -x hip --cuda-device-only -nogpuinc
// -nogpulib -include peer.h.
#include <stdint.h>

#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __host__ __attribute__((host))
#define __shared__ __attribute__((shared))

struct PeerIndex {
    unsigned x, y, z;
};

#define threadIdx                                                                                                      \
    (PeerIndex{__builtin_amdgcn_workitem_id_x(), __builtin_amdgcn_workitem_id_y(), __builtin_amdgcn_workitem_id_z()})
#define blockIdx                                                                                                       \
    (PeerIndex{__builtin_amdgcn_workgroup_id_x(), __builtin_amdgcn_workgroup_id_y(), __builtin_amdgcn_workgroup_id_z()})
#define blockDim                                                                                                       \
    (PeerIndex{__builtin_amdgcn_workgroup_size_x(), __builtin_amdgcn_workgroup_size_y(),                               \
               __builtin_amdgcn_workgroup_size_z()})
#define gridDim (*(const __attribute__((address_space(4))) PeerIndex*)__builtin_amdgcn_implicitarg_ptr())

typedef float float2 __attribute__((ext_vector_type(2)));
typedef float float4 __attribute__((ext_vector_type(4)));

#define PEER __device__ static inline __attribute__((always_inline))

PEER float2 make_float2(float x, float y) { return float2{x, y}; }
PEER float4 make_float4(float x, float y, float z, float w) { return float4{x, y, z, w}; }

PEER void __syncthreads() {
    __builtin_amdgcn_fence(__ATOMIC_RELEASE, "workgroup");
    __builtin_amdgcn_s_barrier();
    __builtin_amdgcn_fence(__ATOMIC_ACQUIRE, "workgroup");
}

PEER float __shfl_down_sync(unsigned, float value, unsigned by) {
    const unsigned self = __builtin_amdgcn_mbcnt_hi(~0u, __builtin_amdgcn_mbcnt_lo(~0u, 0));
    const unsigned from = (self & 31) + by >= 32 ? self : self + by;
    return __builtin_bit_cast(float, __builtin_amdgcn_ds_bpermute(from << 2, __builtin_bit_cast(int, value)));
}

PEER unsigned atomicAdd(unsigned* to, unsigned value) {
    return __hip_atomic_fetch_add(to, value, __ATOMIC_RELAXED, __HIP_MEMORY_SCOPE_AGENT);
}
PEER int atomicCAS(int* at, int expected, int wanted) {
    __hip_atomic_compare_exchange_strong(at, &expected, wanted, __ATOMIC_RELAXED, __ATOMIC_RELAXED,
                                         __HIP_MEMORY_SCOPE_AGENT);
    return expected;
}

PEER int __popc(unsigned x) { return __builtin_popcount(x); }
PEER int __clz(unsigned x) { return __builtin_clzg(x, 32); }
PEER unsigned __brev(unsigned x) { return __builtin_bitreverse32(x); }
PEER float fabsf(float x) { return __builtin_fabsf(x); }
PEER float sqrtf(float x) { return __builtin_sqrtf(x); }
PEER float rsqrtf(float x) { return __builtin_amdgcn_rsqf(x); }
PEER float expf(float x) { return __builtin_expf(x); }
PEER float logf(float x) { return __builtin_logf(x); }
