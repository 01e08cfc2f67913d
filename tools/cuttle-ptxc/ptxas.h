#pragma once

#include <iosfwd>

/// What stands in for NVIDIA's ptxas, under whose name cuttle-ptxc is started: takes its command line, checks PTX and
/// says what is wrong in its form, and writes the PTX in an image that our driver loads where a cubin is expected. Machine
/// code is made when a kernel is first needed, so registers and spills are not known here, and not told. Returns the exit
/// code: 255, as ptxas does, when there is an error.
int ptxas(int argc, char** argv);
