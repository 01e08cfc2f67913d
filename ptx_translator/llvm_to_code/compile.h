#pragma once

#include "ptx/image.h"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace llvm {
class Module;
}

/// What the three back ends have in common.
namespace ptx {

/// As Request::after_stage: called with "optimized" and "assembly" and a text dump; false stops, and the Image returned
/// has no code.
using AfterStage = std::function<bool(std::string_view stage, const std::string& dump)>;

/// Sets triple and data layout. To be called before neutral IR is made, which depends on the layout's alloca space.
/// Throws ptx::Error for a processor that LLVM does not know.
void set_target(llvm::Module&, const Target&);

} // namespace ptx
