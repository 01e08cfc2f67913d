#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace rt {

class Context;

/// CUstreamWaitValue_flags' numbers. geq is cyclic: counters may wrap.
enum class WaitCondition : uint8_t { geq = 0, eq = 1, and_ = 2, nor = 3 };

/// A stream writes a word of 32 or 64 bits, or waits until a word has some value. CUDA driver API, "Stream Memory
/// Operations". Operations of a stream are in order anyhow, so that barriers between them need no entry.
struct MemoryOperation {
    bool waits = false;
    bool wide = false;
    WaitCondition condition = WaitCondition::geq;
    uint64_t address = 0;
    uint64_t value = 0;
};

/// What one call, or one node of a graph, does in order.
struct MemoryOperations {
    std::vector<MemoryOperation> operations;
    Context* context = nullptr;
    std::shared_ptr<void> given = nullptr; ///< the list as the application wrote it, for queries of the node
};

} // namespace rt
