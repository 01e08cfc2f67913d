#include "api/bodies.h"
#include "api/constants.h"
#include "api/symbols.h"
#include "driver/export_tables.h"
#include "driver/handles.h"
#include "rt/platform.h"
#include "support/log.h"

#include <fmt/ranges.h>

// Initialisation, version, errors, entry points.
namespace shim {
namespace {

constexpr cuuint64_t known_flags = CU_GET_PROC_ADDRESS_LEGACY_STREAM | CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM;

// Measured: what is not found is no error for cuGetProcAddress_v2; a version of a CUDA to come is.
Lookup look_up(const char* symbol, void** address, int version, cuuint64_t flags) {
    require_value(symbol && address, "no name, or nowhere to put its address");
    require_value((flags & ~known_flags) == 0 && flags != known_flags, "cuGetProcAddress: unknown flags");
    require_value(version / 1000 <= rt::Platform::driver_version() / 1000, "cuGetProcAddress: version of the future");
    const Lookup found = find_symbol(symbol, version, flags & CU_GET_PROC_ADDRESS_PER_THREAD_DEFAULT_STREAM);
    *address = found.address;
    return found;
}

} // namespace

Status driver::cuInit(unsigned int flags) {
    require_value(flags == 0, "cuInit takes no flags");
    rt::Platform::initialize();
    return Status::success;
}

Status driver::cuDriverGetVersion(int* version) {
    out(version, "driverVersion") = rt::Platform::driver_version();
    return Status::success;
}

// An unknown number leaves the pointer alone, whatever the manual says.
Status driver::cuGetErrorName(CUresult error, const char** text) {
    const char* name = rt::name_of(Status(error));
    require_value(text && name, "no such error, or nowhere to put its name");
    *text = name;
    return Status::success;
}

Status driver::cuGetErrorString(CUresult error, const char** text) {
    const char* description = rt::text_of(Status(error));
    require_value(text && description, "no such error, or nowhere to put its text");
    *text = description;
    return Status::success;
}

// Some clients call the first form with five arguments; the fifth is not touched.
Status driver::cuGetProcAddress(const char* symbol, void** address, int version, cuuint64_t flags) {
    return look_up(symbol, address, version, flags).address ? Status::success : Status::not_found;
}

Status driver::cuGetProcAddress_v2(const char* symbol, void** address, int version, cuuint64_t flags,
                                   CUdriverProcAddressQueryResult* status) {
    const Lookup found = look_up(symbol, address, version, flags);
    if (status) *status = found.status;
    return Status::success;
}

Status driver::cuGetExportTable(const void** table, const CUuuid* id) {
    require_value(table && id, "no table id, or nowhere to put the table");
    if (const void* const* found = find_export_table(*id)) {
        *table = found;
        return Status::success;
    }
    const auto* bytes = reinterpret_cast<const uint8_t*>(id->bytes);
    rt::log(rt::LogLevel::debug, rt::LogChannel::api, "no export table {:02x}", fmt::join(bytes, bytes + 16, ""));
    return Status::invalid_value;
}

} // namespace shim
