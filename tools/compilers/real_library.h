#pragma once

namespace compilers {

/// Opens the library of NVIDIA's that stands behind the stand-in with this SONAME: the one that the program would have
/// got (redirect.cpp knows), else the first in LD_LIBRARY_PATH, $CUDA_HOME, $CUDA_PATH or /usr/local/cuda that is not
/// ours. nullptr when there is none; with one line on stderr, if nothing of ours can stand in. dlopen's handle; never
/// closed.
void* open_real_library(const char* soname, bool replaceable = false);

/// One line on stderr, unless CUTTLE_LOG=off.
void complain(const char* what, const char* detail);

} // namespace compilers
