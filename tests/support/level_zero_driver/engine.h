#pragma once

#include <level_zero/ze_api.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

/// A Level Zero driver for tests. The loader finds it by ZE_ENABLE_ALT_DRIVERS; it has one card. It does what
/// Cuttle's back end asks of a driver and answers everything else as unsupported. What runs the kernels is an engine:
/// CUTTLE_ZE_TEST_ENGINE=machine (default: tests/support/spirv_machine, sub-groups of 32 that stay together) or pocl
/// (an OpenCL processor device without sub-groups: a second opinion that nobody here wrote).
///
/// Numbers in the environment change what it shows: CUTTLE_ZE_TEST_VERSION the version of the driver,
/// CUTTLE_ZE_TEST_BUILD that of the native binaries that it makes and takes, which is the driver's unless set;
/// CUTTLE_ZE_TEST_NATIVE_ONLY=1 lets it refuse all SPIR-V; CUTTLE_ZE_TEST_TILES is how many tiles its card has.
namespace level_zero_driver {

using Size = std::array<uint32_t, 3>;

struct Argument {
    size_t bytes = 0;
    std::vector<uint8_t> value; ///< empty: memory of the group
};

class KernelCode {
  public:
    virtual ~KernelCode() = default;
    virtual uint32_t argument_count() const = 0;
    /// To its end. Whatever goes wrong is a lost device. `together`: all groups are under way at the same time.
    virtual ze_result_t run(const std::vector<Argument>&, const Size& groups, const Size& threads, bool together) = 0;
};

class Program {
  public:
    virtual ~Program() = default;
    virtual std::unique_ptr<KernelCode> kernel(const char* name) = 0; ///< null if there is none
};

/// Thread safe.
class Engine {
  public:
    virtual ~Engine() = default;
    virtual bool is_cooperative() const = 0; ///< runs groups of a kernel together
    virtual void* allocate(size_t bytes) = 0; ///< null without memory
    virtual void release(void*) = 0;          ///< of what allocate() gave
    /// Null, with a reason in `log`, for what it cannot build. `flags` as of zeModuleCreate.
    virtual std::unique_ptr<Program> build(std::span<const uint8_t> spirv, const std::string& flags,
                                           std::string& log) = 0;
};

std::unique_ptr<Engine> create_machine();
/// Null when there is no OpenCL processor device with shared virtual memory.
std::unique_ptr<Engine> create_pocl();

/// The engine that the environment asks for; null if there is none.
Engine* start_engine();
/// Only after start_engine() found one.
Engine& engine();

/// A number from the environment.
uint32_t setting(const char* variable, uint32_t otherwise);
uint32_t driver_version();
/// Whether the device has doubles.
bool has_fp64();

/// Memory that was handed out, by address.
struct Allocation {
    uint64_t begin, end;
    void* block; ///< the engine's, around it
};
std::vector<Allocation> allocations();

} // namespace level_zero_driver
