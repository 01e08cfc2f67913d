#pragma once

#include "ptx/image.h"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The seam between CUDA's semantics (runtime/core) and a vendor. Core validates; back ends assert.
/// Back ends throw rt::Error (rt/error.h) for what cannot be foreseen: no memory, a lost device.
namespace ptx::host {
struct Counts;
}

namespace rt::backend {

struct Dim3 {
    uint32_t x = 1, y = 1, z = 1;
    uint64_t count() const { return uint64_t{x} * y * z; }
};

/// What a device is. Core makes CUDA's attributes and properties from this and nothing else, so all queries agree.
struct DeviceFacts {
    std::string name;
    std::array<uint8_t, 16> uuid{};
    int32_t pci_domain = 0, pci_bus = 0, pci_device = 0;
    uint64_t memory_bytes = 0;
    uint32_t multiprocessors = 1;
    uint32_t clock_khz = 0, memory_clock_khz = 0, memory_bus_bits = 0;
    uint32_t l2_bytes = 0;
    uint32_t max_threads_per_block = 1024;
    uint32_t max_threads_per_multiprocessor = 1536;
    uint32_t max_blocks_per_multiprocessor = 24;
    uint32_t shared_bytes_per_block = 48 << 10;
    uint32_t shared_bytes_per_block_optin = 99 << 10;
    uint32_t shared_bytes_per_multiprocessor = 100 << 10;
    uint32_t registers_per_block = 65536;
    bool integrated = false;
    bool board_has_others = false;               ///< devices with the same PCI address, too
    bool unified_addressing = true, managed_memory = true, concurrent_managed_access = true;
    bool pageable_memory_access = true, cooperative_launch = true, memory_pools = true;
    bool virtual_memory = false;                 ///< Device::virtual_memory() gives something
    ptx::Target target;
};

enum class MemoryKind : uint8_t { device, pinned, managed };

struct MemoryInfo {
    uint64_t free_bytes = 0, total_bytes = 0;
};

/// Entry point of loaded code.
class Kernel {
  public:
    virtual ~Kernel() = default;
    virtual const ptx::KernelInfo& info() const = 0;
    /// What it has done so far, which changes while it runs (read it atomically); null if the code does not count.
    virtual std::shared_ptr<const ptx::host::Counts> counts() const { return nullptr; }
};

/// A loaded image; unloads when destroyed. Kernels live as long as it.
class Code {
  public:
    virtual ~Code() = default;
    virtual Kernel* kernel(const std::string& name) = 0;               ///< nullptr when there is none
    virtual uint64_t function_address(const std::string& name) = 0;    ///< 0 when there is none
};

/// Why a launch died. Sticky in its context.
enum class Fault : uint8_t {
    none,
    illegal_address,     ///< CUDA_ERROR_ILLEGAL_ADDRESS
    trap,                ///< CUDA_ERROR_LAUNCH_FAILED
    assertion,           ///< CUDA_ERROR_ASSERT
    stack_overflow,
    illegal_instruction,
    misaligned_address,
    timeout,             ///< CUDA_ERROR_LAUNCH_TIMEOUT
};

/// A point on a timeline.
class Marker {
  public:
    virtual ~Marker() = default;
    virtual bool reached() const = 0;
    virtual void wait() const = 0;      ///< blocks the calling host thread
    /// When it was reached, on the device's clock. Only once reached, and only for markers with timing.
    virtual std::chrono::nanoseconds time() const = 0;
};

struct Launch;

/// What kernels may launch and ask for while they run (CUDA dynamic parallelism): their own module, as core knows it.
/// Device code names a kernel by an address of the module's block of globals. Thread safe; outlives the launches of its
/// module. Everything throws rt::Error{invalid_value} for an address that means no kernel, or what the function says.
class DeviceSide {
  public:
    virtual ~DeviceSide() = default;
    /// nullptr when the kernel is not translated yet.
    virtual Kernel* find(uint64_t address) = 0;
    /// Translates it if need be, which blocks. Throws the reason when it cannot be.
    virtual Kernel& resolve(uint64_t address) = 0;
    /// CUDA's limits of a launch, the same as from the host. Wants a resolved kernel, as do the next two.
    virtual void check(uint64_t address, const Launch&) = 0;
    virtual int attribute(uint64_t address, int attribute) = 0;         ///< CUfunction_attribute
    virtual int active_blocks(uint64_t address, int block_threads, size_t dynamic_shared_bytes) = 0;
    virtual int ordinal() const = 0;                                    ///< of the device that the module is on
    virtual int device_count() const = 0;
    virtual int device_attribute(int device, int attribute) const = 0;  ///< CUdevice_attribute
    virtual size_t limit(int limit) const = 0;                          ///< CUlimit
    virtual int cache_config() const = 0;
};

struct Launch {
    Kernel* kernel = nullptr;
    Dim3 grid, block, cluster;
    uint32_t dynamic_shared_bytes = 0;
    bool cooperative = false;
    uint64_t globals = 0;                        ///< device address of the module's block of globals
    DeviceSide* device_side = nullptr;           ///< for kernels that launch others
    std::span<const uint8_t> parameters;         ///< packed; copied before launch() returns
};

/// A strided box copy: rows of `width` bytes. Plain copies have height = depth = 1.
struct Copy {
    uint64_t destination = 0, source = 0;        ///< device or host addresses (unified)
    size_t width = 0, height = 1, depth = 1;
    size_t destination_pitch = 0, source_pitch = 0;          ///< bytes between rows
    size_t destination_slice = 0, source_slice = 0;          ///< bytes between slices
};

struct Fill {
    uint64_t destination = 0;
    uint32_t value = 0;
    uint32_t element_bytes = 1;                  ///< 1, 2 or 4
    size_t width = 0;                            ///< elements in a row
    size_t height = 1;
    size_t pitch = 0;                            ///< bytes between rows
};

/// An in-order timeline: things happen in the order of the calls, after the calls return.
class Queue {
  public:
    virtual ~Queue() = default;
    virtual void launch(const Launch&) = 0;
    /// One after another, as if given one by one; cheaper where the back end can take them in together.
    virtual void launch_all(std::span<const Launch> launches) {
        for (const Launch& each : launches) launch(each);
    }
    virtual void copy(const Copy&) = 0;
    virtual void fill(const Fill&) = 0;
    virtual void call(std::function<void()>) = 0;            ///< host function, on a thread of the back end
    virtual std::shared_ptr<Marker> mark(bool timing) = 0;
    virtual void wait_for(std::shared_ptr<Marker>) = 0;      ///< later work waits, the host does not
    virtual bool idle() const = 0;
    virtual void synchronize() = 0;                          ///< blocks the host until everything so far is done
    /// The first fault of anything on this queue; sticky. `message` gets one line of detail when not null.
    virtual Fault fault(std::string* message = nullptr) const = 0;
};

/// Some of a device's multiprocessors. Queues made here run their kernels on as many of them, all together.
class Partition {
  public:
    virtual ~Partition() = default;
    virtual std::unique_ptr<Queue> create_queue(int priority) = 0;   ///< may outlive the partition
};

/// Memory without an address. Freed when the last of its owners, and mappings, is gone.
class PhysicalMemory {
  public:
    virtual ~PhysicalMemory() = default;
    virtual size_t size() const = 0;
    /// A new file descriptor by which another process can have it; -1 when there is none.
    virtual int export_descriptor() const = 0;
    /// The content is needed no more: it may become zeros, and its memory somebody else's.
    virtual void discard(size_t offset, size_t bytes) = 0;
};

/// Addresses and memory apart: cuMemAddressReserve, cuMemCreate, cuMemMap. Sizes, offsets and addresses are multiples of
/// granularity(); mappings lie in reserved ranges and do not overlap. Thread safe.
class VirtualMemory {
  public:
    enum class Access : uint8_t { none, read, read_write };

    virtual ~VirtualMemory() = default;
    virtual size_t granularity() const = 0;
    /// At `wish` if that is not 0 and is free. 0 when there is no such range of addresses.
    virtual uint64_t reserve(size_t bytes, size_t alignment, uint64_t wish) = 0;
    virtual void unreserve(uint64_t address, size_t bytes) = 0;
    /// Zeroed; nullptr when there is not enough.
    virtual std::shared_ptr<PhysicalMemory> create(size_t bytes) = 0;
    /// From another process's descriptor, which stays the caller's; nullptr when it is none.
    virtual std::shared_ptr<PhysicalMemory> import_descriptor(int descriptor) = 0;
    /// The first `bytes` of a file of memory that is none of Cuttle's, by a descriptor, which stays the caller's; nullptr
    /// when it is none, or shorter. It is mapped in pages of the machine, whatever granularity() says.
    virtual std::shared_ptr<PhysicalMemory> import_file(int descriptor, size_t bytes) {
        return (void)descriptor, (void)bytes, nullptr;
    }
    /// Inaccessible at first. False when the machine refuses.
    virtual bool map(uint64_t address, size_t bytes, const PhysicalMemory&, size_t offset) = 0;
    virtual void unmap(uint64_t address, size_t bytes) = 0;
    virtual bool protect(uint64_t address, size_t bytes, Access) = 0;
};

class Device {
  public:
    virtual ~Device() = default;
    virtual const DeviceFacts& facts() const = 0;
    virtual MemoryInfo memory() const = 0;
    /// 0 when there is not enough. Aligned to 512 bytes. Reading or writing far outside every allocation faults.
    virtual uint64_t allocate(size_t bytes, MemoryKind) = 0;
    virtual void release(uint64_t address, MemoryKind) = 0;
    /// Whether `address` lies where this device hands out device or managed memory, allocated just now or not. Lets core
    /// tell a stale device pointer from pageable host memory; a back end that cannot know says false.
    virtual bool owns(uint64_t address) const { return (void)address, false; }
    virtual VirtualMemory* virtual_memory() { return nullptr; }
    /// Device memory as VirtualMemory has it, for other processes: what holds [address, address + bytes) of an
    /// allocation, and at which offset the address lies there. The content stays, the device must be idle. nullptr where
    /// there is nothing of the kind.
    virtual std::shared_ptr<PhysicalMemory> share(uint64_t address, size_t bytes, uint64_t& offset) {
        return (void)address, (void)bytes, (void)offset, nullptr;
    }
    virtual std::unique_ptr<Code> load(std::shared_ptr<const ptx::Image>) = 0;
    virtual std::unique_ptr<Queue> create_queue(int priority) = 0;
    /// nullptr where kernels cannot be confined.
    virtual std::unique_ptr<Partition> create_partition(uint32_t multiprocessors) {
        return (void)multiprocessors, nullptr;
    }
    /// Device-side limits: bytes of the malloc heap, of the printf buffer, of a thread's stack.
    virtual void set_limits(uint64_t heap, uint64_t printf_buffer, uint64_t stack) = 0;
    /// How many CTAs of this shape can be resident on the device at once (cooperative launch, occupancy).
    virtual uint32_t resident_blocks_per_multiprocessor(Kernel&, uint32_t block_threads, uint32_t dynamic_shared_bytes) const = 0;
    /// Whether kernels of this device can be given access to memory of `other`, which is of the same back end.
    virtual bool can_reach(const Device& other) const { return (void)other, false; }
    /// Gives it to them, or takes it back. Only where can_reach() says so. Calls are counted.
    virtual void let_reach(Device& other, bool allowed) { (void)other, (void)allowed; }
    /// Writes what kernels printed so far to stdout.
    virtual void drain_printf() = 0;
};

/// Where a back end keeps what a vendor's driver compiled, so that the next process need not. Thread safe.
class BinaryStore {
  public:
    virtual ~BinaryStore() = default;
    /// `code`: what the driver compiled. `compiler`: everything else that the result depends on, in the back end's words.
    virtual std::optional<std::vector<uint8_t>> find(std::span<const uint8_t> code, std::string_view compiler) = 0;
    virtual void store(std::span<const uint8_t> code, std::string_view compiler, std::span<const uint8_t> binary) = 0;
    /// For one that the driver refuses.
    virtual void discard(std::span<const uint8_t> code, std::string_view compiler) = 0;
};

/// A vendor on this machine.
class Backend {
  public:
    virtual ~Backend() = default;
    /// From now on; of use to those whose drivers compile. `store` outlives the back end.
    virtual void keep_binaries(BinaryStore& store) { (void)store; }
    virtual std::string name() const = 0;                    ///< "cpu", "hip", "level_zero"
    virtual std::vector<Device*> devices() = 0;              ///< owned by the back end
};

} // namespace rt::backend
