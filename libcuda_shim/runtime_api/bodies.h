#pragma once

#include "runtime_api/enter.h"

/// The bodies, one for each RT_FN and RT_RAW row of runtime_api.def, of all versions; a row without one is a link
/// error. Those of RT_FN throw what is not success, and find what the row's Needs column says in place.
namespace cudart::body {
#define RT_FN(symbol, twin, needs, parameters, arguments) void symbol parameters;
#define RT_RAW(symbol, result, parameters, arguments) result symbol parameters;
#define RT_AS(symbol, name, twin, needs, parameters, arguments) void name parameters;
#define RT_STUB(symbol, twin)
#define RT_ALL_VERSIONS
#include "runtime_api/runtime_api.def"
#undef RT_ALL_VERSIONS
#undef RT_FN
#undef RT_RAW
#undef RT_AS
#undef RT_STUB
} // namespace cudart::body
