#include "rt/array.h"

#include "rt/memory.h"

#include <algorithm>

namespace rt {
namespace {

enum : unsigned { layered = 1, cubemap = 4, gather = 8, known_flags = 1 | 2 | 4 | 8 };

struct FormatRow {
    int format;
    unsigned bytes, channels; ///< channels 0: one, two or four
};

constexpr FormatRow formats[] = {
    {1, 1, 0},    {2, 2, 0},    {3, 4, 0},    {8, 1, 0},    {9, 2, 0},    {10, 4, 0},   {0x10, 2, 0},
    {0x20, 4, 0}, {0xc0, 1, 1}, {0xc1, 1, 2}, {0xc2, 1, 4}, {0xc3, 2, 1}, {0xc4, 2, 2}, {0xc5, 2, 4},
    {0xc6, 1, 1}, {0xc7, 1, 2}, {0xc8, 1, 4}, {0xc9, 2, 1}, {0xca, 2, 2}, {0xcb, 2, 4},
};

const FormatRow* row_of(int format) {
    for (const FormatRow& row : formats)
        if (row.format == format) return &row;
    return nullptr;
}

void require(bool good, const char* why) {
    if (!good) throw Error(Status::invalid_value, why);
}

/// What an H100 accepts (driver 580).
void check(const ArrayShape& s) {
    const FormatRow* row = row_of(s.format);
    require(row, "array: unknown or unsupported format");
    const bool counts = s.channels == 1 || s.channels == 2 || s.channels == 4;
    require(counts && (!row->channels || row->channels == s.channels), "array: wrong number of channels");
    require(!(s.flags & ~known_flags), "array: unknown or unsupported flag");
    require(s.width > 0, "array: no width");
    if (s.flags & cubemap) {
        require(s.width == s.height, "array: a cube's faces are square");
        require(s.flags & layered ? s.depth && s.depth % 6 == 0 : s.depth == 6, "array: a cube has six faces");
    }
    if (s.flags & gather) require(s.height && !s.depth, "array: gathering is for two dimensions");
    if (s.flags & layered) {
        require(s.depth >= 1 && s.depth <= 2048, "array: too few or too many layers");
        require(s.width <= 32768 && s.height <= 32768, "array: too large for layers");
    } else if (s.depth && !(s.flags & cubemap)) {
        require(s.height, "array: depth without height");
        require(s.width <= 16384 && s.height <= 16384 && s.depth <= 32768, "array: too large");
    } else {
        require(s.width <= 131072 && s.height <= 65536, "array: too large");
    }
    if (s.flags & (gather | cubemap)) require(s.width <= 32768 && s.height <= 32768, "array: too large");
}

} // namespace

unsigned ArrayShape::channel_bytes() const {
    const FormatRow* row = row_of(format);
    return row ? row->bytes : 0;
}

size_t Array::pitch_of(const ArrayShape& shape) { return (shape.width * shape.texel_bytes() + 63) / 64 * 64; }

Array::Array(Context& context, const ArrayShape& shape, uint64_t address_in_mipmap)
    : HandleBase(kind), context_(context), shape_(shape), address_(address_in_mipmap), owned_(!address_in_mipmap) {
    check(shape_);
    if (owned_) address_ = memory::allocate(context_, bytes_of(shape_), backend::MemoryKind::device);
}

Array::~Array() {
    if (owned_ && memory::find(address_)) memory::release(context_, address_, backend::MemoryKind::device);
}

MipmappedArray::MipmappedArray(Context& context, const ArrayShape& shape, unsigned count)
    : MipmappedArray(context, shape, count,
                     [&](size_t bytes) { return memory::allocate(context, bytes, backend::MemoryKind::device); }) {}

MipmappedArray::MipmappedArray(Context& context, const ArrayShape& shape, unsigned count,
                               const std::function<uint64_t(size_t bytes)>& allocate)
    : HandleBase(kind), context_(context) {
    check(shape);
    const bool volume = shape.depth && !(shape.flags & (layered | cubemap));
    size_t largest = std::max({shape.width, shape.height, volume ? shape.depth : 0});
    unsigned most = 0;
    for (; largest; largest /= 2) ++most;
    count = std::clamp(count, 1u, most);
    std::vector<ArrayShape> shapes;
    size_t bytes = 0;
    for (unsigned k = 0; k < count; ++k) {
        ArrayShape level = shape;
        level.width = std::max<size_t>(1, shape.width >> k);
        if (shape.height) level.height = std::max<size_t>(1, shape.height >> k);
        if (volume) level.depth = std::max<size_t>(1, shape.depth >> k);
        shapes.push_back(level);
        bytes += Array::bytes_of(level);
    }
    address_ = allocate(bytes);
    uint64_t at = address_;
    for (const ArrayShape& level : shapes) {
        levels_.push_back(std::make_unique<Array>(context_, level, at));
        at += Array::bytes_of(level);
    }
}

MipmappedArray::~MipmappedArray() {
    if (memory::find(address_)) memory::release(context_, address_, backend::MemoryKind::device);
}

} // namespace rt
