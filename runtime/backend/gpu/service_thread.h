#pragma once

#include "backend/gpu/service_box.h"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>

namespace rt::backend::gpu {

/// Serves the boxes of a device while kernels run that may ask for something: they may wait for an answer, whatever the
/// application's threads do. Thread safe.
class ServiceThread {
  public:
    ServiceThread() = default;
    ~ServiceThread();

    /// From now on `box` is served until `over()`, which the thread calls often, and once more then.
    void watch(std::shared_ptr<ServiceBox> box, std::function<bool()> over);
    /// Neither is used any more when this returns.
    void forget(const ServiceBox& box);

  private:
    struct Watched {
        std::shared_ptr<ServiceBox> box;
        std::function<bool()> over;
    };

    void run();
    bool serve_all();

    std::mutex mutex_; ///< held while boxes are served
    std::condition_variable changed_;
    std::unordered_map<const ServiceBox*, Watched> watched_;
    bool ending_ = false;
    std::thread thread_;
};

} // namespace rt::backend::gpu
