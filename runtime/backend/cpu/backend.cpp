#include "backend/cpu/cpu.h"

#include "backend/cpu/device.h"
#include "backend/cpu/facts.h"
#include "backend/cpu/guard.h"
#include "support/options.h"

#include <algorithm>

namespace rt::backend {

namespace {

class CpuBackend : public Backend {
  public:
    CpuBackend() {
        const auto& settings = options();
        const unsigned threads = settings.num_threads > 0 ? unsigned(settings.num_threads) : cpu::usable_processors();
        const unsigned count = unsigned(std::clamp<int64_t>(settings.cpu_devices, 0, 64));
        const uint64_t resident = uint64_t{threads} * DeviceFacts{}.max_threads_per_multiprocessor;
        // One set of threads for all devices: more would only push each other off the processors.
        pool_ = std::make_shared<cpu::Pool>(threads, resident);
        for (unsigned i = 0; i < count; i++)
            devices_.push_back(std::make_unique<cpu::CpuDevice>(cpu::describe_device(i, threads), pool_));
        cpu::hook_signals();
    }
    ~CpuBackend() override { pool_->stop(); }

    std::string name() const override { return "cpu"; }
    std::vector<Device*> devices() override {
        std::vector<Device*> list;
        for (const auto& device : devices_) list.push_back(device.get());
        return list;
    }

  private:
    std::shared_ptr<cpu::Pool> pool_;
    std::vector<std::unique_ptr<cpu::CpuDevice>> devices_;
};

} // namespace

std::unique_ptr<Backend> create_cpu_backend() { return std::make_unique<CpuBackend>(); }

} // namespace rt::backend
