#include "api/bodies.h"
#include "api/constants.h"
#include "driver/handles.h"

#include <memory>

namespace shim {
namespace {

void check_flags(unsigned flags) {
    require_value((flags & ~unsigned(CU_CTX_FLAGS_MASK)) == 0, "unknown context flags");
    const unsigned schedule = flags & CU_CTX_SCHED_MASK;
    require_value((schedule & (schedule - 1)) == 0, "more than one scheduling flag");
}

Status create(CUcontext* context, unsigned flags, CUdevice dev) {
    out(context, "pctx");
    rt::Device& device = device_of(dev);
    check_flags(flags);
    auto created = std::make_unique<rt::Context>(device, flags, false);
    rt::Context::push(*created);
    *context = handle_of(*created.release());
    return Status::success;
}

void check_affinity(int count) {
    if (count) throw Error(Status::unsupported_exec_affinity, "contexts cannot be restricted to multiprocessors");
}

} // namespace

Status driver::cuCtxCreate_v2(CUcontext* context, unsigned int flags, CUdevice dev) {
    return create(context, flags, dev);
}

Status driver::cuCtxCreate_v3(CUcontext* context, CUexecAffinityParam*, int count, unsigned int flags, CUdevice dev) {
    check_affinity(count);
    return create(context, flags, dev);
}

Status driver::cuCtxCreate_v4(CUcontext* context, CUctxCreateParams* params, unsigned int flags, CUdevice dev) {
    if (params) {
        check_affinity(params->numExecAffinityParams);
        if (params->cigParams) throw Error(Status::not_supported, "contexts shared with graphics are not supported");
    }
    return create(context, flags, dev);
}

Status driver::cuCtxDestroy_v2(CUcontext handle) {
    require_value(handle, "no context");
    if (green_or_null(handle)) throw Error(Status::invalid_context, "a green context is destroyed as one");
    rt::Context& context = context_of(handle);
    if (context.is_primary()) throw Error(Status::invalid_context, "a primary context is released, not destroyed");
    if (rt::Context::current_or_null() == &context) rt::Context::pop();
    delete &context;
    return Status::success;
}

// Usage counts are of before CUDA 4. CUDA driver API, "Context Management [DEPRECATED]".
Status driver::cuCtxAttach(CUcontext* context, unsigned int flags) {
    out(context, "pctx");
    require_value(flags == 0, "unknown flags");
    ++rt::Context::current().attached;
    *context = handle<CUcontext>(*rt::Context::current_handle());
    return Status::success;
}

Status driver::cuCtxDetach(CUcontext handle) {
    rt::Context& context = context_of(handle);
    if (rt::Context::current_or_null() != &context)
        throw Error(Status::invalid_context, "only the current context can be detached");
    unsigned times = context.attached;
    while (times && !context.attached.compare_exchange_weak(times, times - 1)) {}
    return times ? Status::success : cuCtxDestroy_v2(handle);
}

Status driver::cuCtxPushCurrent_v2(CUcontext context) {
    rt::Context& found = context_of(not_null(context, "context"));
    if (rt::GreenContext* green = green_or_null(context))
        rt::GreenContext::push(*green);
    else
        rt::Context::push(found);
    return Status::success;
}

Status driver::cuCtxPopCurrent_v2(CUcontext* context) {
    rt::HandleBase* popped = rt::Context::pop();
    if (context) *context = popped ? handle<CUcontext>(*popped) : nullptr;
    return Status::success;
}

Status driver::cuCtxSetCurrent(CUcontext context) {
    if (rt::GreenContext* green = green_or_null(context))
        rt::GreenContext::set_current(*green);
    else
        rt::Context::set_current(context ? &context_of(context) : nullptr);
    return Status::success;
}

Status driver::cuCtxGetCurrent(CUcontext* context) {
    rt::HandleBase* current = rt::Context::current_handle();
    out(context, "pctx") = current ? handle<CUcontext>(*current) : nullptr;
    return Status::success;
}

Status driver::cuCtxGetDevice(CUdevice* device) {
    out(device, "device") = rt::Context::current().device().ordinal();
    return Status::success;
}

Status driver::cuCtxGetDevice_v2(CUdevice* device, CUcontext context) {
    out(device, "device") = context_or_current(context).device().ordinal();
    return Status::success;
}

Status driver::cuCtxGetFlags(unsigned int* flags) {
    out(flags, "flags") = rt::Context::current().flags();
    return Status::success;
}

Status driver::cuCtxSetFlags(unsigned int flags) {
    check_flags(flags);
    rt::Context::current().set_flags(flags);
    return Status::success;
}

Status driver::cuCtxGetId(CUcontext context, unsigned long long* id) {
    rt::GreenContext* green = context ? green_or_null(context) : rt::GreenContext::current_or_null();
    out(id, "ctxId") = green ? green->id() : context_or_current(context).id();
    return Status::success;
}

Status driver::cuCtxSynchronize() {
    if (rt::GreenContext* green = rt::GreenContext::current_or_null())
        green->synchronize();
    else
        rt::Context::current().synchronize();
    return Status::success;
}

Status driver::cuCtxSynchronize_v2(CUcontext context) {
    if (!context) return cuCtxSynchronize();
    if (rt::GreenContext* green = green_or_null(context))
        green->synchronize();
    else
        context_of(context).synchronize();
    return Status::success;
}

Status driver::cuCtxSetLimit(CUlimit limit, size_t value) {
    rt::Context::current().set_limit(rt::Limit(limit), value);
    return Status::success;
}

Status driver::cuCtxGetLimit(size_t* value, CUlimit limit) {
    out(value, "pvalue") = rt::Context::current().limit(rt::Limit(limit));
    return Status::success;
}

Status driver::cuCtxGetCacheConfig(CUfunc_cache* config) {
    out(config, "pconfig") = rt::Context::current().cache_config;
    return Status::success;
}

Status driver::cuCtxSetCacheConfig(CUfunc_cache config) {
    require_value(config >= 0 && config <= 3, "unknown cache configuration");
    rt::Context::current().cache_config = config;
    return Status::success;
}

Status driver::cuCtxGetSharedMemConfig(CUsharedconfig* config) {
    out(config, "pConfig") = rt::Context::current().shared_mem_config;
    return Status::success;
}

Status driver::cuCtxSetSharedMemConfig(CUsharedconfig config) {
    require_value(config >= 0 && config <= 2, "unknown shared memory configuration");
    rt::Context::current().shared_mem_config = config;
    return Status::success;
}

// The ABI of contexts has been this one since 3.2.
Status driver::cuCtxGetApiVersion(CUcontext context, unsigned int* version) {
    context_or_current(context);
    out(version, "version") = 3020;
    return Status::success;
}

Status driver::cuCtxGetStreamPriorityRange(int* least, int* greatest) {
    if (least) *least = 0;
    if (greatest) *greatest = -5;
    return Status::success;
}

Status driver::cuCtxResetPersistingL2Cache() {
    throw Error(Status::not_supported, "no part of the L2 cache can be set aside");
}

Status driver::cuCtxGetExecAffinity(CUexecAffinityParam* affinity, CUexecAffinityType type) {
    if (type != CU_EXEC_AFFINITY_TYPE_SM_COUNT)
        throw Error(Status::unsupported_exec_affinity, "contexts are restricted to multiprocessors, nothing else");
    if (rt::GreenContext::current_or_null())
        throw Error(Status::invalid_context, "a green context has resources, no affinity");
    const auto all = rt::Context::current().device().attribute(CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
    out(affinity, "pExecAffinity") = {type, unsigned(all.value_or(0))};
    return Status::success;
}

} // namespace shim
