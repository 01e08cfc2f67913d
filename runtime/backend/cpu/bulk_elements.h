#pragma once

#include "ptx/host_abi.h"

namespace rt::backend::cpu {

/// What an asynchronous reduction does to one element.
struct Combine {
    uint32_t bytes = 0; ///< of an element
    /// *to = *to op *from, atomically as others see it. Null: there is no such operation on this type.
    void (*apply)(void* to, const void* from) = nullptr;
};

Combine combination(ptx::host::BulkOperation, ptx::host::BulkType);

} // namespace rt::backend::cpu
