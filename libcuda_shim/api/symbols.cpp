#include "api/symbols.h"

#include "api/constants.h"
#include "api/exports.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <vector>

namespace shim {
namespace {

constexpr int twin_since(int since) { return since > 7000 ? since : 7000; }

auto key(const Symbol& s) { return std::tuple(std::string_view(s.name), s.per_thread, s.since); }

std::vector<Symbol> make_symbols() {
    std::vector<Symbol> all;
#define CU_ADD_none(symbol, name, since, body) all.push_back({#symbol, #name, since, body, false, (void*)&symbol});
#define CU_ADD_ptsz(symbol, name, since, body)                                                                         \
    CU_ADD_none(symbol, name, since, body)                                                                             \
        all.push_back({#symbol "_ptsz", #name, twin_since(since), body, true, (void*)&symbol##_ptsz});
#define CU_ADD_ptds(symbol, name, since, body)                                                                         \
    CU_ADD_none(symbol, name, since, body)                                                                             \
        all.push_back({#symbol "_ptds", #name, twin_since(since), body, true, (void*)&symbol##_ptds});
#define CU_FN(symbol, name, since, twin, needs, parameters, arguments) CU_ADD_##twin(symbol, name, since, true)
#define CU_AS(symbol, name, since, twin, needs, parameters, arguments, body) CU_ADD_##twin(symbol, name, since, true)
#define CU_STUB(symbol, name, since, twin, parameters, arguments, reason) CU_ADD_##twin(symbol, name, since, false)
#include "api/driver_api.def"
    std::ranges::sort(all, {}, key);
    return all;
}

} // namespace

std::span<const Symbol> symbols() {
    // Never destroyed: destructors of the application may still look functions up.
    static const auto& all = *new std::vector<Symbol>(make_symbols());
    return all;
}

Lookup find_symbol(const char* name, int version, bool per_thread) {
    const auto named = std::ranges::equal_range(symbols(), std::string_view(name), {},
                                                [](const Symbol& s) { return std::string_view(s.name); });
    if (named.empty()) return {nullptr, CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND};
    // Who asks for the per-thread default stream gets twins only, where the function has any.
    const bool twins = per_thread && std::ranges::any_of(named, &Symbol::per_thread);
    const Symbol* best = nullptr;
    for (const Symbol& s : named) { // older ones first
        if (s.since <= version && s.per_thread == twins) best = &s;
    }
    if (!best) return {nullptr, CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT};
    return {best->address, CU_GET_PROC_ADDRESS_SUCCESS};
}

} // namespace shim
