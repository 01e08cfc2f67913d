#pragma once

#include <stdint.h> // <cstdint> is not there for every device

/// The contract between code made for the host target and whoever runs it (runtime/backend/cpu, and tests).
/// Plain C layout: llvm_to_code/host.cpp reads these structures by offset, checked by static_assert there.
///
/// A host image is an ELF shared object. For a kernel with KernelInfo::symbol S it exports
///   void S(Lane*)        runs one thread; may block in a service (fiber switch) when KernelInfo::uses_barrier
///   void S.block(Lane*)  only when !uses_barrier: runs every thread of the CTA in turn, and then of Lane::more CTAs
///                        that follow. The caller has filled *Lane but for thread, lane and warp, which the function
///                        sets itself.
///   const uint32_t S.together
///                        only where there is something to gain: so many threads of CTAs that follow each other had
///                        better be given to S.block at once, as they take turns
/// or, when KernelInfo::phases is not 0, instead of both
///   uint32_t S.phase(Lane*, uint32_t phase, const PhaseBox*)
///                        takes the threads of the box through that phase of the kernel: to where they next meet
///                        others, or to its end. Threads begin with phase 0; PhaseState says where they are then.
///                        Gives the phase that all of them go on with, phase_exit, or phase_mixed. The caller sees to
///                        it that threads go on when all whom they wait for have come, and does what they meet for.
///   uint32_t S.chain(Lane*, uint32_t phase)
///                        only where tiles of threads run side by side: the same for all of the CTA's threads, and goes
///                        on by itself with the phases that follow, as long as all threads come to one and the same
///                        barrier of the CTA (Wait::barrier). With PhaseState::stop it gives back earlier.
///   const PhaseCut S.cuts[KernelInfo::phases]
///                        what threads wait for before each phase but the first
/// With uses_barrier and without phases, there may be
///   const char S.why_fibers[]
///                        why the kernel is not cut into phases, in a few words, when that was asked for
/// With Options::counts there is
///   Counts* S.counts
///                        where the kernel adds what it has done; the caller sets it before the kernel runs
/// and for each FunctionSymbol a symbol that is the host address standing for the device function's address.
/// The object has no undefined symbols but libc's and libm's. Everything else goes through Services.
///
/// Device pointers are host pointers. A .shared address is a 32-bit offset from Lane::shared; its generic form is the
/// host address Lane::shared + offset. A CTA's own variables begin at Lane::shared_window: 0, but for kernels with
/// KernelInfo::uses_cluster it is the CTA's rank in its cluster << shared_window_bits, and Lane::shared is the same for
/// the whole cluster, so that one address, shared or generic, names the same byte in all of its CTAs. A .local address
/// is a host address (of the lane's stack). Module globals lie at Grid::globals + GlobalInfo::offset; a kernel whose
/// address is taken has a place of its own there, which is its address. Kernel parameters lie packed at
/// Grid::parameters, aligned to 16.
namespace ptx::host {

struct Lane;

constexpr uint32_t phase_exit = 0xffffffff;  ///< the thread is over
constexpr uint32_t phase_mixed = 0xfffffffe; ///< threads differ

/// What a kernel's vectors have done so far: several threads of the process add at once, atomically. Operations are those
/// done for each thread, not those done once for a whole tile of threads.
struct Counts {
    uint64_t lanes;      ///< sum over such operations: for how many threads
    uint64_t room;       ///< and for how many they would have been with no thread elsewhere
    uint64_t accesses;   ///< to memory, of a tile, by addresses that differ among threads
    uint64_t scattered;  ///< of these, the ones whose addresses have no order: threads one by one, or gathers
    uint64_t barriers;   ///< that all of a CTA have met at; S.chain counts those it passes, the caller others
};

/// The threads of a CTA between the phases of a kernel.
struct PhaseState {
    uint32_t* next;           ///< of each thread: the phase that it goes on with. Where S.phase gives one for all
                              ///< threads of a box, theirs may not have been written
    uint8_t* slots;           ///< KernelInfo::phase_bytes for each thread, their number rounded up to a multiple of 32;
                              ///< PhaseCut says where
    const uint8_t* stop;      ///< S.chain looks at this byte in each round of a loop, and ends soon if it is not 0
};

/// Some of a CTA's threads, by %tid: begin <= tid < end in each dimension, and none is empty.
struct PhaseBox {
    uint32_t begin[3], end[3];
};

/// In what a thread waits: the Services of the same names. A thread that spins, or sleeps, may go on at any time, but lets
/// others go on before.
enum class Wait : uint32_t { none = 0, barrier = 1, barrier_reduce = 2, warp_sync = 3, shuffle = 4, vote = 5, match_any = 6,
                             match_all = 7, reduce = 8, active_mask = 9, collective = 10, spin = 11 };

constexpr uint32_t no_slot = 0xffffffff;

/// An argument of 32 bits: in the slot that begins at that byte, or, without one, the same for all threads.
struct PhaseArgument {
    uint32_t slot, constant;
};

/// What threads wait for before a phase. Slots lie together for t threads each: for a warp's 32 when the first cut's
/// `bytes` is 32, else for all of the CTA, their number rounded up to a multiple of 32. Of a slot of n bytes that begins
/// at byte b of KernelInfo::phase_bytes, the i-th of the t threads has the n bytes at b * t + n * i from where theirs
/// begin: thread t * k at PhaseState::slots + t * k * phase_bytes.
struct PhaseCut {
    Wait wait;
    uint32_t operation;       ///< a Shuffle, Vote, Reduce or BarrierReduce
    PhaseArgument mask;       ///< the member mask
    PhaseArgument by, clamp;  ///< of a shuffle
    uint32_t value;           ///< slot of the value or predicate that each thread gives
    uint32_t bytes;           ///< its size: 1, 4, 8; of a collective, that of the data its function gets; see also above
    uint32_t result;          ///< slot of 4 bytes for what each thread gets
    uint32_t predicate;       ///< slot of 1 byte for the predicate it gets besides, or no_slot
    const void* compute;      ///< of a collective
    uint64_t argument;        ///< its; of a barrier, the barrier's name
    uint64_t more;            ///< 1: threads then wait for what the next number stands for, and there is no such phase
};

/// Numbers are fixed: generated code passes them.
enum class Vote : uint32_t { all = 0, any = 1, uni = 2, ballot = 3 };
enum class Shuffle : uint32_t { up = 0, down = 1, bfly = 2, idx = 3 };
enum class Reduce : uint32_t { add = 0, min_s = 1, max_s = 2, min_u = 3, max_u = 4, and_ = 5, or_ = 6, xor_ = 7,
                               min_f = 8, max_f = 9, min_nan = 10, max_nan = 11 }; ///< f32: _nan gives NaN if any is
enum class BarrierReduce : uint32_t { popc = 0, and_ = 1, or_ = 2 };
enum class Trap : uint32_t { trap = 0, assertion = 1, breakpoint = 2, unreachable = 3,
                             illegal_instruction = 4, misaligned_address = 5 }; ///< the last two: GPUs' operands
/// PTX ISA 9.7.13.15. The argument of Services::mbarrier: a count (init, *_tx, arrive, drop), the state or parity waited
/// for, or the state asked about (pending_count, where the address is unused).
enum class Mbarrier : uint32_t {
    init = 0, inval = 1, expect_tx = 2, complete_tx = 3, arrive = 4, arrive_no_complete = 5, drop = 6,
    drop_no_complete = 7, pending_count = 8, test_wait = 9, test_parity = 10, try_wait = 11, try_parity = 12,
};
/// What an asynchronous reduction does to each element, and the elements' type. PTX ISA 9.7.9.25.4.2.
enum class BulkOperation : uint32_t { add = 0, min = 1, max = 2, inc = 3, dec = 4, and_ = 5, or_ = 6, xor_ = 7 };
enum class BulkType : uint32_t { u32 = 0, s32 = 1, u64 = 2, s64 = 3, f16 = 4, bf16 = 5, f32 = 6, f64 = 7 };
/// PTX ISA 9.7.9.25.5.
enum class TensorCopy : uint32_t { load = 0, store = 1, reduce = 2 };
enum class TensorMode : uint32_t { tile = 0, im2col = 1, im2col_w = 2, im2col_w_128 = 3, gather4 = 4, scatter4 = 5 };
/// PTX ISA 9.7.9.26: tensormap.replace.
enum class TensorField : uint32_t {
    global_address = 0, rank = 1, box_dim = 2, global_dim = 3, global_stride = 4, element_stride = 5, elemtype = 6,
    interleave_layout = 7, swizzle_mode = 8, fill_mode = 9, swizzle_atomicity = 10,
};

constexpr uint32_t shared_window_bits = 24; ///< as on an H100
constexpr uint32_t max_cluster_blocks = 16;

/// Functions that generated code calls. `mask` is the member mask of the .sync instructions (bit i = lane i).
struct Services {
    /// bar.sync / barrier.sync: `count` threads (a multiple of 32), 0 = all of the CTA. PTX ISA 9.7.13.1.
    void (*barrier_sync)(Lane*, uint32_t id, uint32_t count);
    void (*barrier_arrive)(Lane*, uint32_t id, uint32_t count);
    uint32_t (*barrier_reduce)(Lane*, uint32_t id, uint32_t count, uint32_t op, uint32_t predicate);
    void (*warp_sync)(Lane*, uint32_t mask);
    /// Low 32 bits: the value; bit 32: the predicate (source lane in range). PTX ISA 9.7.9.6.
    uint64_t (*shuffle)(Lane*, uint32_t mode, uint32_t value, uint32_t lane, uint32_t clamp, uint32_t mask);
    uint32_t (*vote)(Lane*, uint32_t mode, uint32_t predicate, uint32_t mask);
    uint32_t (*match_any)(Lane*, uint64_t value, uint32_t mask);
    /// Low 32 bits: mask; bit 32: predicate.
    uint64_t (*match_all)(Lane*, uint64_t value, uint32_t mask);
    uint32_t (*reduce)(Lane*, uint32_t op, uint32_t value, uint32_t mask);
    uint32_t (*active_mask)(Lane*);
    /// Every lane of `mask` gives `bytes` bytes (same for all) and gets all 32 lanes' (absent lanes: zero) in
    /// out[32][bytes].
    void (*exchange)(Lane*, uint32_t mask, const void* in, uint32_t bytes, void* out);
    /// Called in loops whose exit depends on memory that others write: lets other lanes and CTAs run.
    void (*spin)(Lane*);
    void (*nanosleep)(Lane*, uint32_t nanoseconds);
    /// End this thread: do not return.
    void (*exit)(Lane*);
    void (*trap)(Lane*, uint32_t kind);
    /// Device runtime functions. CUDA C++ Programming Guide, "Formatted Output", "Dynamic Global Memory Allocation",
    /// "Assertion". Addresses are generic.
    int32_t (*vprintf)(Lane*, const char* format, const void* arguments);
    void* (*malloc)(Lane*, uint64_t bytes);
    void (*free)(Lane*, void* address);
    void (*assertfail)(Lane*, const char* message, const char* file, uint32_t line, const char* function, uint64_t char_size);
    uint64_t (*globaltimer)(Lane*);   ///< nanoseconds
    uint64_t (*clock)(Lane*);         ///< %clock64
    void (*grid_sync)(Lane*);         ///< cooperative launches: every thread of the grid
    /// barrier.cluster.arrive and .wait. PTX ISA 9.7.13.3.
    void (*cluster_arrive)(Lane*);
    void (*cluster_wait)(Lane*);
    /// One operation on the mbarrier object at a generic address; gives the state, a count or 0 and 1. try_* may block.
    uint64_t (*mbarrier)(Lane*, uint32_t operation, uint64_t address, uint64_t argument);
    /// cp.async.bulk between generic addresses, done when it returns. `barrier`: the mbarrier that gets complete_tx, or
    /// 0. `multicast`: CTAs of the cluster that get the data at the same place as this one's `to` and `barrier`; 0 = only
    /// `to`. `byte_mask`: which bytes of every 16 are written.
    void (*bulk_copy)(Lane*, uint64_t to, uint64_t from, uint32_t bytes, uint64_t barrier, uint32_t multicast,
                      uint32_t byte_mask);
    void (*bulk_reduce)(Lane*, uint32_t operation, uint32_t type, uint64_t to, uint64_t from, uint32_t bytes,
                        uint64_t barrier);
    /// cp.async.bulk.tensor and cp.reduce.async.bulk.tensor between the tensor of the map and the tile at `shared`.
    void (*tensor_copy)(Lane*, uint32_t kind, uint32_t mode, uint32_t operation, uint64_t map, uint64_t shared,
                        uint64_t barrier, uint32_t multicast, uint32_t dimensions, uint32_t c0, uint32_t c1,
                        uint32_t c2, uint32_t c3, uint32_t c4, uint32_t o0, uint32_t o1, uint32_t o2);
    void (*tensor_replace)(Lane*, uint64_t map, uint32_t field, uint32_t index, uint64_t value);
    /// Every lane of `mask` gives a pointer; when all have come, compute(pointers of all 32 lanes, null for absent ones;
    /// argument) runs once. All give the same function and argument. What mma is made of.
    void (*collective)(Lane*, uint32_t mask, void* mine, const void* compute, uint64_t argument);
    /// What libcudadevrt asks of the driver (ptx/device_calls.def): `call` is a DeviceCall, `arguments` its arguments,
    /// one a word. The result is a DeviceStatus, an error code of cudart's, or an address; device_calls.def says how wide.
    uint64_t (*device_call)(Lane*, uint32_t call, const uint64_t* arguments);
    void* reserved[7];
};

/// One launch. Read-only to kernels.
struct Grid {
    const Services* services;
    const void* parameters;
    uint8_t* globals;
    uint32_t grid_dim[3];             ///< %nctaid
    uint32_t block_dim[3];            ///< %ntid
    uint32_t static_shared_bytes;
    uint32_t dynamic_shared_bytes;    ///< %dynamic_smem_size; starts at static_shared_bytes rounded up to 16
    uint64_t grid_id;                 ///< %gridid
    uint32_t cluster_dim[3];          ///< 1, 1, 1 without clusters
    uint32_t multiprocessor_count;    ///< %nsmid
    void* runtime;                    ///< the runner's own
    uint64_t workspace;               ///< cooperative launches, else 0: %envreg1 is its high, %envreg2 its low half;
                                      ///< grid.sync() of cooperative groups counts arrivals in the word at workspace + 4
};

/// One thread. Generated code reads it; only S.block writes thread, lane, warp, block and more. While CTAs take turns,
/// `block` is the one that runs, and `more` counts those that take turns beside the first, too.
struct Lane {
    const Grid* grid;
    uint8_t* shared;                  ///< what .shared addresses count from, aligned to 1024
    uint32_t thread[3];               ///< %tid
    uint32_t block[3];                ///< %ctaid
    uint32_t lane;                    ///< %laneid
    uint32_t warp;                    ///< %warpid
    uint32_t multiprocessor;          ///< %smid
    uint32_t shared_window;           ///< the .shared address where the CTA's own block begins
    void* runtime;                    ///< the runner's own, e.g. its fiber
    PhaseState* phases;               ///< only for kernels that run in phases
    uint64_t stack_top;               ///< generated code's own: end of the kernel's frame, where isspacep.local needs it
    uint64_t more;                    ///< how many CTAs S.block goes on with, by %ctaid, x first. Services may lower it
};

} // namespace ptx::host
