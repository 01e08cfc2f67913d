#pragma once

#include <cstdint>

/// The part of ptx/host_abi.h that is about kernels which synchronise without fibers. For a kernel with
/// KernelInfo::symbol S that was cut into phases, the image exports instead of S
///   void S.phase(Lane*, const Box*, uint32_t state)   takes the threads of a box from a state to where each next waits
///   const Phases S.states
namespace ptx::host {

/// Kernels whose barriers and warp operations all stand in the kernel itself need no fibers: a phase is what a thread
/// does from one of them to the next, and runs as a loop over threads. What a thread keeps lies in the CTA's frames:
/// for n threads, the piece of `size` bytes at frame offset o of thread t is at Lane::stack_top + o * n + t * size: a phase
/// keeps nothing on its stack, and has this use for the field.
struct Box {
    uint32_t begin[3], end[3];        ///< threads, by %tid
};

/// Where each thread says what it does next: 0 = it has exited, else the number of the state that it waits in.
constexpr uint32_t frame_next = 0;    ///< u32
/// Operands of the state's operation that are no constants, and its result as Services give it.
constexpr uint32_t frame_mask = 4, frame_detail = 8, frame_clamp = 12; ///< u32
constexpr uint32_t frame_value = 16, frame_result = 24;                ///< u64
constexpr uint32_t frame_fixed_bytes = 32;

enum class Wait : uint8_t {
    none = 0, barrier = 1, barrier_reduce = 2, warp_sync = 3, shuffle = 4, vote = 5, match_any = 6, match_all = 7,
    reduce = 8,
};

/// What threads wait for in a state. Barriers are of the whole CTA.
struct State {
    Wait wait;
    uint8_t barrier;                  ///< its id
    uint8_t constant_mask, constant_detail, constant_clamp;   ///< 1: the field below says it, not the frame
    uint8_t unused[3];
    uint32_t operation;               ///< Shuffle, Vote, Reduce or BarrierReduce
    uint32_t mask, detail, clamp;     ///< detail: a shuffle's lane operand
};

struct Phases {
    uint32_t states;                  ///< state 0 is the kernel's beginning
    uint32_t frame_bytes;             ///< of one thread
    State state[1];                   ///< `states` of them
};

} // namespace ptx::host
