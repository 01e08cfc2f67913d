#pragma once

#include "api/types.h"
#include "rt/error.h"

/// The bodies, one for each CU_FN row of driver_api.def; a row without one is a link error. They may throw, take their
/// handles unchecked, and find what the row's Needs column says in place.
namespace shim::driver {
#define CU_FN(symbol, name, since, twin, needs, parameters, arguments) rt::Status symbol parameters;
#define CU_AS(symbol, name, since, twin, needs, parameters, arguments, body)
#define CU_STUB(symbol, name, since, twin, parameters, arguments, reason)
#include "api/driver_api.def"

// Bodies that several rows share. All throw what an H100's driver answers for what it does not have either, or no
// longer: functions for addresses of 32 bits in contexts of any CUDA since 3.2 (invalid_context, behind what their
// handles say), multicast objects on a GPU alone, profiler settings in files, resources of a graphics library that was
// never asked for one (invalid_handle).
rt::Status of_32_bits();
rt::Status of_32_bits(CUmodule);
rt::Status of_32_bits(CUarray);
rt::Status of_32_bits(CUtexref);
rt::Status no_multicast();
rt::Status no_profiler_files();
rt::Status no_graphics_resource(CUgraphicsResource);
} // namespace shim::driver
