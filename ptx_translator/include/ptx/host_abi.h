#pragma once

#include <cstdint>

/// The contract between code made for the host target and whoever runs it (runtime/backend/cpu, and tests).
/// Plain C layout: llvm_to_code/host.cpp reads these structures by offset, checked by static_assert there.
///
/// A host image is an ELF shared object. For a kernel with KernelInfo::symbol S it exports
///   void S(Lane*)        runs one thread; may block in a service (fiber switch) when KernelInfo::uses_barrier
///   void S.block(Lane*)  only when !uses_barrier: runs every thread of the CTA in turn. The caller has filled *Lane
///                        but for thread, lane and warp, which the function sets itself.
/// and for each FunctionSymbol a symbol that is the host address standing for the device function's address.
/// The object has no undefined symbols but libc's and libm's. Everything else goes through Services.
///
/// Device pointers are host pointers. A .shared address is a 32-bit offset from Lane::shared; its generic form is the
/// host address Lane::shared + offset. A .local address is a host address (of the lane's stack). Module globals
/// lie at Grid::globals + GlobalInfo::offset; a kernel whose address is taken has a place of its own there, which is
/// its address. Kernel parameters lie packed at Grid::parameters, aligned to 16.
namespace ptx::host {

struct Lane;

/// Numbers are fixed: generated code passes them.
enum class Vote : uint32_t { all = 0, any = 1, uni = 2, ballot = 3 };
enum class Shuffle : uint32_t { up = 0, down = 1, bfly = 2, idx = 3 };
enum class Reduce : uint32_t { add = 0, min_s = 1, max_s = 2, min_u = 3, max_u = 4, and_ = 5, or_ = 6, xor_ = 7 };
enum class BarrierReduce : uint32_t { popc = 0, and_ = 1, or_ = 2 };
enum class Trap : uint32_t { trap = 0, assertion = 1, breakpoint = 2, unreachable = 3 };

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
    /// out[32][bytes]. What mma, ldmatrix and the like are made of.
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

/// One thread. Generated code reads it; only S.block writes thread, lane and warp.
struct Lane {
    const Grid* grid;
    uint8_t* shared;                  ///< the CTA's shared block, aligned to 1024
    uint32_t thread[3];               ///< %tid
    uint32_t block[3];                ///< %ctaid
    uint32_t lane;                    ///< %laneid
    uint32_t warp;                    ///< %warpid
    uint32_t multiprocessor;          ///< %smid
    uint32_t reserved;
    void* runtime;                    ///< the runner's own, e.g. its fiber
    uint64_t stack_top;               ///< generated code's own: end of the kernel's frame, where isspacep.local needs it
};

} // namespace ptx::host
