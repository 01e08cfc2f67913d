#include "driver/copies.h"

#include "api/constants.h"
#include "driver/array.h"
#include "driver/handles.h"
#include "rt/graph.h"
#include "rt/memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <memory>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

namespace shim {
namespace {

using rt::backend::Copy;

// As large a pageable source as is worth a second copy; CUDA's own limit for this is the same.
constexpr size_t staging_bytes = 64 << 10;

bool pageable(uint64_t address) { return !rt::memory::find(address); }

size_t extent(size_t width, size_t height, size_t depth, size_t pitch, size_t slice) {
    return width + (height - 1) * pitch + (depth - 1) * slice;
}

/// One side of a box copy, as the descriptors name it.
struct Side {
    size_t x, y, z;
    CUmemorytype type;
    const void* host;
    CUdeviceptr device;
    CUarray array;
    size_t pitch, rows;
};

struct Placed {
    uint64_t address;
    size_t pitch, slice;
};

Placed place_in(rt::Array& array, const Side& side, size_t width, size_t height, size_t depth) {
    const rt::ArrayShape& shape = array.shape();
    const size_t texel = shape.texel_bytes(), row = shape.width * texel;
    require_value(side.x % texel == 0 && width % texel == 0, "part of a texel cannot be copied");
    require_value(side.x <= row && width <= row - side.x, "copy beyond the end of a row of the array");
    require_value(side.y <= shape.rows() && height <= shape.rows() - side.y, "copy beyond the last row of the array");
    require_value(side.z <= shape.slices() && depth <= shape.slices() - side.z, "copy beyond the end of the array");
    return {array.address() + side.x + side.y * array.pitch() + side.z * array.slice(), array.pitch(), array.slice()};
}

Placed place(const Side& side, size_t width, size_t height, size_t depth, const char* which) {
    const bool flat = height == 1 && depth == 1;
    const auto wrong = [&](const char* why) { throw Error(Status::invalid_value, std::string(which) + ": " + why); };
    uint64_t base = side.device;
    if (side.type == CU_MEMORYTYPE_HOST) base = uint64_t(side.host);
    if (side.type == CU_MEMORYTYPE_ARRAY) {
        if (!side.array) wrong("no array");
        return place_in(array_of(side.array), side, width, height, depth);
    }
    if (side.type < CU_MEMORYTYPE_HOST || side.type > CU_MEMORYTYPE_UNIFIED) wrong("unknown kind of memory");
    if (!base) wrong("null");
    const size_t pitch = side.pitch ? side.pitch : side.x + width;
    const size_t rows = side.rows ? side.rows : side.y + height;
    if (!flat && pitch < side.x + width) wrong("pitch shorter than a row");
    if (depth > 1 && rows < side.y + height) wrong("height shorter than the box");
    const size_t slice = pitch * rows;
    const uint64_t start = base + side.x + side.y * pitch + side.z * slice;
    if (side.type == CU_MEMORYTYPE_DEVICE) {
        check_device_range(start, extent(width, height, depth, pitch, slice));
    }
    return {start, pitch, slice};
}

Copy box(const Side& from, const Side& to, size_t width, size_t height, size_t depth) {
    if (!width || !height || !depth) return {};
    const Placed source = place(from, width, height, depth, "source");
    const Placed destination = place(to, width, height, depth, "destination");
    return {destination.address, source.address,    width,       height, depth, destination.pitch,
            source.pitch,        destination.slice, source.slice};
}

/// Bytes of an operand's texel; 1 for memory, which has none.
size_t texel_bytes(const CUmemcpy3DOperand& operand) {
    if (operand.type == CU_MEMCPY_OPERAND_TYPE_ARRAY) return array_of(operand.op.array.array).shape().texel_bytes();
    require_value(operand.type == CU_MEMCPY_OPERAND_TYPE_POINTER, "unknown type of operand");
    return 1;
}

Side side_of(const CUmemcpy3DOperand& operand, const CUextent3D& extent, size_t texel) {
    if (operand.type == CU_MEMCPY_OPERAND_TYPE_ARRAY) {
        const CUoffset3D& at = operand.op.array.offset;
        return {at.x * texel, at.y, at.z, CU_MEMORYTYPE_ARRAY, nullptr, 0, operand.op.array.array, 0, 0};
    }
    const auto& memory = operand.op.ptr;
    require_value(memory.rowLength == 0 || memory.rowLength >= extent.width, "rows shorter than the box");
    require_value(memory.layerHeight == 0 || memory.layerHeight >= extent.height, "layers lower than the box");
    return {0, 0, 0, CU_MEMORYTYPE_DEVICE, nullptr, memory.ptr, nullptr, memory.rowLength * texel, memory.layerHeight};
}

/// Whether every page of a range is there at all; says nothing about what may be done to it.
bool mapped(uint64_t address, size_t bytes) {
    const uint64_t page = uint64_t(sysconf(_SC_PAGESIZE)), start = address / page * page;
    return msync(reinterpret_cast<void*>(start), address + bytes - start, MS_ASYNC) == 0;
}

} // namespace

void check_device_range(CUdeviceptr address, size_t bytes) {
    const auto found = rt::memory::find(address);
    if (found && bytes <= found->size - (address - found->address)) return;
    rt::memory::check_range(address, bytes);
    if (mapped(address, bytes)) return;
    throw Error(Status::invalid_value, fmt::format("{} bytes at {:#x} are no memory", bytes, address));
}

void copy_now(const Copy& copy, rt::Stream& stream) {
    if (copy.width) stream.copy(copy);
    stream.synchronize();
}

void copy_later(const Copy& copy, rt::Stream& stream) {
    if (!copy.width) return;
    const bool from_pageable = pageable(copy.source), to_pageable = pageable(copy.destination);
    if (!from_pageable && !to_pageable) return stream.copy(copy);
    // A graph copies what is there when it runs.
    if (rt::capture::info(stream).status != rt::CaptureStatus::none) return stream.copy(copy);
    if (to_pageable) return copy_now(copy, stream);
    if (copy.height > 1 || copy.depth > 1 || copy.width > staging_bytes) return copy_now(copy, stream);
    auto staged = std::make_shared<std::vector<uint8_t>>(copy.width);
    std::memcpy(staged->data(), reinterpret_cast<const void*>(copy.source), copy.width);
    Copy from_stage = copy;
    from_stage.source = uint64_t(staged->data());
    stream.copy(from_stage);
    stream.call([staged] {}); // keeps the bytes until the copy is done
}

Copy plain(uint64_t to, bool to_device, uint64_t from, bool from_device, size_t bytes) {
    if (bytes == 0) return {};
    require_value(to && from, "null address");
    if (to_device) check_device_range(to, bytes);
    if (from_device) check_device_range(from, bytes);
    Copy copy;
    copy.destination = to;
    copy.source = from;
    copy.width = bytes;
    return copy;
}

Copy box_of(const CUDA_MEMCPY2D& c) {
    return box({c.srcXInBytes, c.srcY, 0, c.srcMemoryType, c.srcHost, c.srcDevice, c.srcArray, c.srcPitch, 0},
               {c.dstXInBytes, c.dstY, 0, c.dstMemoryType, c.dstHost, c.dstDevice, c.dstArray, c.dstPitch, 0},
               c.WidthInBytes, c.Height, 1);
}

Copy box_of(const CUDA_MEMCPY3D& c) {
    require_value(c.srcLOD == 0 && c.dstLOD == 0, "level of detail must be 0");
    return box(
        {c.srcXInBytes, c.srcY, c.srcZ, c.srcMemoryType, c.srcHost, c.srcDevice, c.srcArray, c.srcPitch, c.srcHeight},
        {c.dstXInBytes, c.dstY, c.dstZ, c.dstMemoryType, c.dstHost, c.dstDevice, c.dstArray, c.dstPitch, c.dstHeight},
        c.WidthInBytes, c.Height, c.Depth);
}

Copy box_of(const CUDA_MEMCPY3D_BATCH_OP& op) {
    const CUextent3D& extent = op.extent;
    require_value(extent.width && extent.height && extent.depth, "an empty box");
    const size_t of_source = texel_bytes(op.src), of_destination = texel_bytes(op.dst);
    const size_t texel = std::max(of_source, of_destination);
    require_value(of_source == 1 || of_destination == 1 || of_source == of_destination, "arrays of different texels");
    require_value(extent.width <= SIZE_MAX / texel, "row too long");
    return box(side_of(op.src, extent, texel), side_of(op.dst, extent, texel), extent.width * texel, extent.height,
               extent.depth);
}

rt::backend::Fill fill_of(CUdeviceptr to, size_t pitch, uint32_t value, uint32_t element_bytes, size_t width,
                          size_t height) {
    require_value(to % element_bytes == 0, "address not aligned to the element");
    require_value(pitch % element_bytes == 0, "pitch not aligned to the element");
    if (!width || !height) return {};
    require_value(width <= SIZE_MAX / element_bytes, "row too long");
    const size_t row = width * element_bytes;
    require_value(height == 1 || pitch >= row, "pitch shorter than a row");
    check_device_range(to, row + (height - 1) * pitch);
    return {to, value, element_bytes, width, height, pitch};
}

} // namespace shim
