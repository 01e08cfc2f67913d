#pragma once

#include "api/types.h"
#include "rt/error.h"

/// The bodies, one for each CU_FN row of driver_api.def; a row without one is a link error. They may throw, take their
/// handles unchecked, and find what the row's Needs column says in place.
namespace shim::driver {
#define CU_FN(symbol, name, since, twin, needs, parameters, arguments) rt::Status symbol parameters;
#define CU_AS(symbol, name, since, twin, needs, parameters, arguments, body)
#define CU_STUB(symbol, name, since, twin, parameters, arguments)
#include "api/driver_api.def"
} // namespace shim::driver
