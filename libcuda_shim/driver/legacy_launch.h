#pragma once

namespace rt {
class Module;
}

namespace shim {

/// Drops what cuFuncSet* and cuParamSet* left for the functions of a module that goes away.
void forget_legacy_launches(rt::Module&);

} // namespace shim
