#pragma once

#include "backend/backend.h"
#include "rt/error.h"
#include "rt/handle.h"

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace rt {

class Context;

/// Memory that another interface or process has made, by a file descriptor: what cuMemExportToShareableHandle gives, a
/// memfd, a dma-buf that can be mapped. CUDA driver API, "External Resource Interoperability".
class ExternalMemory : public HandleBase {
  public:
    static constexpr HandleKind kind = HandleKind::external_memory;

    /// The descriptor stays the caller's. Throws unknown, as an H100's driver does, when it is none of memory or of less
    /// than `bytes`; not_supported on devices that cannot map files.
    ExternalMemory(Context&, int descriptor, size_t bytes);

    /// A part of it as an allocation of the context, which is freed as any other and may outlive this object. Throws
    /// invalid_value when there is no such part.
    uint64_t map(Context&, size_t offset, size_t bytes);

  private:
    backend::VirtualMemory& how_;
    std::shared_ptr<backend::PhysicalMemory> memory_;
};

/// A semaphore that processes share by a file descriptor. No GPU is behind it, so what works are Linux's own means: an
/// eventfd is a binary semaphore, a file of memory whose first eight bytes count up a timeline semaphore.
class Semaphore {
  public:
    virtual ~Semaphore() = default;
    virtual void signal(uint64_t value) = 0;
    virtual void wait(uint64_t value) = 0; ///< blocks the calling thread

    /// The descriptor stays the caller's. Throw unknown when it is none of the kind, as an H100's driver does.
    static std::shared_ptr<Semaphore> open_binary(int descriptor);
    static std::shared_ptr<Semaphore> open_timeline(int descriptor);
};

class ExternalSemaphore : public HandleBase {
  public:
    static constexpr HandleKind kind = HandleKind::external_semaphore;

    explicit ExternalSemaphore(std::shared_ptr<Semaphore> semaphore) : HandleBase(kind), semaphore_(std::move(semaphore)) {}
    const std::shared_ptr<Semaphore>& semaphore() const { return semaphore_; }

  private:
    const std::shared_ptr<Semaphore> semaphore_;
};

/// What a stream, or a node of a graph, signals or waits for, in order; values are for timelines.
struct SemaphoreOperations {
    bool waits = false;
    std::vector<std::pair<std::shared_ptr<Semaphore>, uint64_t>> operations = {};
    std::shared_ptr<void> given = nullptr; ///< the lists as the application wrote them, for queries of the node

    void run() const; ///< on the calling thread
};

} // namespace rt
