// The engine that interprets SPIR-V itself.
#include "engine.h"
#include "launch.h"
#include "module.h"
#include "warp.h"

#include <cstdio>
#include <cstdlib>

namespace level_zero_driver {

namespace {

class MachineKernel : public KernelCode {
  public:
    MachineKernel(std::shared_ptr<const spirv_machine::Module> module, const spirv_machine::Kernel& kernel)
        : module_(std::move(module)), kernel_(kernel) {}

    uint32_t argument_count() const override { return uint32_t(kernel_.parameters.size()); }

    ze_result_t run(const std::vector<Argument>& arguments, const Size& groups, const Size& threads,
                    bool together) override {
        spirv_machine::Launch launch;
        launch.module = module_.get();
        launch.kernel = &kernel_;
        launch.groups = groups;
        launch.size = threads;
        launch.together = together;
        for (const Argument& argument : arguments) launch.arguments.push_back({argument.value, argument.bytes});
        for (const Allocation& each : allocations()) launch.memory.push_back({each.begin, each.end});
        try {
            spirv_machine::run(launch);
            return ZE_RESULT_SUCCESS;
        } catch (const spirv_machine::Stop& stop) {
            std::fprintf(stderr, "level_zero_driver: %s\n", stop.what());
            return ZE_RESULT_ERROR_DEVICE_LOST;
        }
    }

  private:
    const std::shared_ptr<const spirv_machine::Module> module_;
    const spirv_machine::Kernel& kernel_;
};

class MachineProgram : public Program {
  public:
    explicit MachineProgram(std::span<const uint8_t> spirv)
        : module_(std::make_shared<const spirv_machine::Module>(spirv)) {}

    std::unique_ptr<KernelCode> kernel(const char* name) override {
        const spirv_machine::Kernel* found = module_->kernel(name);
        if (!found) return nullptr;
        return std::make_unique<MachineKernel>(module_, *found);
    }

  private:
    const std::shared_ptr<const spirv_machine::Module> module_;
};

class Machine : public Engine {
  public:
    bool is_cooperative() const override { return true; }
    void* allocate(size_t bytes) override { return std::malloc(bytes); }
    void release(void* block) override { std::free(block); }
    std::unique_ptr<Program> build(std::span<const uint8_t> spirv, const std::string&, std::string& log) override {
        try {
            return std::make_unique<MachineProgram>(spirv);
        } catch (const spirv_machine::Malformed& error) {
            log = error.what();
            return nullptr;
        }
    }
};

} // namespace

std::unique_ptr<Engine> create_machine() { return std::make_unique<Machine>(); }

} // namespace level_zero_driver
