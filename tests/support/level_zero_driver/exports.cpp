#include "functions.h"

#include <level_zero/zes_ddi.h>
#include <level_zero/zet_ddi.h>

using namespace level_zero_driver;

namespace {

/// What is not filled, the loader answers with "unsupported". Tables come zeroed, and all that is filled here was in
/// the first version.
template <class Table, class Fill> ze_result_t give(ze_api_version_t version, Table* table, Fill&& fill_table) {
    if (!table) return ZE_RESULT_ERROR_INVALID_NULL_POINTER;
    if (version < ZE_API_VERSION_1_0) return ZE_RESULT_ERROR_UNSUPPORTED_VERSION;
    fill_table(*table);
    return ZE_RESULT_SUCCESS;
}

} // namespace

#define FILLED(name, type)                                                                                             \
    extern "C" __attribute__((visibility("default"))) ze_result_t name(ze_api_version_t version, type* table) {        \
        return give(version, table, [](type& t) { fill(t); });                                                         \
    }
// Loader 1.8 insists on every table, filled or not.
#define EMPTY(name, type)                                                                                              \
    extern "C" __attribute__((visibility("default"))) ze_result_t name(ze_api_version_t version, type* table) {        \
        return give(version, table, [](type&) {});                                                                     \
    }
// clang-format off
FILLED(zeGetGlobalProcAddrTable,          ze_global_dditable_t)
FILLED(zeGetDriverProcAddrTable,          ze_driver_dditable_t)
FILLED(zeGetDeviceProcAddrTable,          ze_device_dditable_t)
FILLED(zeGetContextProcAddrTable,         ze_context_dditable_t)
FILLED(zeGetMemProcAddrTable,             ze_mem_dditable_t)
FILLED(zeGetModuleProcAddrTable,          ze_module_dditable_t)
FILLED(zeGetModuleBuildLogProcAddrTable,  ze_module_build_log_dditable_t)
FILLED(zeGetKernelProcAddrTable,          ze_kernel_dditable_t)
FILLED(zeGetCommandListProcAddrTable,     ze_command_list_dditable_t)
FILLED(zeGetEventPoolProcAddrTable,       ze_event_pool_dditable_t)
FILLED(zeGetEventProcAddrTable,           ze_event_dditable_t)
EMPTY(zeGetCommandQueueProcAddrTable,     ze_command_queue_dditable_t)
EMPTY(zeGetFenceProcAddrTable,            ze_fence_dditable_t)
EMPTY(zeGetImageProcAddrTable,            ze_image_dditable_t)
EMPTY(zeGetPhysicalMemProcAddrTable,      ze_physical_mem_dditable_t)
EMPTY(zeGetSamplerProcAddrTable,          ze_sampler_dditable_t)
EMPTY(zeGetVirtualMemProcAddrTable,       ze_virtual_mem_dditable_t)
EMPTY(zetGetDeviceProcAddrTable,          zet_device_dditable_t)
EMPTY(zetGetContextProcAddrTable,         zet_context_dditable_t)
EMPTY(zetGetCommandListProcAddrTable,     zet_command_list_dditable_t)
EMPTY(zetGetKernelProcAddrTable,          zet_kernel_dditable_t)
EMPTY(zetGetModuleProcAddrTable,          zet_module_dditable_t)
EMPTY(zetGetDebugProcAddrTable,           zet_debug_dditable_t)
EMPTY(zetGetMetricProcAddrTable,          zet_metric_dditable_t)
EMPTY(zetGetMetricGroupProcAddrTable,     zet_metric_group_dditable_t)
EMPTY(zetGetMetricQueryProcAddrTable,     zet_metric_query_dditable_t)
EMPTY(zetGetMetricQueryPoolProcAddrTable, zet_metric_query_pool_dditable_t)
EMPTY(zetGetMetricStreamerProcAddrTable,  zet_metric_streamer_dditable_t)
EMPTY(zetGetTracerExpProcAddrTable,       zet_tracer_exp_dditable_t)
EMPTY(zesGetDeviceProcAddrTable,          zes_device_dditable_t)
EMPTY(zesGetDriverProcAddrTable,          zes_driver_dditable_t)
EMPTY(zesGetDiagnosticsProcAddrTable,     zes_diagnostics_dditable_t)
EMPTY(zesGetEngineProcAddrTable,          zes_engine_dditable_t)
EMPTY(zesGetFabricPortProcAddrTable,      zes_fabric_port_dditable_t)
EMPTY(zesGetFanProcAddrTable,             zes_fan_dditable_t)
EMPTY(zesGetFirmwareProcAddrTable,        zes_firmware_dditable_t)
EMPTY(zesGetFrequencyProcAddrTable,       zes_frequency_dditable_t)
EMPTY(zesGetLedProcAddrTable,             zes_led_dditable_t)
EMPTY(zesGetMemoryProcAddrTable,          zes_memory_dditable_t)
EMPTY(zesGetPerformanceFactorProcAddrTable, zes_performance_factor_dditable_t)
EMPTY(zesGetPowerProcAddrTable,           zes_power_dditable_t)
EMPTY(zesGetPsuProcAddrTable,             zes_psu_dditable_t)
EMPTY(zesGetRasProcAddrTable,             zes_ras_dditable_t)
EMPTY(zesGetSchedulerProcAddrTable,       zes_scheduler_dditable_t)
EMPTY(zesGetStandbyProcAddrTable,         zes_standby_dditable_t)
EMPTY(zesGetTemperatureProcAddrTable,     zes_temperature_dditable_t)
