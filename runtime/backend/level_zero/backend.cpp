#include "backend/level_zero/device.h"
#include "backend/level_zero/level_zero.h"
#include "rt/error.h"
#include "support/log.h"

#include <vector>

namespace rt::backend {

namespace {

using namespace level_zero;

std::vector<ze_driver_handle_t> drivers() {
    uint32_t count = 0;
    check(loader().zeDriverGet(&count, nullptr), "asking for drivers");
    std::vector<ze_driver_handle_t> list(count);
    if (count) check(loader().zeDriverGet(&count, list.data()), "asking for drivers");
    list.resize(count);
    return list;
}

std::vector<ze_device_handle_t> devices_of(ze_driver_handle_t driver) {
    uint32_t count = 0;
    check(loader().zeDeviceGet(driver, &count, nullptr), "asking for devices");
    std::vector<ze_device_handle_t> list(count);
    if (count) check(loader().zeDeviceGet(driver, &count, list.data()), "asking for devices");
    list.resize(count);
    return list;
}

class LevelZeroBackend : public Backend {
  public:
    LevelZeroBackend() {
        for (ze_driver_handle_t driver : drivers()) add(driver);
        if (devices_.empty()) throw Error(Status::no_device, "level_zero: the drivers show no GPU");
    }

    void keep_binaries(BinaryStore& store) override {
        for (const auto& device : devices_) device->keep_binaries(store);
    }
    std::string name() const override { return "level_zero"; }
    std::vector<Device*> devices() override {
        std::vector<Device*> list;
        for (const auto& device : devices_) list.push_back(device.get());
        return list;
    }

  private:
    void add(ze_driver_handle_t driver) {
        auto context = std::make_shared<Context>(driver);
        for (ze_device_handle_t handle : devices_of(driver)) {
            ze_device_properties_t properties;
            check(loader().zeDeviceGetProperties(handle, &properties), "asking for a device's properties");
            if (properties.type != ZE_DEVICE_TYPE_GPU) continue;
            // A device that cannot be used costs itself only.
            try {
                auto description = describe_device(handle, unsigned(devices_.size()));
                devices_.push_back(std::make_unique<ZeDevice>(context, handle, std::move(description)));
            } catch (const Error& error) {
                log(LogLevel::warning, LogChannel::api, "a device is left out: {}", error.what());
            }
        }
    }

    std::vector<std::unique_ptr<ZeDevice>> devices_;
};

} // namespace

std::unique_ptr<Backend> create_level_zero_backend() { return std::make_unique<LevelZeroBackend>(); }

} // namespace rt::backend
