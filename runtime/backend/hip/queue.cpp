#include "backend/hip/queue.h"

#include "backend/gpu/group.h"
#include "backend/gpu/rows.h"
#include "backend/hip/code.h"
#include "backend/hip/device.h"
#include "support/log.h"

#include <algorithm>
#include <exception>
#include <fmt/format.h>

namespace rt::backend::hip {

namespace {

void* pointer(uint64_t address) { return reinterpret_cast<void*>(address); }

/// Runs on a thread of HIP's, out of which nothing may escape.
void run_host_call(void* argument) {
    const std::unique_ptr<std::function<void()>> function(static_cast<std::function<void()>*>(argument));
    try {
        (*function)();
    } catch (const std::exception& error) {
        log(LogLevel::error, LogChannel::launch, "hip: a host call failed: {}", error.what());
    }
}

bool tells_of_a_kernel(hipError_t result) {
    return result == hipErrorIllegalAddress || result == hipErrorAssert || result == hipErrorLaunchFailure;
}

} // namespace

HipQueue::HipQueue(HipDevice& device, int priority, std::shared_ptr<gpu::Parents> parents)
    : device_(device), hip_(loader()), waiter_(std::make_shared<Waiter>(device)), is_launchers_(parents != nullptr),
      parents_(parents ? std::move(parents) : std::make_shared<gpu::Parents>(device.launcher())) {
    int least = 0, greatest = 0;
    check(hip_.hipDeviceGetStreamPriorityRange(&least, &greatest), "asking for priorities");
    // In both the lower number is served sooner. Not blocking: the default stream has no part in this.
    const int wanted = std::clamp(priority, std::min(least, greatest), std::max(least, greatest));
    check(hip_.hipStreamCreateWithPriority(&stream_, hipStreamNonBlocking, wanted), "creating a stream");
}

HipQueue::~HipQueue() {
    synchronize();
    if (device_.lost()) return; // the stream's end would be waited for
    if (has_services_) device_.service_thread().forget(*waiter_->services().box());
    device_.watch_dog().forget(stream_);
    hip_.hipStreamDestroy(stream_);
}

void HipQueue::taken(hipError_t result, const std::string& doing) {
    if (tells_of_a_kernel(result))
        waiter_->reached(result);
    else
        check(result, doing);
}

void HipQueue::launch(const Launch& launch) {
    device_.make_current();
    auto& kernel = static_cast<HipKernel&>(*launch.kernel);
    kernel.launches() ? start_parent(launch, kernel) : start(launch, kernel);
}

void HipQueue::start_parent(const Launch& launch, HipKernel& kernel) {
    gpu::start_parent(parents_, launch, *waiter_->services().box(), [&] { start(launch, kernel); });
    // What is behind it on the stream waits, while the launcher's queues go on.
    if (is_launchers_) return;
    host_call([this] {
        waiter_->services().box()->serve(); // it may have been at fault
        parents_->finish(*waiter_->faults());
    });
}

void HipQueue::start(const Launch& launch, HipKernel& kernel) {
    gpu::Group group = gpu::checked_group_of(launch, device_.facts(), device_.wave_lanes());
    kernel.code().set_globals(launch.globals);
    // The packed parameters are one argument. HIP copies all before it returns.
    void* arguments[4];
    size_t count = 0;
    if (!launch.parameters.empty()) arguments[count++] = const_cast<uint8_t*>(launch.parameters.data());
    if (kernel.info().uses_cluster) arguments[count++] = &group.cluster;
    uint64_t services = 0, workspace = 0;
    if (kernel.info().uses_services) {
        services = waiter_->services().block() | (kernel.info().uses_cluster ? ptx::gpu::cluster_bit : 0);
        workspace = launch.cooperative ? waiter_->services().workspace() : 0;
        arguments[count++] = &services;
        arguments[count++] = &workspace;
        if (kernel.info().uses_heap) device_.runtime().make_heap();
    }
    void** parameters = count ? arguments : nullptr;
    const auto &grid = group.grid, &threads = group.threads;
    const hipError_t result =
        launch.cooperative
            ? hip_.hipModuleLaunchCooperativeKernel(kernel.handle(), grid.x, grid.y, grid.z, threads.x, threads.y,
                                                    threads.z, group.dynamic_shared_bytes, stream_, parameters)
            : hip_.hipModuleLaunchKernel(kernel.handle(), grid.x, grid.y, grid.z, threads.x, threads.y, threads.z,
                                         group.dynamic_shared_bytes, stream_, parameters, nullptr);
    taken(result, "launching kernel " + kernel.info().name);
    device_.watch_dog().launched(stream_);
    if (kernel.info().uses_services) serve();
}

/// Kernels may ask for something until the stream is idle.
void HipQueue::serve() {
    has_services_ = true;
    device_.service_thread().watch(waiter_->services().box(), [&hip = hip_, stream = stream_] {
        return hip.hipStreamQuery(stream) != hipErrorNotReady;
    });
}

void HipQueue::copy(const Copy& copy) {
    if (!copy.width || !copy.height || !copy.depth) return;
    device_.make_current();
    if (copy.height == 1) {
        gpu::for_each_row(copy, [&](uint64_t to, uint64_t from) {
            taken(hip_.hipMemcpyAsync(pointer(to), pointer(from), copy.width, hipMemcpyDefault, stream_), "copying");
        });
        return;
    }
    for (size_t slice = 0; slice < copy.depth; slice++)
        taken(hip_.hipMemcpy2DAsync(pointer(copy.destination + slice * copy.destination_slice), copy.destination_pitch,
                                    pointer(copy.source + slice * copy.source_slice), copy.source_pitch, copy.width,
                                    copy.height, hipMemcpyDefault, stream_),
              "copying rows");
}

void HipQueue::fill(const Fill& fill) {
    device_.make_current();
    gpu::for_each_run(fill, [&](uint64_t to, size_t elements) {
        void* at = pointer(to);
        taken(fill.element_bytes == 1   ? hip_.hipMemsetD8Async(at, uint8_t(fill.value), elements, stream_)
              : fill.element_bytes == 2 ? hip_.hipMemsetD16Async(at, uint16_t(fill.value), elements, stream_)
                                        : hip_.hipMemsetD32Async(at, int(fill.value), elements, stream_),
              "filling memory");
    });
}

void HipQueue::call(std::function<void()> function) {
    host_call([function = std::move(function), &dog = device_.watch_dog()] {
        const WatchDog::HostCall running(dog);
        function();
    });
}

void HipQueue::host_call(std::function<void()> function) {
    device_.make_current();
    auto argument = std::make_unique<std::function<void()>>(std::move(function));
    const hipError_t result = hip_.hipLaunchHostFunc(stream_, run_host_call, argument.get());
    if (result == hipSuccess) argument.release();
    taken(result, "arranging a host call");
}

std::shared_ptr<Marker> HipQueue::mark(bool timing) {
    device_.make_current();
    std::shared_ptr<Clock::Reference> reference = timing ? device_.clock()->reference(stream_) : nullptr;
    auto event = std::make_unique<Event>(timing);
    taken(hip_.hipEventRecord(event->handle(), stream_), "recording an event");
    return std::make_shared<HipMarker>(waiter_, std::move(event), std::move(reference));
}

void HipQueue::wait_for(std::shared_ptr<Marker> marker) {
    if (marker->reached()) return;
    const auto own = std::dynamic_pointer_cast<HipMarker>(marker);
    if (!own) return call([marker] { marker->wait(); });
    device_.make_current();
    taken(hip_.hipStreamWaitEvent(stream_, own->event(), 0), "waiting for an event");
}

bool HipQueue::idle() const {
    device_.make_current();
    return waiter_->reached(hip_.hipStreamQuery(stream_));
}

void HipQueue::synchronize() {
    device_.make_current();
    waiter_->wait([this] { return hip_.hipStreamQuery(stream_); },
                  [this] { return hip_.hipStreamSynchronize(stream_); });
}

} // namespace rt::backend::hip
