#include "nvml/management.h"
#include "rt/management.h"

#include "rt/error.h"

extern "C" __attribute__((visibility("default"))) int cuttle_management_every_device_visible() {
    return rt::management::every_device_visible();
}

extern "C" __attribute__((visibility("default"))) int cuttle_management_memory(int ordinal, uint64_t* free_bytes,
                                                                               uint64_t* total_bytes) {
    try {
        const auto info = rt::management::memory(ordinal);
        *free_bytes = info.free_bytes;
        *total_bytes = info.total_bytes;
        return 0;
    } catch (const rt::Error& error) {
        return int(error.status());
    }
}
