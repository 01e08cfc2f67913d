#pragma once

#include "exact_fma.h"
#include "matrix_layout.h"

/// Matrices of doubles: mma.f64 rounds each fma of an element's chain as its modifier says. PTX ISA 9.7.15.5.
namespace matrix {
namespace {

inline Rounding rounding_of(MatrixRounding rounding) {
    switch (rounding) {
    case MatrixRounding::rz:
        return Rounding::rz;
    case MatrixRounding::rm:
        return Rounding::rm;
    case MatrixRounding::rp:
        return Rounding::rp;
    default:
        return Rounding::rn;
    }
}

} // namespace
} // namespace matrix
