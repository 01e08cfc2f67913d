#pragma once

namespace llvm {
class Value;
}

namespace ptx::code {

struct GpuCall;

/// A `cuttle.round.fma` of floats whose addend is a constant beside which the product is small: rounded to nearest and
/// moved by the error's sign, without doubles. Exponential functions find their whole part so. Null for any other call.
llvm::Value* fuse_beside_constant(GpuCall& site);

} // namespace ptx::code
