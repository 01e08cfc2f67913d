#include "backend/gpu/parents.h"

#include "backend/gpu/child_grids.h"
#include "backend/gpu/device_calls.h"
#include "backend/gpu/faults.h"
#include "backend/gpu/launcher.h"
#include "backend/gpu/service_box.h"

#include <future>

namespace rt::backend::gpu {

void Parents::add(const Launch& launch) {
    launcher_.add_parameters();
    auto children = std::make_shared<ChildGrids>(launcher_, launch);
    std::lock_guard lock(mutex_);
    launches_.push_back(std::move(children));
}

void Parents::remove_last() {
    std::lock_guard lock(mutex_);
    launches_.pop_back();
}

std::shared_ptr<ChildGrids> Parents::current() {
    std::lock_guard lock(mutex_);
    return launches_.empty() ? nullptr : launches_.front();
}

std::shared_ptr<ChildGrids> Parents::take_current() {
    std::lock_guard lock(mutex_);
    if (launches_.empty()) return nullptr;
    std::shared_ptr<ChildGrids> children = std::move(launches_.front());
    launches_.pop_front();
    return children;
}

void Parents::finish(Faults& faults) {
    std::promise<void> complete;
    launcher_.post([&, children = take_current()] {
        std::string message;
        const Fault own = faults.get(&message);
        children->close(own, message, [&faults, &complete](Fault fault, const std::string& why) {
            if (fault != Fault::none) faults.set(fault, why);
            complete.set_value();
        });
    });
    complete.get_future().wait();
}

void start_parent(const std::shared_ptr<Parents>& parents, const Launch& launch, ServiceBox& box,
                  const std::function<void()>& start) {
    box.set_device_calls(
        [parents](ptx::gpu::Slot& slot, auto answered) { answer_device_call(parents, slot, std::move(answered)); });
    parents->add(launch);
    try {
        start();
    } catch (...) {
        parents->remove_last();
        throw;
    }
}

} // namespace rt::backend::gpu
