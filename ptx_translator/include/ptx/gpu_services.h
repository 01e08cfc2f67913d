#pragma once

#include <stdint.h> // <cstdint> is not there for every device

/// What code on a GPU asks of the runtime while it runs: print, malloc, free, launches, and to say why a thread died. The contract
/// between the GPU targets' device libraries and runtime/backend/gpu/service_box.
///
/// A kernel with KernelInfo::uses_services takes two 64-bit arguments behind its packed parameters, the addresses of a
/// ServiceBlock and of the workspace of cooperative launches (8 bytes, zero; 0 for other launches). On AMD GPUs, with
/// KernelInfo::uses_cluster, the first one has cluster_bit set.
///
/// Requests travel through slots in host memory, in order of their tickets. Nothing but plain reads and writes crosses
/// the bus: tickets are counted in device memory, a slot's state says whose turn it is.
namespace ptx::gpu {

constexpr uint64_t cluster_bit = 1;

enum class Service : uint32_t { print = 1, malloc = 2, free = 3, assertion = 4, device_call = 5 };

/// Slot::state is 4 * turn + one of these, a turn being ticket / slots.
enum class SlotState : uint32_t { empty = 0, asked = 1, answered = 2 };

/// A piece of a message. The pieces of one message carry its first ticket.
struct Slot {
    static constexpr uint32_t text_bytes = 448;

    uint32_t state;
    Service service;
    uint64_t message;      ///< the ticket of its first piece
    uint64_t value;        ///< malloc: bytes; free: the address; a device call: which. The answer of malloc: the address
    uint32_t bytes;        ///< of text in this piece
    uint32_t last;         ///< 1 for the last piece
    uint32_t block[3], thread[3];
    uint32_t reserved[2];
    uint8_t text[text_bytes];
};
static_assert(sizeof(Slot) == 512);

/// The text of a print: this, the format with its final zero, zeros to a multiple of 8, the packed arguments, and for
/// each argument that is a string, in their order, its length as 32 bits (or null_string) and its characters without the
/// final zero.
struct PrintHeader {
    uint32_t format_bytes, argument_bytes;
};
constexpr uint32_t null_string = ~0u;

/// The text of an assertion: this, message, file, function, without final zeros.
struct AssertionHeader {
    uint32_t line, char_size, message_bytes, file_bytes, function_bytes;
};

/// The text of a device call (device_calls.h), whose answer is written over it. The host reaches no thread's stack: what
/// arguments point to travels along.
struct DeviceCallText {
    uint64_t arguments[6];
    uint32_t extents[2][3];  ///< of the arguments from extents_of() on
    uint64_t result;
    uint64_t outcome;        ///< for the address that is the first argument
    uint32_t outcome_bytes;  ///< 0: nothing is written there; 4 or 8
};
static_assert(sizeof(DeviceCallText) <= Slot::text_bytes);

/// What stopped the kernel, in host memory. `kind` is a host::Trap + 1, or 0; written last.
struct StopReport {
    uint32_t kind;
    uint32_t block[3], thread[3];
    uint32_t reserved;
};

/// In device memory.
struct ServiceBlock {
    uint64_t tickets;      ///< taken so far
    uint32_t stopped;      ///< not 0: waves that wait for something end
    uint32_t slot_mask;    ///< slots - 1; a power of two, at least 64
    uint64_t slots;        ///< address of the Slots
    uint64_t report;       ///< address of the StopReport
};

/// A kernel with KernelInfo::uses_cluster takes this, too: on AMD GPUs before what services want, on Intel's its address
/// behind. Its work group is a cluster: each block has its threads rounded up to whole waves, and a window of shared memory
/// of its own, one behind the other from 0 on.
struct ClusterLaunch {
    uint32_t block[3], grid[3]; ///< threads of a block, blocks of the grid
    uint32_t cluster[3];        ///< blocks of a cluster
    uint32_t window_bytes;      ///< a multiple of cluster_window_alignment
    uint32_t dynamic_bytes;     ///< of dynamic shared memory that a block has
    uint32_t is_explicit;       ///< %is_explicit_cluster
};
static_assert(sizeof(ClusterLaunch) == 48);
/// So that what is aligned in one block's shared memory is so in all, at the same place.
constexpr uint32_t cluster_window_alignment = 1024;

} // namespace ptx::gpu
