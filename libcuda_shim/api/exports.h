#pragma once

#include "api/types.h"

/// Every symbol that libcuda.so.1 exports, with and without its per-thread twin. Rows of driver_api.def.
#define CU_EXPORT extern "C" __attribute__((visibility("default")))
#define CU_DECLARE_none(symbol, parameters) CU_EXPORT CUresult symbol parameters;
#define CU_DECLARE_ptsz(symbol, parameters)                                                                            \
    CU_EXPORT CUresult symbol parameters;                                                                              \
    CU_EXPORT CUresult symbol##_ptsz parameters;
#define CU_DECLARE_ptds(symbol, parameters)                                                                            \
    CU_EXPORT CUresult symbol parameters;                                                                              \
    CU_EXPORT CUresult symbol##_ptds parameters;

namespace shim {
#define CU_FN(symbol, name, since, twin, needs, parameters, arguments) CU_DECLARE_##twin(symbol, parameters)
#define CU_AS(symbol, name, since, twin, needs, parameters, arguments, body) CU_DECLARE_##twin(symbol, parameters)
#define CU_STUB(symbol, name, since, twin, parameters, arguments, reason) CU_DECLARE_##twin(symbol, parameters)
#include "api/driver_api.def"
} // namespace shim

#undef CU_DECLARE_none
#undef CU_DECLARE_ptsz
#undef CU_DECLARE_ptds
