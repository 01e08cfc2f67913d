#include "api/bodies.h"

// Start and stop steer a profiler that is attached; without one, NVIDIA's driver takes them too.
namespace shim {

rt::Status driver::cuProfilerStart() { return rt::Status::success; }

rt::Status driver::cuProfilerStop() { return rt::Status::success; }

} // namespace shim
