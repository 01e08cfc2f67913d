#include "nvml/state.h"

// Functions about what we do not know or have. Arguments are not looked at, so that their types do not matter.
#define NVML_UNSUPPORTED(name)                                                                                         \
    extern "C" __attribute__((visibility("default"))) nvml::Return name() {                                            \
        return nvml::started() ? nvml::not_supported : nvml::uninitialized;                                            \
    }
#include "nvml/unsupported.def"
