#pragma once

#include "ast/ast.h"
#include "ptx/host_abi.h"

namespace ptx::ast_to_llvm {

/// The operation of cp.reduce.async.bulk{.tensor}. Throws if there is none.
host::BulkOperation bulk_operation(const Instruction&);

} // namespace ptx::ast_to_llvm
