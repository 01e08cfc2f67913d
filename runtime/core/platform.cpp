#include "rt/platform.h"

#include "backend/cpu/cpu.h"
#include "backend/hip/hip.h"
#include "backend/level_zero/level_zero.h"
#include "backend/null/null.h"
#include "code/binary_store.h"
#include "core/visible_devices.h"
#include "support/log.h"
#include "support/options.h"

#include <atomic>
#include <mutex>

#include <pthread.h>

namespace rt {
namespace {

struct BackendRow {
    std::string_view name;
    bool (*by_default)(); ///< whether this machine shall have it unless the user chooses
    std::unique_ptr<backend::Backend> (*create)();
};

bool always() { return true; }
bool never() { return false; }

// In the order in which their devices appear when the user does not choose.
constexpr BackendRow rows[] = {
    {"hip", backend::hip_driver_present, backend::create_hip_backend},
    // Not by default: it lacks too much yet, and asking starts the drivers of the vendor in every process.
    {"level_zero", never, backend::create_level_zero_backend},
    {"cpu", always, backend::create_cpu_backend},
    {"null", never, backend::create_null_backend},
};

std::mutex starting;
// Never destroyed: the application's static destructors call us.
std::atomic<Platform*> platform = nullptr;
// Threads and locks of the parent are not there in a forked child; CUDA refuses to work in one.
std::atomic<bool> forked = false;

std::vector<const BackendRow*> chosen_rows() {
    std::vector<const BackendRow*> chosen;
    std::string_view rest = options().devices;
    if (rest.empty()) {
        for (auto& row : rows)
            if (row.by_default()) chosen.push_back(&row);
        return chosen;
    }
    while (!rest.empty()) {
        auto comma = rest.find(',');
        auto word = rest.substr(0, comma);
        rest = comma == rest.npos ? std::string_view() : rest.substr(comma + 1);
        const BackendRow* found = nullptr;
        for (auto& row : rows)
            if (row.name == word) found = &row;
        if (!found) throw Error(Status::no_device, fmt::format("CUTTLE_DEVICES: there is no back end \"{}\"", word));
        chosen.push_back(found);
    }
    return chosen;
}

} // namespace

Platform::Platform() {
    std::vector<backend::Device*> all;
    for (auto* row : chosen_rows()) {
        try {
            auto backend = row->create();
            if (auto* store = code::shared_binary_store()) backend->keep_binaries(*store);
            for (auto* device : backend->devices()) all.push_back(device);
            backends_.push_back(std::move(backend));
        } catch (const Error& error) {
            log(LogLevel::error, LogChannel::api, "back end {} does not start: {}", row->name, error.what());
        }
    }
    std::vector<Uuid> uuids;
    for (auto* device : all) uuids.push_back(device->facts().uuid);
    for (int index : visible_devices(cuda_variable("CUDA_VISIBLE_DEVICES"), uuids))
        devices_.push_back(std::make_unique<Device>(int(devices_.size()), *all[index]));
    if (devices_.empty())
        throw Error(Status::no_device,
                    all.empty() ? "no back end has a device" : "CUDA_VISIBLE_DEVICES hides every device");
    for (auto& device : devices_)
        log(LogLevel::info, LogChannel::api, "device {}: {}, compute capability {}.{}", device->ordinal(),
            device->facts().name, device->compute_capability() / 10, device->compute_capability() % 10);
}

Platform::~Platform() = default;

void Platform::initialize() {
    if (forked) throw Error(Status::not_initialized, "CUDA does not work in a forked child of a process that used it");
    if (platform.load(std::memory_order_acquire)) return;
    std::lock_guard lock(starting);
    if (platform.load()) return;
    auto* started = new Platform;
    pthread_atfork(nullptr, nullptr, [] { forked = true; });
    platform.store(started, std::memory_order_release);
}

bool Platform::initialized() { return platform.load(std::memory_order_acquire) && !forked; }

Platform& Platform::get() {
    Platform* started = platform.load(std::memory_order_acquire);
    if (!started || forked.load(std::memory_order_relaxed))
        throw Error(Status::not_initialized, "cuInit has not been called");
    return *started;
}

Device& Platform::device(int ordinal) {
    if (ordinal < 0 || ordinal >= device_count())
        throw Error(Status::invalid_device, fmt::format("device {} of {}", ordinal, device_count()));
    return *devices_[ordinal];
}

int Platform::driver_version() {
    static const int version = std::max(13000, int(options().driver_version));
    return version;
}

} // namespace rt
