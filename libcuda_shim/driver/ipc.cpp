#include "rt/ipc.h"

#include "api/bodies.h"
#include "api/constants.h"
#include "driver/handles.h"
#include "rt/platform.h"

#include <cstring>

// CUDA driver API, "Memory Management" and "Event Management": handles for other processes.
namespace shim {
namespace {

static_assert(sizeof(CUipcMemHandle) == sizeof(rt::ipc::Handle) && sizeof(CUipcEventHandle) == sizeof(rt::ipc::Handle));

template <class Theirs> void give(Theirs* to, const rt::ipc::Handle& handle) {
    std::memcpy(to, &handle, sizeof handle);
}

template <class Theirs> rt::ipc::Handle taken(const Theirs& from) {
    rt::ipc::Handle handle;
    std::memcpy(&handle, &from, sizeof handle);
    return handle;
}

/// As an H100's driver has it: no handle before cuInit is a wrong value, one without a context a missing context.
void require_context() {
    require_value(rt::Platform::initialized(), "cuInit was not called");
    rt::Context::current();
}

} // namespace

Status driver::cuIpcGetMemHandle(CUipcMemHandle* handle, CUdeviceptr address) {
    require_context();
    give(&out(handle, "pHandle"), rt::ipc::memory_handle(address));
    return Status::success;
}

Status driver::cuIpcOpenMemHandle_v2(CUdeviceptr* address, CUipcMemHandle handle, unsigned int flags) {
    out(address, "pdptr");
    require_value(flags == CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS,
                  "opening a handle wants CU_IPC_MEM_LAZY_ENABLE_PEER_ACCESS");
    *address = rt::ipc::open_memory(rt::Context::current(), taken(handle));
    return Status::success;
}

Status driver::cuIpcCloseMemHandle(CUdeviceptr address) {
    rt::ipc::close_memory(address);
    return Status::success;
}

Status driver::cuIpcGetEventHandle(CUipcEventHandle* handle, CUevent event) {
    require_context();
    require_value(handle && event, "no event, or nowhere to put the handle");
    const auto& shared = event_of(event).shared();
    if (!shared || shared->opened()) throw Error(Status::invalid_handle, "the event was not made to be shared");
    give(handle, shared->handle());
    return Status::success;
}

Status driver::cuIpcOpenEventHandle(CUevent* event, CUipcEventHandle handle) {
    out(event, "phEvent");
    auto shared = rt::ipc::SharedEvent::open(taken(handle));
    *event = handle_of(
        *new rt::Event(rt::Context::current(), CU_EVENT_DISABLE_TIMING | CU_EVENT_INTERPROCESS, std::move(shared)));
    return Status::success;
}

} // namespace shim
