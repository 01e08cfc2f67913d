#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>

namespace rt {

/// CUresult's values, so that the edge is a cast. Names and texts are rows of rt/errors.def.
enum class Status : int32_t {
#define RT_STATUS(value, name, symbol, text) name = value,
#include "rt/errors.def"
};

/// "CUDA_ERROR_INVALID_VALUE"; nullptr for a number that is no CUresult.
const char* name_of(Status);
/// "invalid argument"; nullptr likewise.
const char* text_of(Status);

/// Thrown inside the runtime and the shim; becomes its status, and one log line, at the ABI's edge.
class Error : public std::runtime_error {
  public:
    Error(Status status, const std::string& message) : std::runtime_error(message), status_(status) {}
    Status status() const { return status_; }

  private:
    Status status_;
};

} // namespace rt
