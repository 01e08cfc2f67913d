#pragma once

namespace compilers::clang_nvrtc {

/// A function of NVRTC's that works by clang, by its name, as dlsym() gives one of a library; nullptr for one that we
/// do not have. It makes PTX only: a cubin is up to the caller.
void* symbol(const char* name);

} // namespace compilers::clang_nvrtc
