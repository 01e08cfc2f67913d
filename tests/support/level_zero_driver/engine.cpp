#include "engine.h"

#include <cstdlib>
#include <string_view>

namespace level_zero_driver {

namespace {

std::unique_ptr<Engine> create() {
    const char* wanted = std::getenv("CUTTLE_ZE_TEST_ENGINE");
    const std::string_view name = wanted ? wanted : "machine";
    if (name == "machine") return create_machine();
#ifdef CUTTLE_HAS_POCL
    if (name == "pocl") return create_pocl();
#endif
    return nullptr;
}

} // namespace

Engine* start_engine() {
    static Engine* const started = create().release(); // outlives everything that may still run
    return started;
}

uint32_t setting(const char* variable, uint32_t otherwise) {
    const char* text = std::getenv(variable);
    return text ? uint32_t(std::strtoul(text, nullptr, 10)) : otherwise;
}

Engine& engine() { return *start_engine(); }

} // namespace level_zero_driver
