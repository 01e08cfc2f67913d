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
    // The manual has an error of its own for this (714); an H100 gives 700.
    case Fault::stack_overflow:
        return Status::illegal_address;
    case Fault::illegal_instruction:
        return Status::illegal_instruction;
    case Fault::misaligned_address:
        return Status::misaligned_address;
    case Fault::timeout:
        return Status::launch_timeout;
    }
    return Status::unknown;
}

} // namespace rt
