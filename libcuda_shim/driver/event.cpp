#include "api/bodies.h"
#include "api/constants.h"
#include "driver/handles.h"
#include "rt/graph.h"

namespace shim {
namespace {

Status record(CUevent handle, CUstream stream_handle, bool external = false) {
    rt::Event& event = event_of(handle);
    rt::Stream& stream = stream_of(stream_handle);
    if (&event.context() != &stream.context()) {
        throw Error(Status::invalid_handle, "event and stream belong to different contexts");
    }
    external ? rt::capture::add_event(stream, rt::RecordEventNode{&event}) : stream.record(event);
    return Status::success;
}

} // namespace

Status driver::cuEventCreate(CUevent* event, unsigned int flags) {
    out(event, "phEvent");
    require_value(flags <= (CU_EVENT_BLOCKING_SYNC | CU_EVENT_DISABLE_TIMING | CU_EVENT_INTERPROCESS),
                  "unknown event flags");
    require_value(!(flags & CU_EVENT_INTERPROCESS) || (flags & CU_EVENT_DISABLE_TIMING),
                  "events between processes have no timing");
    *event = handle_of(*new rt::Event(rt::Context::current(), flags));
    return Status::success;
}

Status driver::cuEventDestroy_v2(CUevent event) {
    delete &event_of(event);
    return Status::success;
}

Status driver::cuEventQuery(CUevent event) { return event_of(event).reached() ? Status::success : Status::not_ready; }

Status driver::cuEventSynchronize(CUevent event) {
    event_of(event).synchronize();
    return Status::success;
}

Status driver::cuEventElapsedTime_v2(float* milliseconds, CUevent start, CUevent end) {
    out(milliseconds, "pMilliseconds") = rt::Event::elapsed(event_of(start), event_of(end));
    return Status::success;
}

Status driver::cuEventRecord(CUevent event, CUstream stream) { return record(event, stream); }

Status driver::cuEventRecordWithFlags(CUevent event, CUstream stream, unsigned int flags) {
    require_value((flags & ~unsigned(CU_EVENT_RECORD_EXTERNAL)) == 0, "unknown flags");
    if (flags) require_capture(stream_of(stream));
    return record(event, stream, flags != 0);
}

} // namespace shim
