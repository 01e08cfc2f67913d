#pragma once

#include "ptx/image.h"

#include <llvm/ADT/SmallVector.h>

namespace llvm {
class Function;
class LoadInst;
class Type;
} // namespace llvm

namespace ptx::code {

/// A kernel's parameters that are arguments of their own (ptx/spirv_arguments.h): registers, as OpenCL's are, where the
/// block in memory would have to be read. Reads of a part of one, or at places that are computed, stay reads of the block.
class PassedParameters {
  public:
    /// Of a simplified neutral kernel. Doubles are passed as such with `fp64`, else as integers.
    PassedParameters(llvm::Function& neutral, const KernelInfo& info, bool fp64);

    void append_types(llvm::SmallVectorImpl<llvm::Type*>&) const;
    /// Once pointers are mapped: the reads become arguments, from number `first` on.
    void use(llvm::Function& kernel, unsigned first) const;

  private:
    struct Part {
        ParameterInfo place;
        llvm::Type* type;
        llvm::SmallVector<llvm::LoadInst*, 2> reads;
    };
    llvm::SmallVector<Part, 8> parts_;
};

} // namespace ptx::code
