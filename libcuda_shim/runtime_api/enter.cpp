#include "runtime_api/enter.h"

#include "runtime_api/context.h"
#include "support/log.h"

namespace cudart {
namespace {

thread_local bool per_thread_default = false;
thread_local cudaError_t error_of_thread = cudaSuccess;

// CU_STREAM_PER_THREAD, CUDA driver API: a handle that every context understands.
const auto stream_per_thread = reinterpret_cast<cudaStream_t>(0x2);

} // namespace

bool per_thread() noexcept { return per_thread_default; }

cudaStream_t effective(cudaStream_t stream) noexcept {
    return !stream && per_thread_default ? stream_per_thread : stream;
}

cudaError_t& last_error() noexcept { return error_of_thread; }

namespace detail {

CallScope::CallScope(const Entry& entry) noexcept : outer_(per_thread_default) {
    per_thread_default = entry.per_thread;
}

CallScope::~CallScope() { per_thread_default = outer_; }

void provide(Needs needs) {
    if (needs == Needs::init) initialise();
    if (needs == Needs::context) use_context();
}

cudaError_t error_of_exception() noexcept {
    try {
        throw;
    } catch (const Failure& failure) {
        return failure.error;
    } catch (const std::bad_alloc&) {
        return cudaErrorMemoryAllocation;
    } catch (...) {
        return cudaErrorUnknown;
    }
}

cudaError_t leave(const Entry& entry, cudaError_t result) noexcept {
    if (result) error_of_thread = result;
    rt::log(rt::LogLevel::debug, rt::LogChannel::api, "{} = {}", entry.name, result);
    return result;
}

cudaError_t refuse(const char* name) noexcept {
    if (rt::first_time(name)) rt::log(rt::LogLevel::warning, rt::LogChannel::api, "{} is not supported", name);
    return error_of_thread = cudaErrorNotSupported;
}

} // namespace detail
} // namespace cudart
