#pragma once

// What the kernels need to be compiled as C++ for OpenCL by a plain clang: update.sh gives pointers among kernels'
// parameters their space, which CUDA does not write.
typedef uchar uint8_t;
#define __global__ __kernel __attribute__((intel_reqd_sub_group_size(32)))
#define __device__
#define __shared__ __local

struct PeerIndex {
    unsigned x, y, z;
};
#define PEER_INDEX(f) (PeerIndex{(unsigned)f(0), (unsigned)f(1), (unsigned)f(2)})
#define threadIdx PEER_INDEX(get_local_id)
#define blockIdx PEER_INDEX(get_group_id)
#define blockDim PEER_INDEX(get_enqueued_local_size)
#define gridDim PEER_INDEX(get_num_groups)

#define make_float2(x, y) ((float2)(x, y))
#define make_float4(x, y, z, w) ((float4)(x, y, z, w))
#define __syncthreads() barrier(CLK_LOCAL_MEM_FENCE)
#define __shfl_down_sync(mask, value, by) sub_group_shuffle_down(value, by)
#define atomicAdd atomic_add
#define atomicCAS atomic_cmpxchg
#define __popc popcount
#define __clz clz
#define fabsf fabs
#define sqrtf sqrt
#define rsqrtf rsqrt
#define expf exp
#define logf log
#define __brev __builtin_bitreverse32
#define half half_
