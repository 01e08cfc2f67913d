#include "runtime_api/bodies.h"

#define RT_EXPORT __attribute__((visibility("default")))

#define RT_WRAP(symbol, text, needs, per_thread, parameters, arguments, name)                                          \
    RT_EXPORT cudaError_t symbol parameters {                                                                          \
        static constexpr Entry entry{text, Needs::needs, per_thread};                                                  \
        return enter(entry, [&] { body::name arguments; });                                                            \
    }
#define RT_WRAP_none(symbol, name, needs, parameters, arguments)                                                       \
    RT_WRAP(symbol, #symbol, needs, false, parameters, arguments, name)
#define RT_WRAP_ptsz(symbol, name, needs, parameters, arguments)                                                       \
    RT_WRAP_none(symbol, name, needs, parameters, arguments)                                                           \
        RT_WRAP(symbol##_ptsz, #symbol "_ptsz", needs, true, parameters, arguments, name)
#define RT_WRAP_ptds(symbol, name, needs, parameters, arguments)                                                       \
    RT_WRAP_none(symbol, name, needs, parameters, arguments)                                                           \
        RT_WRAP(symbol##_ptds, #symbol "_ptds", needs, true, parameters, arguments, name)

// What a caller passes to a function without a body is not looked at.
#define RT_REFUSE_none(symbol)                                                                                         \
    RT_EXPORT cudaError_t symbol() { return detail::refuse(#symbol); }
#define RT_REFUSE_ptsz(symbol) RT_REFUSE_none(symbol) RT_REFUSE_none(symbol##_ptsz)
#define RT_REFUSE_ptds(symbol) RT_REFUSE_none(symbol) RT_REFUSE_none(symbol##_ptds)

namespace cudart {
extern "C" {
#define RT_FN(symbol, twin, needs, parameters, arguments) RT_WRAP_##twin(symbol, symbol, needs, parameters, arguments)
#define RT_AS(symbol, name, twin, needs, parameters, arguments)                                                        \
    RT_WRAP_##twin(symbol, name, needs, parameters, arguments)
#define RT_RAW(symbol, result, parameters, arguments)                                                                  \
    RT_EXPORT result symbol parameters { return body::symbol arguments; }
#define RT_STUB(symbol, twin) RT_REFUSE_##twin(symbol)
#include "runtime_api/runtime_api.def"
}
} // namespace cudart
