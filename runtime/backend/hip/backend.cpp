#include "backend/hip/device.h"
#include "backend/hip/hip.h"
#include "rt/error.h"
#include "support/log.h"

#include <unistd.h>
#include <vector>

namespace rt::backend {

namespace {

using namespace hip;

class HipBackend : public Backend {
  public:
    HipBackend() {
        int count = 0;
        const hipError_t result = loader().hipGetDeviceCount(&count);
        if (result != hipErrorNoDevice) check(result, "counting devices");
        for (int i = 0; i < count; i++) {
            // A device that cannot be used costs itself only.
            try {
                devices_.push_back(std::make_unique<HipDevice>(i));
            } catch (const Error& error) {
                log(LogLevel::warning, LogChannel::api, "a device is left out: {}", error.what());
            }
        }
        if (devices_.empty()) throw Error(Status::no_device, "hip: the runtime shows no GPU");
    }

    std::string name() const override { return "hip"; }
    std::vector<Device*> devices() override {
        std::vector<Device*> list;
        for (const auto& device : devices_) list.push_back(device.get());
        return list;
    }

  private:
    std::vector<std::unique_ptr<HipDevice>> devices_;
};

} // namespace

std::unique_ptr<Backend> create_hip_backend() { return std::make_unique<HipBackend>(); }

bool hip_driver_present() { return access("/dev/kfd", F_OK) == 0; }

} // namespace rt::backend
