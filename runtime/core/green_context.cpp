#include "rt/green_context.h"

#include "core/capture.h"
#include "core/context_state.h"
#include "core/lifecycle.h"
#include "rt/device.h"

namespace rt {
namespace {

std::unique_ptr<backend::Partition> partition_of(Device& device, multiprocessors::SetId set) {
    auto made = device.backend().create_partition(multiprocessors::count(set));
    if (!made) throw Error(Status::not_supported, "the device cannot confine kernels to some of its multiprocessors");
    return made;
}

} // namespace

GreenContext::GreenContext(Device& device, multiprocessors::SetId set)
    : HandleBase(kind), device_(device), context_(device.primary()), id_(Context::next_id()), set_(set),
      partition_(partition_of(device, set)), group_(std::make_shared<StreamGroup>()) {
    device_.retain_primary();
    auto& state = context_.state();
    std::lock_guard lock(state.mutex);
    group_->awaited = state.group->awaited;
    state.green.insert(this);
}

GreenContext::~GreenContext() {
    {
        std::lock_guard lock(lifecycle());
        auto& state = context_.state();
        state.wait_for_all(group_.get());
        delete group_->legacy.load();
        group_->closed = true;
        std::lock_guard objects(state.mutex);
        state.green.erase(this);
    }
    Context::note_death();
    device_.release_primary();
}

Stream& GreenContext::default_stream() {
    auto& legacy = group_->legacy;
    if (Stream* stream = legacy.load(std::memory_order_acquire)) return *stream;
    std::lock_guard lock(lifecycle());
    if (Stream* stream = legacy.load()) return *stream;
    auto* stream = new Stream(context_, 0, 0, Stream::Role::legacy, this);
    legacy.store(stream, std::memory_order_release);
    return *stream;
}

Stream& GreenContext::stream(void* handle, bool per_thread_default) {
    const auto number = reinterpret_cast<uintptr_t>(handle);
    if (number == 1 || (number == 0 && !per_thread_default)) return default_stream();
    throw Error(Status::invalid_handle, "a green context has no streams of threads");
}

void GreenContext::synchronize() {
    auto& state = context_.state();
    capture::forbid(context_, group_.get());
    context_.check();
    state.wait_for_all(group_.get());
    device_.backend().drain_printf();
    context_.collect_faults();
    context_.check();
}

void GreenContext::record(Event& event) { context_.state().record(context_, group_.get(), event); }
void GreenContext::wait_for(Event& event) { context_.state().wait_for(context_, group_.get(), event); }

} // namespace rt
