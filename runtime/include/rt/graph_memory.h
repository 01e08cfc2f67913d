#pragma once

#include "backend/backend.h"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace rt {

class Device;

/// The memory of graphs' allocation nodes. CUDA C++ Programming Guide, "Graph Memory Nodes": the address is known when
/// the node is made; from a launch on, until a free node or a free outside of graphs, there is memory behind it.
namespace graph_memory {

/// One address, shared by the nodes that use it one after another, and their copies. Always accessible, so that a
/// program that errs reads zeros instead of dying.
class Block {
  public:
    /// Throws out_of_memory, and not_supported on devices without virtual memory.
    Block(Device&, size_t bytes);
    ~Block();
    Block(const Block&) = delete;
    Block& operator=(const Block&) = delete;

    uint64_t address() const { return address_; }
    size_t bytes() const { return bytes_; } ///< as asked for
    size_t mapped_bytes() const { return mapped_bytes_; }
    int device() const { return device_; }
    /// Gives the memory back and puts fresh, untouched pages in its place.
    void discard();

    bool live = false;   ///< allocated and not freed. Guarded by the registry of blocks, as the next.
    bool in_use = false; ///< was live since it was discarded last

  private:
    backend::VirtualMemory& how_;
    const size_t bytes_;
    size_t mapped_bytes_ = 0;
    int device_ = 0;
    uint64_t address_ = 0;
    std::shared_ptr<backend::PhysicalMemory> memory_;
};

/// An allocation node runs. Throws invalid_value when the memory was not freed since the last time, unless `again` is
/// allowed.
void allocate(const std::shared_ptr<Block>&, bool again);
/// Frees what a graph has allocated, and gives it to be kept until the device is done with it; null when the address is no
/// live allocation of one.
std::shared_ptr<Block> release(uint64_t address);
/// Whether the address is one that allocation nodes give.
bool known(uint64_t address);

/// CU_GRAPH_MEM_ATTR_*, in bytes: what belongs to graphs, and the most there has been since reset_high().
struct Use {
    uint64_t current = 0, high = 0;
};
Use use(Device&);
void reset_high(Device&);
/// Gives back what is not allocated now. Nothing of it may be in use by the device.
void trim(Device&);

} // namespace graph_memory
} // namespace rt
