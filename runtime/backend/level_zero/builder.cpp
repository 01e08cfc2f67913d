#include "backend/level_zero/builder.h"

#include "rt/error.h"
#include "support/log.h"
#include "support/options.h"

#include <chrono>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace rt::backend::level_zero {

namespace {

// Buffers beyond 4 GiB; and PTX's div.rn and sqrt.rn are exact, while OpenCL's division and square root need not be.
constexpr const char* build_flags = "-ze-opt-greater-than-4GB-buffer-required -cl-fp32-correctly-rounded-divide-sqrt";

/// By these Intel's driver and its compiler are configured.
constexpr std::string_view compiler_variables[] = {"IGC_", "NEO_", "OverrideDefaultFP64Settings="};

/// Takes the log, which may be null, and gives its text.
std::string text_of(const Loader& ze, ze_module_build_log_handle_t log) {
    if (!log) return "no build log";
    size_t bytes = 0;
    std::string text;
    if (ze.zeModuleBuildLogGetString(log, &bytes, nullptr) == ZE_RESULT_SUCCESS && bytes) {
        text.resize(bytes);
        if (ze.zeModuleBuildLogGetString(log, &bytes, text.data()) != ZE_RESULT_SUCCESS) text.clear();
    }
    ze.zeModuleBuildLogDestroy(log);
    while (!text.empty() && (text.back() == '\0' || text.back() == '\n')) text.pop_back();
    return text.empty() ? "an empty build log" : text;
}

std::string subject(const ptx::Image& image) {
    return image.kernels.empty() ? "a module" : "kernel " + image.kernels.front().name;
}

std::string describe_compiler(const Loader& ze, ze_driver_handle_t driver, ze_device_handle_t device) {
    // Not by the driver's uuid, which Intel's makes anew in each process.
    ze_driver_properties_t of_driver;
    check(ze.zeDriverGetProperties(driver, &of_driver), "asking for a driver's properties");
    ze_device_properties_t of_device;
    check(ze.zeDeviceGetProperties(device, &of_device), "asking for a device's properties");
    return fmt::format("level_zero: driver {:#x}, device {:#x}:{:#x} {:02x} {}, {}\n{}", of_driver.driverVersion,
                       of_device.vendorId, of_device.deviceId, fmt::join(of_device.uuid, ""),
                       std::string_view(of_device.name, strnlen(of_device.name, sizeof of_device.name)), build_flags,
                       variables_of(compiler_variables));
}

ze_module_handle_t create(const Context& context, ze_device_handle_t device, ze_module_format_t format,
                          std::span<const uint8_t> code, const std::string& doing) {
    ze_module_desc_t description;
    description.format = format;
    description.inputSize = code.size();
    description.pInputModule = code.data();
    description.pBuildFlags = build_flags;
    ze_module_handle_t module = nullptr;
    ze_module_build_log_handle_t log = nullptr;
    const ze_result_t result = context.ze.zeModuleCreate(context.handle, device, &description, &module, &log);
    const std::string text = text_of(context.ze, log);
    check(result, result == ZE_RESULT_SUCCESS ? "" : doing + ": " + text);
    return module;
}

} // namespace

Builder::Builder(std::shared_ptr<Context> context, ze_device_handle_t device)
    : context_(std::move(context)), device_(device),
      compiler_(describe_compiler(context_->ze, context_->driver, device)) {}

ze_module_handle_t Builder::build(const ptx::Image& image) const {
    const auto start = std::chrono::steady_clock::now();
    auto* module = create(*context_, device_, ZE_MODULE_FORMAT_IL_SPIRV, image.code, "building " + subject(image));
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    log(LogLevel::info, LogChannel::translate, "level_zero: building {} took {:.1f} ms", subject(image), time.count());
    return module;
}

ze_module_handle_t Builder::find(const ptx::Image& image) const {
    const auto binary = store_ ? store_->find(image.code, compiler_) : std::nullopt;
    if (!binary) return nullptr;
    auto* module = create(*context_, device_, ZE_MODULE_FORMAT_NATIVE, *binary, "loading " + subject(image));
    log(LogLevel::info, LogChannel::translate, "level_zero: {} was built in an earlier process", subject(image));
    return module;
}

void Builder::keep(ze_module_handle_t module, const ptx::Image& image) const {
    if (!store_) return;
    const Loader& ze = context_->ze;
    size_t bytes = 0;
    std::vector<uint8_t> binary;
    ze_result_t result = ze.zeModuleGetNativeBinary(module, &bytes, nullptr);
    if (result == ZE_RESULT_SUCCESS) {
        binary.resize(bytes);
        result = ze.zeModuleGetNativeBinary(module, &bytes, binary.data());
    }
    if (result == ZE_RESULT_SUCCESS && bytes) return store_->store(image.code, compiler_, binary);
    log(LogLevel::info, LogChannel::translate, "level_zero: {}: the driver does not give its code: {}", subject(image),
        name_of(result));
}

void Builder::forget(const ptx::Image& image, const std::string& reason) const {
    log(LogLevel::warning, LogChannel::translate, "{}; it is built anew", reason);
    store_->discard(image.code, compiler_);
}

} // namespace rt::backend::level_zero
