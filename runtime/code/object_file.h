#pragma once

#include "code/fatbin.h"

#include <vector>

/// Where nvcc puts device code in files of the host.
namespace rt::code {

/// The members of a static library (`ar`), in its order, without its tables. Throws rt::Error{invalid_image} on bytes
/// that lie.
std::vector<Bytes> members_of_archive(Bytes archive);

/// The fat binaries in an ELF object file of the host; none in a file without device code. Throws as above.
std::vector<Bytes> fatbins_of_object(Bytes object);

bool is_archive(Bytes);

} // namespace rt::code
