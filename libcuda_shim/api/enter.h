#pragma once

#include "api/types.h"
#include "rt/error.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace shim {

/// What must be there before a body runs, as bits that are looked at from the lowest to the highest. Column of
/// driver_api.def.
enum class Needs : uint8_t {
    nothing = 0,
    init = 1,        ///< cuInit was called
    current = 1 | 2, ///< a context is current
    healthy = 4,     ///< a context that is current has no sticky error; handles say the rest
    init_healthy = init | healthy,
    context = current | healthy,
    unsafe = 8, ///< not while a stream is capturing. CUDA driver API, cuThreadExchangeStreamCaptureMode
    init_unsafe = init | unsafe,
    healthy_unsafe = healthy | unsafe,
    init_healthy_unsafe = init_healthy | unsafe,
    context_unsafe = context | unsafe,
};

/// One exported symbol, as its wrapper knows it.
struct Entry {
    const char* name;
    const char* arguments; ///< "(dptr, bytesize)": the parameters' names, for the trace
    Needs needs = Needs::nothing;
    bool per_thread = false; ///< a _ptsz or _ptds symbol: stream 0 is the calling thread's
};

/// Whether the entry point that this thread runs was called through its per-thread default stream variant.
bool per_thread_default_stream() noexcept;

namespace detail {
/// Marks the entry point that a thread is in; callbacks may enter another one inside.
class CallScope {
  public:
    explicit CallScope(const Entry&) noexcept;
    ~CallScope();
    CallScope(const CallScope&) = delete;
    CallScope& operator=(const CallScope&) = delete;

  private:
    bool outer_;
};

bool tracing() noexcept;
void trace_begin(const Entry&, std::string_view arguments) noexcept;
void trace_end(const Entry&, std::string_view arguments, CUresult) noexcept;
void require(Needs);
/// Call in a catch block: logs the exception and gives its status.
CUresult status_of_exception(const Entry&) noexcept;
CUresult stub(const Entry&) noexcept;

std::string format_text(const char* text);
std::string format_address(uint64_t);

template <class T> std::string format_argument(const T& value) {
    if constexpr (std::is_same_v<T, const char*>) {
        return format_text(value);
    } else if constexpr (std::is_pointer_v<T>) {
        return format_address(uint64_t(value));
    } else if constexpr (std::is_same_v<T, CUdeviceptr>) {
        return format_address(value);
    } else if constexpr (std::is_arithmetic_v<T>) {
        return std::to_string(value);
    } else {
        return "{...}";
    }
}

/// "dptr=0x7f.., bytesize=16".
std::string name_arguments(const char* names, std::initializer_list<std::string> values);

template <class... A> std::string format_arguments(const Entry& entry, const A&... values) noexcept {
    try {
        return name_arguments(entry.arguments, {format_argument(values)...});
    } catch (...) {
        return {};
    }
}
} // namespace detail

/// The one way into a body, and the ABI's one try/catch. `body` gives an rt::Status; `format` the arguments as text,
/// called only when the log wants them.
template <class Body, class Format> CUresult enter(const Entry& entry, Body&& body, Format&& format) noexcept {
    detail::CallScope scope(entry);
    const bool traced = detail::tracing();
    std::string arguments;
    if (traced) [[unlikely]] {
        arguments = format();
        detail::trace_begin(entry, arguments);
    }
    CUresult result;
    try {
        detail::require(entry.needs);
        result = CUresult(body());
    } catch (...) {
        result = detail::status_of_exception(entry);
    }
    if (traced) [[unlikely]]
        detail::trace_end(entry, arguments, result);
    return result;
}

/// A symbol without a body: says so once by name and answers CUDA_ERROR_NOT_SUPPORTED.
template <class Format> CUresult enter_stub(const Entry& entry, Format&& format) noexcept {
    const bool traced = detail::tracing();
    std::string arguments;
    if (traced) [[unlikely]] {
        arguments = format();
        detail::trace_begin(entry, arguments);
    }
    const CUresult result = detail::stub(entry);
    if (traced) [[unlikely]]
        detail::trace_end(entry, arguments, result);
    return result;
}

} // namespace shim
