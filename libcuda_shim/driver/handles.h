#pragma once

#include "api/types.h"
#include "rt/context.h"
#include "rt/device.h"
#include "rt/green_context.h"
#include "rt/module.h"
#include "rt/stream.h"

#include <string>

/// From the application's handles to objects and back. What is null, stale, foreign or of another kind throws what
/// CUDA returns for it.
namespace shim {

using rt::Error;
using rt::Status;

/// Throws invalid_value when an out-pointer is null. `what` names the parameter.
template <class T> T& out(T* pointer, const char* what) {
    if (!pointer) throw Error(Status::invalid_value, std::string(what) + " is null");
    return *pointer;
}

/// Throws invalid_value with the message unless the condition holds.
inline void require_value(bool condition, const char* message) {
    if (!condition) throw Error(Status::invalid_value, message);
}

rt::Device& device_of(CUdevice);
/// Also the context of a green context, whose handle is one of a context.
rt::Context& context_of(CUcontext);
/// Null when the handle is none of a green context, or of one that is gone.
rt::GreenContext* green_or_null(CUcontext);
/// Throws invalid_context for null, context_is_destroyed for what is none.
rt::GreenContext& green_of(CUgreenCtx);
/// The current context when the handle is null.
rt::Context& context_or_current(CUcontext);
rt::Module& module_of(CUmodule);
rt::Library& library_of(CUlibrary);
rt::LibraryKernel& kernel_of(CUkernel);
/// A CUfunction, or a CUkernel given in its place: that one's function in the current context.
rt::Function& function_of(CUfunction);
/// For the calls whose answer to a null handle is invalid_value, not invalid_handle.
template <class Handle> Handle not_null(Handle handle, const char* what) {
    if (!handle) throw Error(Status::invalid_value, std::string("no ") + what);
    return handle;
}
rt::Event& event_of(CUevent);
/// Also the special handles 0, 1 and 2, in the current context; what 0 means depends on the entry point's variant.
rt::Stream& stream_of(CUstream);
/// For calls that cannot be captured: spoils a capture. The default streams throw invalid_handle without a context.
rt::Stream& uncaptured_stream_of(CUstream);
/// One that the application created: not a special handle.
rt::Stream& created_stream_of(CUstream);
/// For what only a capture understands: illegal_state when the stream does not capture.
void require_capture(rt::Stream&);
/// The context whose functions stand for a device's kernels: the current one if it is of that device, else the primary.
rt::Context& kernel_context(CUdevice);

template <class Handle> Handle handle(rt::HandleBase& object) { return reinterpret_cast<Handle>(&object); }
inline CUcontext handle_of(rt::Context& object) { return handle<CUcontext>(object); }
inline CUgreenCtx handle_of(rt::GreenContext& object) { return handle<CUgreenCtx>(object); }
inline CUmodule handle_of(rt::Module& object) { return handle<CUmodule>(object); }
inline CUfunction handle_of(rt::Function& object) { return handle<CUfunction>(object); }
inline CUlibrary handle_of(rt::Library& object) { return handle<CUlibrary>(object); }
inline CUkernel handle_of(rt::LibraryKernel& object) { return handle<CUkernel>(object); }
inline CUstream handle_of(rt::Stream& object) { return handle<CUstream>(object); }
inline CUevent handle_of(rt::Event& object) { return handle<CUevent>(object); }

} // namespace shim
