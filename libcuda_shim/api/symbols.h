#pragma once

#include <span>

namespace shim {

/// One exported symbol of the table, for lookups and for the coverage report.
struct Symbol {
    const char* symbol; ///< "cuMemAlloc_v2"
    const char* name;   ///< what cuGetProcAddress calls it: "cuMemAlloc"
    int since;          ///< CUDA version that brought it: 3020
    bool has_body;
    bool per_thread; ///< the _ptsz or _ptds twin
    void* address;
};

/// Sorted by name, then per_thread, then since.
std::span<const Symbol> symbols();

/// What cuGetProcAddress finds.
struct Lookup {
    void* address = nullptr;
    int status = 0; ///< CUdriverProcAddressQueryResult
};

/// The newest symbol of that name not newer than `version`; of its per-thread twins only, when wanted and there are
/// any. CUDA driver API, cuGetProcAddress.
Lookup find_symbol(const char* name, int version, bool per_thread);

} // namespace shim
