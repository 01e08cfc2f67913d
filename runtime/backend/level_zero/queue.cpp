#include "backend/level_zero/queue.h"

#include "backend/gpu/rows.h"
#include "backend/level_zero/code.h"
#include "backend/level_zero/device.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace rt::backend::level_zero {

namespace {

/// Commands under way before the host waits for the oldest, as CUDA's driver does at about as many.
constexpr size_t most_under_way = 1024;

void* pointer(uint64_t address) { return reinterpret_cast<void*>(address); }

bool fits(std::initializer_list<uint64_t> values) {
    return std::ranges::all_of(values, [](uint64_t v) { return v <= std::numeric_limits<uint32_t>::max(); });
}

} // namespace

ZeQueue::ZeQueue(ZeDevice& device, int priority, std::shared_ptr<gpu::Parents> parents)
    : device_(device), ze_(device.context()->ze), is_launchers_(parents != nullptr),
      parents_(parents ? std::move(parents) : std::make_shared<gpu::Parents>(device.launcher())) {
    ze_command_queue_desc_t description;
    description.ordinal = device.driver().compute_ordinal;
    // CUDA: the lower the number, the sooner.
    if (priority < 0) description.priority = ZE_COMMAND_QUEUE_PRIORITY_PRIORITY_HIGH;
    check(ze_.zeCommandListCreateImmediate(device.context()->handle, device.handle(), &description, &list_),
          "creating a command list");
}

ZeQueue::~ZeQueue() {
    synchronize();
    host_calls_.reset();
    if (services_) {
        device_.remove(*services_);
        device_.service_thread().forget(*services_->box());
        faults_->serve_first(nullptr); // which holds the queue's faults, too
    }
    if (device_.events()->is_lost()) return; // the list's end would be waited for
    ze_.zeCommandListDestroy(list_);
}

void ZeQueue::retire() {
    while (!under_way_.empty()) {
        const Progress progress = under_way_.front().done->query();
        if (progress == Progress::pending) return;
        faults_->note(progress);
        under_way_.pop_front();
    }
}

void ZeQueue::make_room() {
    retire();
    while (under_way_.size() >= most_under_way) {
        faults_->note(under_way_.front().done->wait());
        retire();
    }
}

template <class F> void ZeQueue::append(const std::string& doing, F&& command, std::shared_ptr<uint8_t> memory,
                                        std::shared_ptr<Event> also) {
    make_room();
    if (device_.events()->is_lost()) return faults_->note(device_.events()->state());
    auto done = device_.events()->take();
    ze_event_handle_t waits[2] = {};
    uint32_t count = 0;
    for (const Event* event : {last_.get(), also.get()})
        if (event && event->query() != Progress::done) waits[count++] = event->handle();
    under_way_.push_back({done, last_, std::move(also), std::move(memory)});
    try {
        const ze_result_t result = command(done->handle(), count, count ? waits : nullptr);
        if (result == ZE_RESULT_ERROR_DEVICE_LOST) {
            device_.events()->set_lost(Progress::lost);
            faults_->note(Progress::lost);
        }
        check(result, doing);
    } catch (...) {
        under_way_.pop_back();
        throw;
    }
    last_ = std::move(done);
}

void ZeQueue::launch(const Launch& launch) {
    auto& kernel = static_cast<ZeKernel&>(*launch.kernel);
    std::lock_guard lock(mutex_);
    kernel.launches() ? start_parent(launch, kernel) : start(launch, kernel);
}

void ZeQueue::start_parent(const Launch& launch, ZeKernel& kernel) {
    if (device_.events()->is_lost()) return faults_->note(device_.events()->state());
    gpu::start_parent(parents_, launch, *services().box(), [&] { start(launch, kernel); });
    // What is behind it on the queue waits, while the launcher's queues go on.
    if (!is_launchers_) post([this] { parents_->finish(*faults_); });
}

void ZeQueue::start(const Launch& launch, ZeKernel& kernel) {
    const ptx::KernelInfo& info = kernel.info();
    const gpu::Group group = gpu::checked_group_of(launch, device_.facts(), warp_size);
    const ze_group_count_t groups{group.grid.x, group.grid.y, group.grid.z};
    // What is said of the cluster lies behind the parameters.
    const size_t place = (launch.parameters.size() + 15) & ~size_t{15};
    const size_t bytes = info.uses_cluster ? place + sizeof group.cluster : launch.parameters.size();
    Addresses addresses;
    std::shared_ptr<uint8_t> memory;
    if (bytes) {
        memory = device_.slots()->take(bytes);
        std::ranges::copy(launch.parameters, memory.get());
        if (info.uses_cluster) std::memcpy(memory.get() + place, &group.cluster, sizeof group.cluster);
        addresses.parameters = reinterpret_cast<uint64_t>(memory.get());
        addresses.cluster = addresses.parameters + place;
    }
    if (info.uses_services) {
        addresses.services = services().block();
        addresses.workspace = launch.cooperative ? services().workspace() : 0;
        if (info.uses_heap) device_.runtime().make_heap();
    }
    append(
        "launching kernel " + info.name,
        [&](ze_event_handle_t signal, uint32_t count, ze_event_handle_t* waits) {
            ze_result_t result = ZE_RESULT_SUCCESS;
            kernel.with_arguments(launch, group, addresses, [&](ze_kernel_handle_t handle) {
                const auto append_launch = launch.cooperative ? ze_.zeCommandListAppendLaunchCooperativeKernel
                                                              : ze_.zeCommandListAppendLaunchKernel;
                result = append_launch(list_, handle, &groups, signal, count, waits);
            });
            return result;
        },
        memory);
    if (!last_) return; // of a device that was lost before
    device_.events()->watch_dog().launched(this, last_);
    if (info.uses_services) serve();
}

gpu::QueueServices& ZeQueue::services() {
    if (!services_) {
        services_ = std::make_unique<gpu::QueueServices>(
            device_, device_.runtime(),
            [this](uint64_t address, std::span<const uint8_t> bytes) { device_.write(address, bytes); }, faults_);
        faults_->serve_first(services_->box());
        device_.add(*services_, faults_);
    }
    return *services_;
}

/// Kernels may ask for something until the last one is done.
void ZeQueue::serve() {
    device_.service_thread().watch(services().box(), [last = last_] { return last->query() != Progress::pending; });
}

void ZeQueue::copy_rows(const Copy& copy) {
    gpu::for_each_row(copy, [&](uint64_t to, uint64_t from) {
        append("copying", [&](ze_event_handle_t signal, uint32_t count, ze_event_handle_t* waits) {
            return ze_.zeCommandListAppendMemoryCopy(list_, pointer(to), pointer(from), copy.width, signal, count,
                                                     waits);
        });
    });
}

void ZeQueue::copy(const Copy& copy) {
    if (!copy.width || !copy.height || !copy.depth) return;
    std::lock_guard lock(mutex_);
    const bool box = copy.height > 1 || copy.depth > 1;
    // Regions have 32-bit extents and distances.
    if (!box || !fits({copy.width, copy.height, copy.depth, copy.destination_pitch, copy.source_pitch,
                       copy.destination_slice, copy.source_slice}))
        return copy_rows(copy);
    ze_copy_region_t region;
    region.width = uint32_t(copy.width);
    region.height = uint32_t(copy.height);
    region.depth = copy.depth > 1 ? uint32_t(copy.depth) : 0;
    append("copying a box", [&](ze_event_handle_t signal, uint32_t count, ze_event_handle_t* waits) {
        return ze_.zeCommandListAppendMemoryCopyRegion(
            list_, pointer(copy.destination), &region, uint32_t(copy.destination_pitch),
            region.depth ? uint32_t(copy.destination_slice) : 0, pointer(copy.source), &region,
            uint32_t(copy.source_pitch), region.depth ? uint32_t(copy.source_slice) : 0, signal, count, waits);
    });
}

void ZeQueue::fill(const Fill& fill) {
    std::lock_guard lock(mutex_);
    gpu::for_each_run(fill, [&](uint64_t to, size_t elements) {
        append("filling memory", [&](ze_event_handle_t signal, uint32_t count, ze_event_handle_t* waits) {
            return ze_.zeCommandListAppendMemoryFill(list_, pointer(to), &fill.value, fill.element_bytes,
                                                     elements * fill.element_bytes, signal, count, waits);
        });
    });
}

void ZeQueue::add_call(std::function<void()> function) {
    post([function = std::move(function), &dog = device_.events()->watch_dog()] {
        const WatchDog::HostCall running(dog);
        function();
    });
}

void ZeQueue::post(std::function<void()> function) {
    make_room();
    if (!host_calls_) host_calls_ = std::make_unique<HostCalls>(device_.events());
    auto done = device_.events()->take();
    under_way_.push_back({done, last_, nullptr, nullptr});
    host_calls_->post(last_, std::move(function), done);
    last_ = std::move(done);
}

void ZeQueue::call(std::function<void()> function) {
    std::lock_guard lock(mutex_);
    add_call(std::move(function));
}

std::shared_ptr<Marker> ZeQueue::mark(bool timing) {
    std::lock_guard lock(mutex_);
    std::shared_ptr<uint8_t> ticks;
    if (timing) {
        ticks = device_.slots()->take(sizeof(uint64_t));
        append(
            "writing the time",
            [&](ze_event_handle_t signal, uint32_t count, ze_event_handle_t* waits) {
                auto* to = reinterpret_cast<uint64_t*>(ticks.get());
                return ze_.zeCommandListAppendWriteGlobalTimestamp(list_, to, signal, count, waits);
            },
            ticks);
    }
    return std::make_shared<ZeMarker>(device_.context(), faults_, last_, std::move(ticks),
                                      device_.driver().ticks_per_second);
}

void ZeQueue::wait_for(std::shared_ptr<Marker> marker) {
    if (marker->reached()) return;
    std::lock_guard lock(mutex_);
    auto own = std::dynamic_pointer_cast<ZeMarker>(marker);
    if (!own || own->context() != device_.context().get()) return add_call([marker] { marker->wait(); });
    append(
        "waiting for an event",
        [&](ze_event_handle_t signal, uint32_t count, ze_event_handle_t* waits) {
            return ze_.zeCommandListAppendBarrier(list_, signal, count, waits);
        },
        nullptr, own->event());
}

bool ZeQueue::idle() const {
    std::lock_guard lock(mutex_);
    if (!last_) return true;
    const Progress progress = last_->poll();
    faults_->note(progress);
    return progress != Progress::pending;
}

void ZeQueue::synchronize() {
    std::shared_ptr<Event> last;
    {
        std::lock_guard lock(mutex_);
        last = last_;
    }
    if (!last) return;
    faults_->note(last->wait());
    std::lock_guard lock(mutex_);
    retire();
}

} // namespace rt::backend::level_zero
