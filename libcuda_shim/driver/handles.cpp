#include "driver/handles.h"

#include "api/enter.h"
#include "rt/graph.h"
#include "rt/platform.h"

#include <fmt/format.h>

namespace shim {
namespace {

template <class T, class Handle> T& checked(Handle value, rt::Status status, const char* what) {
    if (T* object = rt::handle_cast<T>(value)) return *object;
    throw rt::Error(status, fmt::format("{:#x} is no {}", uint64_t(value), what));
}

bool is_special(CUstream stream) { return uint64_t(stream) <= 2; }

} // namespace

rt::Device& device_of(CUdevice device) { return rt::Platform::get().device(device); }

rt::Context& context_of(CUcontext context) {
    if (rt::GreenContext* green = green_or_null(context)) return green->context();
    return checked<rt::Context>(context, rt::Status::invalid_context, "context");
}

rt::GreenContext* green_or_null(CUcontext context) { return rt::handle_cast<rt::GreenContext>(context); }

rt::GreenContext& green_of(CUgreenCtx green) {
    if (!green) throw rt::Error(rt::Status::invalid_context, "no green context");
    return checked<rt::GreenContext>(green, rt::Status::context_is_destroyed, "green context");
}

rt::Context& context_or_current(CUcontext context) { return context ? context_of(context) : rt::Context::current(); }

rt::Module& module_of(CUmodule module) { return checked<rt::Module>(module, rt::Status::invalid_handle, "module"); }

rt::Library& library_of(CUlibrary library) {
    return checked<rt::Library>(library, rt::Status::invalid_handle, "library");
}

rt::LibraryKernel& kernel_of(CUkernel kernel) {
    return checked<rt::LibraryKernel>(kernel, rt::Status::invalid_handle, "kernel");
}

rt::Function& function_of(CUfunction function) {
    if (auto* kernel = rt::handle_cast<rt::LibraryKernel>(function)) return kernel->function(rt::Context::current());
    return checked<rt::Function>(function, rt::Status::invalid_handle, "function");
}

rt::Event& event_of(CUevent event) { return checked<rt::Event>(event, rt::Status::invalid_handle, "event"); }

namespace {

rt::Stream& living(CUstream handle) {
    auto& stream = checked<rt::Stream>(handle, rt::Status::invalid_handle, "stream");
    if (stream.orphaned()) throw rt::Error(rt::Status::context_is_destroyed, "the stream's green context is gone");
    return stream;
}

} // namespace

rt::Stream& stream_of(CUstream stream) {
    if (!is_special(stream)) return living(stream);
    rt::Context& context = rt::Context::current();
    if (rt::GreenContext* green = rt::GreenContext::current_or_null())
        return green->stream(stream, per_thread_default_stream());
    return context.stream(stream, per_thread_default_stream());
}

rt::Stream& uncaptured_stream_of(CUstream handle) {
    if (is_special(handle) && !rt::Context::current_or_null())
        throw rt::Error(rt::Status::invalid_handle, "a default stream, and no context");
    rt::Stream& stream = stream_of(handle);
    rt::capture::forbid(stream);
    return stream;
}

rt::Stream& created_stream_of(CUstream stream) {
    if (is_special(stream)) throw rt::Error(rt::Status::invalid_handle, "a default stream cannot be given here");
    return living(stream);
}

void require_capture(rt::Stream& stream) {
    if (rt::capture::info(stream).status == rt::CaptureStatus::none)
        throw rt::Error(rt::Status::illegal_state, "the stream does not capture");
}

rt::Context& kernel_context(CUdevice device) {
    rt::Device& wanted = device_of(device);
    rt::Context* current = rt::Context::current_or_null();
    return current && &current->device() == &wanted ? *current : wanted.primary();
}

} // namespace shim
