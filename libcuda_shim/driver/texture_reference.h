#pragma once

namespace rt {
class Module;
}

namespace shim {

/// A module goes: so do the texture and surface references that were asked of it.
void forget_references(rt::Module&);

} // namespace shim
