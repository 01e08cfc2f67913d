#include "api/exports.h"

#include "api/bodies.h"
#include "api/enter.h"

// Each wrapper names its entry, calls its body with the arguments as they came, and knows how to print them.
#define CU_FORMAT(arguments) [&]() noexcept { return CU_FORMAT_ARGUMENTS arguments; }
#define CU_FORMAT_ARGUMENTS(...) detail::format_arguments(entry __VA_OPT__(, ) __VA_ARGS__)

#define CU_WRAP(symbol, text, needs, per_thread, parameters, arguments, call)                                          \
    CUresult symbol parameters {                                                                                       \
        static constexpr Entry entry{text, #arguments, Needs::needs, per_thread};                                      \
        return enter(                                                                                                  \
            entry, [&] { return driver::call; }, CU_FORMAT(arguments));                                                \
    }
#define CU_WRAP_none(symbol, needs, parameters, arguments, call)                                                       \
    CU_WRAP(symbol, #symbol, needs, false, parameters, arguments, call)
#define CU_WRAP_ptsz(symbol, needs, parameters, arguments, call)                                                       \
    CU_WRAP(symbol, #symbol, needs, false, parameters, arguments, call)                                                \
    CU_WRAP(symbol##_ptsz, #symbol "_ptsz", needs, true, parameters, arguments, call)
#define CU_WRAP_ptds(symbol, needs, parameters, arguments, call)                                                       \
    CU_WRAP(symbol, #symbol, needs, false, parameters, arguments, call)                                                \
    CU_WRAP(symbol##_ptds, #symbol "_ptds", needs, true, parameters, arguments, call)

#define CU_REFUSE(symbol, text, parameters, arguments)                                                                 \
    CUresult symbol parameters {                                                                                       \
        static constexpr Entry entry{text, #arguments};                                                                \
        return enter_stub(entry, CU_FORMAT(arguments));                                                                \
    }
#define CU_REFUSE_none(symbol, parameters, arguments) CU_REFUSE(symbol, #symbol, parameters, arguments)
#define CU_REFUSE_ptsz(symbol, parameters, arguments)                                                                  \
    CU_REFUSE(symbol, #symbol, parameters, arguments)                                                                  \
    CU_REFUSE(symbol##_ptsz, #symbol "_ptsz", parameters, arguments)
#define CU_REFUSE_ptds(symbol, parameters, arguments)                                                                  \
    CU_REFUSE(symbol, #symbol, parameters, arguments)                                                                  \
    CU_REFUSE(symbol##_ptds, #symbol "_ptds", parameters, arguments)

namespace shim {
extern "C" {
#define CU_FN(symbol, name, since, twin, needs, parameters, arguments)                                                 \
    CU_WRAP_##twin(symbol, needs, parameters, arguments, symbol arguments)
#define CU_AS(symbol, name, since, twin, needs, parameters, arguments, body)                                           \
    CU_WRAP_##twin(symbol, needs, parameters, arguments, body)
#define CU_STUB(symbol, name, since, twin, parameters, arguments, reason)                                              \
    CU_REFUSE_##twin(symbol, parameters, arguments)
#include "api/driver_api.def"
}
} // namespace shim
