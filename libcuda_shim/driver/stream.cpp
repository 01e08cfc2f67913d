#include "api/bodies.h"
#include "api/constants.h"
#include "driver/handles.h"
#include "rt/graph.h"
#include "rt/memory.h"

#include <algorithm>

namespace shim {
namespace {

constexpr int greatest_priority = -5, least_priority = 0;

Status create(CUstream* stream, unsigned flags, int priority, rt::Context& context, rt::GreenContext* green) {
    out(stream, "phStream");
    require_value((flags & ~unsigned(CU_STREAM_NON_BLOCKING)) == 0, "unknown stream flags");
    const int clamped = std::clamp(priority, greatest_priority, least_priority);
    *stream = handle_of(*new rt::Stream(context, flags, clamped, rt::Stream::Role::created, green));
    return Status::success;
}

Status create(CUstream* stream, unsigned flags, int priority) {
    return create(stream, flags, priority, rt::Context::current(), rt::GreenContext::current_or_null());
}

} // namespace

Status driver::cuStreamCreate(CUstream* stream, unsigned int flags) { return create(stream, flags, least_priority); }

Status driver::cuStreamCreateWithPriority(CUstream* stream, unsigned int flags, int priority) {
    return create(stream, flags, priority);
}

Status driver::cuStreamDestroy_v2(CUstream stream) {
    delete &created_stream_of(stream);
    return Status::success;
}

Status driver::cuStreamGetPriority(CUstream stream, int* priority) {
    out(priority, "priority") = stream_of(stream).priority();
    return Status::success;
}

Status driver::cuStreamGetFlags(CUstream stream, unsigned int* flags) {
    out(flags, "flags") = stream_of(stream).flags();
    return Status::success;
}

Status driver::cuStreamGetId(CUstream stream, unsigned long long* id) {
    out(id, "streamId") = stream_of(stream).id();
    return Status::success;
}

Status driver::cuStreamGetDevice(CUstream stream, CUdevice* device) {
    out(device, "device") = stream_of(stream).context().device().ordinal();
    return Status::success;
}

Status driver::cuStreamGetCtx(CUstream stream, CUcontext* context) {
    rt::Stream& found = stream_of(stream);
    out(context, "pctx") = found.green() ? handle<CUcontext>(*found.green()) : handle_of(found.context());
    return Status::success;
}

Status driver::cuStreamGetCtx_v2(CUstream stream, CUcontext* context, CUgreenCtx* green) {
    rt::Stream& found = stream_of(stream);
    if (context) *context = handle_of(found.context());
    if (green) *green = found.green() ? handle_of(*found.green()) : nullptr;
    return Status::success;
}

Status driver::cuStreamGetGreenCtx(CUstream stream, CUgreenCtx* green) {
    out(green, "phCtx");
    rt::Stream& found = stream_of(stream);
    *green = found.green() ? handle_of(*found.green()) : nullptr;
    return Status::success;
}

Status driver::cuGreenCtxStreamCreate(CUstream* stream, CUgreenCtx green, unsigned int flags, int priority) {
    out(stream, "phStream");
    rt::GreenContext& found = green_of(green);
    require_value(flags == CU_STREAM_NON_BLOCKING, "streams of green contexts are made as non-blocking ones");
    return create(stream, flags, priority, found.context(), &found);
}

Status driver::cuStreamQuery(CUstream stream) { return stream_of(stream).idle() ? Status::success : Status::not_ready; }

Status driver::cuStreamSynchronize(CUstream stream) {
    stream_of(stream).synchronize();
    return Status::success;
}

Status driver::cuStreamWaitEvent(CUstream stream, CUevent event, unsigned int flags) {
    require_value((flags & ~unsigned(CU_EVENT_WAIT_EXTERNAL)) == 0, "unknown flags");
    rt::Stream& waiting = stream_of(stream);
    if (flags) {
        require_capture(waiting);
        rt::capture::add_event(waiting, rt::WaitEventNode{&event_of(event)});
    } else {
        waiting.wait_for(event_of(event));
    }
    return Status::success;
}

Status driver::cuStreamAddCallback(CUstream stream, CUstreamCallback callback, void* data, unsigned int flags) {
    require_value(callback && flags == 0, "no callback, or unknown flags");
    rt::Stream& on = stream_of(stream);
    rt::capture::forbid(on);
    on.call([=] { callback(stream, CUresult(Status::success), data); });
    return Status::success;
}

// Attachment narrows who may touch managed memory when; memory that both sides always reach needs no narrowing.
Status driver::cuStreamAttachMemAsync(CUstream stream, CUdeviceptr address, size_t length, unsigned int flags) {
    rt::Stream& on = stream_of(stream);
    require_value(flags == CU_MEM_ATTACH_GLOBAL || flags == CU_MEM_ATTACH_HOST || flags == CU_MEM_ATTACH_SINGLE,
                  "unknown attachment");
    const bool special = uint64_t(stream) == 0 || on.role() == rt::Stream::Role::legacy;
    require_value(flags != CU_MEM_ATTACH_SINGLE || !special, "the legacy stream cannot own memory");
    const auto found = rt::memory::find(address);
    require_value(found && found->kind == rt::backend::MemoryKind::managed, "not managed memory");
    require_value(length == 0 || length == found->size, "only whole allocations are attached");
    return Status::success;
}

} // namespace shim
