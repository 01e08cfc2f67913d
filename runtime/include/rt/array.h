#pragma once

#include "rt/context.h"
#include "rt/error.h"
#include "rt/handle.h"

#include <functional>
#include <memory>
#include <vector>

namespace rt {

/// CUDA_ARRAY3D_DESCRIPTOR, with its numbers.
struct ArrayShape {
    size_t width = 0, height = 0, depth = 0; ///< texels; 0: the dimension is not there. Layers count in depth.
    int format = 0;
    unsigned channels = 1, flags = 0;

    unsigned channel_bytes() const;
    unsigned texel_bytes() const { return channels * channel_bytes(); }
    size_t rows() const { return height ? height : 1; }
    size_t slices() const { return depth ? depth : 1; }
};

/// A CUDA array: rows behind one another in device memory, whose address nobody outside is told.
class Array : public HandleBase {
  public:
    static constexpr HandleKind kind = HandleKind::array;

    /// Throws invalid_value for a shape that CUDA refuses, out_of_memory. A level of a mipmapped array lies in its memory.
    Array(Context&, const ArrayShape&, uint64_t address_in_mipmap = 0);
    ~Array();

    Context& context() { return context_; }
    const ArrayShape& shape() const { return shape_; }
    uint64_t address() const { return address_; }
    size_t pitch() const { return pitch_of(shape_); }
    size_t slice() const { return pitch() * shape_.rows(); }
    bool of_mipmap() const { return !owned_; }

    static size_t pitch_of(const ArrayShape&);
    static size_t bytes_of(const ArrayShape& shape) { return pitch_of(shape) * shape.rows() * shape.slices(); }

  private:
    Context& context_;
    const ArrayShape shape_;
    uint64_t address_ = 0;
    bool owned_ = false;
};

/// A mipmapped array: its levels, the largest first.
class MipmappedArray : public HandleBase {
  public:
    static constexpr HandleKind kind = HandleKind::mipmapped_array;

    /// `levels` is brought into the range from one to what the shape allows.
    MipmappedArray(Context&, const ArrayShape&, unsigned levels);
    /// In an allocation that `allocate` makes, which goes with the array.
    MipmappedArray(Context&, const ArrayShape&, unsigned levels, const std::function<uint64_t(size_t bytes)>& allocate);
    ~MipmappedArray();

    std::vector<std::unique_ptr<Array>>& levels() { return levels_; }

  private:
    Context& context_;
    uint64_t address_ = 0;
    std::vector<std::unique_ptr<Array>> levels_;
};

} // namespace rt
