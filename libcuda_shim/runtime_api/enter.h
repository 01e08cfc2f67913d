#pragma once

#include "api/exports.h"
#include "runtime_api/types.h"

#include <exception>
#include <new>

/// libcudart over the driver API: what every entry point does before and after its body.
namespace cudart {

/// What must be there before a body runs. Column of runtime_api.def.
enum class Needs : uint8_t {
    nothing,
    init,    ///< the driver is initialised
    context, ///< the calling thread has a context: what it made current itself, else its device's primary one
};

/// One exported symbol, as its wrapper knows it.
struct Entry {
    const char* name;
    Needs needs = Needs::nothing;
    bool per_thread = false; ///< a _ptsz or _ptds symbol: stream 0 is the calling thread's
};

/// An error on its way out of a body.
struct Failure {
    cudaError_t error;
};

/// Throws what a driver call answered, unless that is success: both APIs share their numbers.
inline void check(CUresult result) {
    if (result) throw Failure{result};
}

/// Throws `error` unless `condition` holds.
inline void require(bool condition, cudaError_t error) {
    if (!condition) throw Failure{error};
}

/// Whether the entry point that this thread runs is a per-thread default stream variant.
bool per_thread() noexcept;
/// The stream that the driver must be given for `stream`: 0 is the calling thread's in per-thread variants.
cudaStream_t effective(cudaStream_t stream) noexcept;

/// The thread's last error, as cudaGetLastError gives it.
cudaError_t& last_error() noexcept;

namespace detail {
class CallScope {
  public:
    explicit CallScope(const Entry&) noexcept;
    ~CallScope();
    CallScope(const CallScope&) = delete;
    CallScope& operator=(const CallScope&) = delete;

  private:
    bool outer_;
};

void provide(Needs);
/// Call in a catch block: the error that the exception stands for.
cudaError_t error_of_exception() noexcept;
/// Notes the result for cudaGetLastError and the trace.
cudaError_t leave(const Entry&, cudaError_t) noexcept;
cudaError_t refuse(const char* name) noexcept;
} // namespace detail

/// The one way into a body, and the one try/catch.
template <class Body> cudaError_t enter(const Entry& entry, Body&& body) noexcept {
    detail::CallScope scope(entry);
    cudaError_t result = cudaSuccess;
    try {
        detail::provide(entry.needs);
        body();
    } catch (...) {
        result = detail::error_of_exception();
    }
    return detail::leave(entry, result);
}

/// A driver function's per-thread default stream twin where the entry point is one: CUDART_PTDS(cuMemcpy)(dst, ...).
#define CUDART_PTDS(function) (per_thread() ? function##_ptds : function)
#define CUDART_PTSZ(function) (per_thread() ? function##_ptsz : function)

} // namespace cudart
