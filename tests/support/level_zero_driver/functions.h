#pragma once

#include <level_zero/ze_api.h>
#include <level_zero/ze_ddi.h>

/// The tables of functions that the loader asks for, filled by the file that has the functions.
namespace level_zero_driver {

void fill(ze_global_dditable_t&);
void fill(ze_driver_dditable_t&);
void fill(ze_device_dditable_t&);
void fill(ze_context_dditable_t&);
void fill(ze_mem_dditable_t&);
void fill(ze_module_dditable_t&);
void fill(ze_module_build_log_dditable_t&);
void fill(ze_kernel_dditable_t&);
void fill(ze_command_list_dditable_t&);
void fill(ze_event_pool_dditable_t&);
void fill(ze_event_dditable_t&);

} // namespace level_zero_driver
