#include "core/fault.h"

namespace rt {

Status status_of(backend::Fault fault) {
    using backend::Fault;
    switch (fault) {
    case Fault::none:
        return Status::success;
    case Fault::illegal_address:
        return Status::illegal_address;
    case Fault::trap:
        return Status::launch_failed;
    case Fault::assertion:
        return Status::assert_;
    // CUDA driver API, CUDA_ERROR_HARDWARE_STACK_ERROR: also a stack beyond its limit.
    case Fault::stack_overflow:
        return Status::hardware_stack_error;
    case Fault::illegal_instruction:
        return Status::illegal_instruction;
    case Fault::misaligned_address:
        return Status::misaligned_address;
    }
    return Status::unknown;
}

} // namespace rt
