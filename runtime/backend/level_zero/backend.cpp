#include "backend/level_zero/device.h"
#include "backend/level_zero/level_zero.h"
#include "rt/error.h"
#include "support/log.h"
#include "support/options.h"

#include <algorithm>
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

/// Each tile of a card is a device, as Intel's drivers have it since 2023; those before show cards, with tiles that one
/// must ask for. Unless the user wants cards.
std::vector<ze_device_handle_t> devices_of(ze_driver_handle_t driver) {
    std::vector<ze_device_handle_t> list;
    for (ze_device_handle_t shown : all_of(loader().zeDeviceGet, driver, "asking for devices")) {
        std::vector<ze_device_handle_t> tiles;
        if (options().ze_hierarchy != "COMPOSITE")
            tiles = all_of(loader().zeDeviceGetSubDevices, shown, "asking for a device's tiles");
        if (tiles.empty()) tiles.push_back(shown);
        list.insert(list.end(), tiles.begin(), tiles.end());
    }
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
    /// A device that cannot be used costs itself only.
    template <class F> static void try_device(F&& use) {
        try {
            use();
        } catch (const Error& error) {
            log(LogLevel::warning, LogChannel::api, "a device is left out: {}", error.what());
        }
    }

    void add(ze_driver_handle_t driver) {
        auto context = std::make_shared<Context>(driver);
        std::vector<std::pair<ze_device_handle_t, Description>> found;
        for (ze_device_handle_t handle : devices_of(driver)) {
            ze_device_properties_t properties;
            check(loader().zeDeviceGetProperties(handle, &properties), "asking for a device's properties");
            if (properties.type != ZE_DEVICE_TYPE_GPU) continue;
            const auto index = unsigned(devices_.size() + found.size());
            try_device([&] { found.emplace_back(handle, describe_device(handle, index)); });
        }
        for (auto& [handle, description] : found) {
            const auto on_card = [&facts = description.facts](const auto& other) {
                return on_one_card(facts, other.second.facts);
            };
            description.facts.board_has_others = std::ranges::count_if(found, on_card) > 1;
        }
        for (auto& [handle, description] : found)
            try_device([&, handle = handle, &description = description] {
                devices_.push_back(std::make_unique<ZeDevice>(context, handle, description));
            });
    }

    std::vector<std::unique_ptr<ZeDevice>> devices_;
};

} // namespace

std::unique_ptr<Backend> create_level_zero_backend() { return std::make_unique<LevelZeroBackend>(); }

} // namespace rt::backend
